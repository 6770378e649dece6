"""What the one light of a device shows."""

BLINK_MS = 100
IDENTIFY_MS = 5_000
PROMPT_MAX_MS = 600_000


class Lamp:
    """Identify (fast blinking) hides a flash, a flash hides a prompt (steady light). Holds no pin."""

    def __init__(self):
        self._identify_until = 0
        self._prompt_until = 0
        self._flash_at = 0
        self._flash = ()

    def identify(self, now_ms):
        """Blink for five seconds: which of the devices is this?"""
        self._identify_until = now_ms + IDENTIFY_MS

    def prompt(self, now_ms, for_ms):
        """Light up: ask the next customer. 0 ends it."""
        self._prompt_until = now_ms + min(max(for_ms, 0), PROMPT_MAX_MS)

    def flash(self, now_ms, steps):
        """Confirm: milliseconds on, off, on, …"""
        self._flash_at, self._flash = now_ms, steps

    def lit(self, now_ms):
        """Whether the light is on at this moment."""
        if now_ms < self._identify_until:
            return (self._identify_until - now_ms) // BLINK_MS % 2 == 1
        left = now_ms - self._flash_at
        for number, step_ms in enumerate(self._flash):
            if left < step_ms:
                return number % 2 == 0
            left -= step_ms
        return now_ms < self._prompt_until
