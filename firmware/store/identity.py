"""The boot counter: one number for each start, never used twice."""

from binascii import crc32

from store.files import read_text


def next_boot(folder, at_least):
    """The number of this start, persisted before it is returned; OSError when the flash cannot keep it."""
    boot = max(_read(folder, 0) or 0, _read(folder, 1) or 0, at_least - 1) + 1
    _write(folder, boot)
    return boot


def _slot(folder, slot):
    return folder + "/boot." + str(slot)


def _read(folder, slot):
    """The number in a slot, or None when the slot is missing or torn."""
    parts = (read_text(_slot(folder, slot)) or "").split()
    if len(parts) != 2 or parts[1] != _check(parts[0]):
        return None
    return int(parts[0])


def _write(folder, boot):
    # Two slots in turn: a write that tears leaves the number before in the other one.
    with open(_slot(folder, boot % 2), "w") as file:
        file.write(str(boot) + " " + _check(str(boot)))


def _check(text):
    return str(crc32(text.encode()))
