"""Events on flash until the gateway has them: a ring of append-only segments.

A segment `<boot>-<first seq>.log` holds up to 30 records of one boot, seq after seq, so that an
acknowledgement is found by arithmetic and the queue costs a few bytes of RAM. Beside it, `.ack` holds one
byte for each record that the gateway has. A segment that is acknowledged whole is removed. When the ring is
full its oldest segment goes: its events are the most likely to have lost their time base. They are counted.
"""

import os

from store import record
from store.files import make_folder, read_bytes, read_text, remove, replace

PER_SEGMENT = 30  # a bit for each fits a small int of the ESP32
_ACK = 0x40  # marks a valid byte of an .ack file; the rest of it is the record's number


class Segment:
    """RAM's view of one file: which of its records are still wanted."""

    def __init__(self, boot, first):
        self.boot = boot
        self.first = first
        self.count = 0
        self.live = 0  # bit n: record n is not acknowledged
        self.torn = False  # a write failed: nothing is appended behind its tail

    def add(self):
        """Count one more record, not acknowledged."""
        self.live |= 1 << self.count
        self.count += 1

    def takes(self, boot, seq):
        """Whether this event is the next record of this file."""
        follows = boot == self.boot and seq == self.first + self.count
        return follows and self.count < PER_SEGMENT and not self.torn

    def holds(self, boot, seq):
        """Whether this event waits here for its acknowledgement."""
        number = seq - self.first
        return boot == self.boot and 0 <= number < self.count and bool(self.live >> number & 1)

    def queued(self):
        """How many records wait."""
        return sum(self.live >> number & 1 for number in range(self.count))


class Outbox:
    """The queue; one boot appends, any boot's events are sent and acknowledged."""

    def __init__(self, folder, max_segments=64):
        self._folder = folder
        self._max_segments = max_segments
        self._segments = []
        self.dropped = 0

    def open(self):
        """Read what earlier boots left; returns the highest boot seen, 0 for none."""
        make_folder(self._folder)
        self.dropped = _whole(read_text(self._folder + "/dropped"))
        names = os.listdir(self._folder)
        logs = sorted(_parse_name(name) for name in names if name.endswith(".log"))
        for boot, first in logs:
            self._recover(boot, first)
        for name in names:
            if name.endswith(".ack") and _parse_name(name) not in logs:
                remove(self._folder + "/" + name)
        return max([boot for boot, _ in logs] + [0])

    def append(self, boot, seq, happened_ms, body):
        """Keep one event; it is safe when this returns. OSError: the flash does not take it."""
        segment = self._segment_for(boot, seq)
        try:
            with open(self._path(segment, ".log"), "ab") as file:
                file.write(record.pack(boot, seq, happened_ms, body))
        except OSError:
            self.dropped += 1
            self._close_torn(segment)
            raise
        segment.add()

    def oldest(self, most):
        """Up to `most` waiting events, oldest first: tuples (boot, seq, happened_ms, body).

        One that can no longer be read is dropped and counted.
        """
        found = []
        for segment in list(self._segments):
            self._drop_unread(segment, self._collect(segment, most, found))
            if len(found) == most:
                break
        return found

    def _collect(self, segment, most, found):
        """Append this segment's events; returns the bits of those that turn out not to be there."""
        unread, records = segment.live, self._records(segment)
        try:
            for seq, happened_ms, body in records:
                if len(found) == most:
                    return 0
                unread &= ~(1 << (seq - segment.first))
                if segment.holds(segment.boot, seq):
                    found.append((segment.boot, seq, happened_ms, body))
            return unread
        except OSError:
            return 0  # what cannot be read now may be read later
        finally:
            records.close()  # and its file: MicroPython would leave that to the next collection

    def holds(self, boot, seq):
        """Whether this event still waits for its acknowledgement."""
        return any(segment.holds(boot, seq) for segment in self._segments)

    def delete(self, boot, seqs):
        """Forget events that the gateway has; returns how many of them were waiting here."""
        removed = 0
        for segment in list(self._segments):
            numbers = sorted({seq - segment.first for seq in seqs if segment.holds(boot, seq)})
            removed += len(numbers)
            if numbers:
                self._acknowledge(segment, numbers)
        return removed

    def queued(self):
        """How many events wait."""
        return sum(segment.queued() for segment in self._segments)

    def _segment_for(self, boot, seq):
        if self._segments and self._segments[-1].takes(boot, seq):
            return self._segments[-1]
        while len(self._segments) >= self._max_segments:
            self._drop_oldest()
        self._segments.append(Segment(boot, seq))
        return self._segments[-1]

    def _drop_oldest(self):
        segment = self._segments[0]
        self._count_dropped(segment.queued())
        self._forget(segment)

    def _drop_unread(self, segment, unread):
        numbers = [number for number in range(segment.count) if unread >> number & 1]
        if numbers:
            self._count_dropped(len(numbers))
            self._acknowledge(segment, numbers)

    def _count_dropped(self, number):
        self.dropped += number
        try:
            replace(self._folder + "/dropped", str(self.dropped))
        except OSError:
            pass  # a full flash: the room that this makes matters more than the count over a power cut

    def _acknowledge(self, segment, numbers):
        for number in numbers:
            segment.live &= ~(1 << number)
        if not segment.live:
            self._forget(segment)
            return
        try:
            with open(self._path(segment, ".ack"), "ab") as file:
                file.write(bytes([_ACK | number for number in numbers]))
        except OSError:
            pass  # then they are sent once more after the next start, and acknowledged again

    def _forget(self, segment):
        # The log goes first: a log without its acknowledgements would be sent again, they alone are swept.
        self._segments.remove(segment)
        remove(self._path(segment, ".log"))
        remove(self._path(segment, ".ack"))

    def _close_torn(self, segment):
        segment.torn = True
        if segment.count == 0:
            self._forget(segment)

    def _recover(self, boot, first):
        segment = Segment(boot, first)
        try:
            for seq, _, _ in self._records(segment):
                while segment.first + segment.count <= seq:
                    segment.add()  # also what lies before it and cannot be read: it is dropped when it is due
        except OSError as error:
            print("flash: cannot read", self._path(segment, ".log") + ":", error)
            return  # it stays where it is: the next start may be able to read it
        self._segments.append(segment)
        for mark in read_bytes(self._path(segment, ".ack")):
            if mark & 0xC0 == _ACK and mark ^ _ACK < segment.count:
                segment.live &= ~(1 << (mark ^ _ACK))
        if not segment.live:
            self._forget(segment)

    def _records(self, segment):
        """(seq, happened_ms, body) of each whole record; what is torn between them is passed over."""
        at, wanted = 0, segment.first
        with open(self._path(segment, ".log"), "rb") as file:
            end = file.seek(0, 2)
            while at < end:
                found = record.read(file, at, segment.boot)
                if found is None or not wanted <= found[0] < segment.first + PER_SEGMENT:
                    at += 1
                    continue
                yield found
                wanted = found[0] + 1
                at += record.size(found[2])

    def _path(self, segment, ending):
        return self._folder + "/" + str(segment.boot) + "-" + str(segment.first) + ending


def _parse_name(name):
    """(boot, first seq) of `<boot>-<first>.log`; (-1, -1) for a file that is none of ours."""
    parts = name.rsplit(".", 1)[0].split("-")
    if len(parts) == 2 and parts[0].isdigit() and parts[1].isdigit():
        return int(parts[0]), int(parts[1])
    return -1, -1


def _whole(text):
    return int(text) if text and text.isdigit() else 0
