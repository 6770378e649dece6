"""Runs under MicroPython: the outbox on littlefs2 in RAM, power cut after every block that is written.

Prints one line, `cuts N lost L invented I`; the test reads it.
"""

import vfs
from store.outbox import Outbox

BLOCK, COUNT = 512, 64


class Flash:
    """A block device in RAM that keeps a copy of itself after each write."""

    def __init__(self, data):
        self.data = data
        self.copies = None

    def readblocks(self, number, buffer, offset=0):
        at = number * BLOCK + offset
        buffer[:] = self.data[at : at + len(buffer)]

    def writeblocks(self, number, buffer, offset=0):
        at = number * BLOCK + offset
        self.data[at : at + len(buffer)] = buffer
        self._copy()

    def ioctl(self, what, number):
        if what == 4:
            return COUNT
        if what == 5:
            return BLOCK
        if what == 6:
            at = number * BLOCK
            self.data[at : at + BLOCK] = b"\xff" * BLOCK
            self._copy()
            return 0
        return 0

    def _copy(self):
        if self.copies is not None:
            self.copies.append(bytes(self.data))


def mounted(flash):
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    box = Outbox("/flash/outbox", 3)
    box.open()
    return box


def held(data):
    """Identities on a flash that came back from a power cut."""
    box = mounted(Flash(bytearray(data)))
    found = {event[:2] for event in box.oldest(1000)}
    vfs.umount("/flash")
    return found


def check(flash, before, after):
    """(cuts, lost, invented): a copy holds what was kept throughout, at most what came or went besides."""
    copies, flash.copies = flash.copies, None
    vfs.umount("/flash")
    lost = invented = 0
    for data in copies:
        found = held(data)
        lost += len((before & after) - found)
        invented += len(found - (before | after))
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    flash.copies = []
    return len(copies), lost, invented


def main():
    flash = Flash(bytearray(BLOCK * COUNT))
    vfs.VfsLfs2.mkfs(flash)
    box = mounted(flash)
    flash.copies = []
    there, sums = set(), [0, 0, 0]

    def done(before):
        for number, value in enumerate(check(flash, before, there)):
            sums[number] += value

    for seq in range(1, 41):
        before = set(there)
        box.append(1, seq, seq, b"x" * 60)
        there.add((1, seq))
        done(before)
        if seq % 4 == 0:
            before = set(there)
            box.delete(1, [seq, seq - 1])
            there.difference_update({(1, seq), (1, seq - 1)})
            done(before)
    print("cuts", sums[0], "lost", sums[1], "invented", sums[2])


main()
