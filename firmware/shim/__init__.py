"""A board without a board: fakes for pins and radio, and a driver that plays them. Never flashed."""
