"""The chip: the only room that imports machine and esp32."""
