"""The keyfob: one key for staff."""
