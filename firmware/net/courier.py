"""What is sent when: spec 2's re-send rule. Knows no socket."""

import asyncio

BATCH = 8
FIRST_MS = 1_000
LAST_MS = 60_000


class Courier:
    """A fresh event at once; what is not acknowledged again, oldest first, after 1 s doubling to 60 s.

    `send(boot, seq, happened_ms, body)` is a coroutine that says whether the link took the event;
    `link_up()` says whether there is a link. Only attempts on a living link lengthen the wait, only an
    acknowledgement shortens it: a broker that comes and goes without a gateway is not flooded.
    """

    def __init__(self, outbox, clock, send, link_up):
        self._outbox = outbox
        self._clock = clock
        self._send = send
        self._link_up = link_up
        self._wake = asyncio.Event()
        self._fresh = []
        self._young = {}  # (boot, seq) of a fresh event: until when its acknowledgement is on its way
        self._batch = []
        self._due_ms = 0
        self._wait_ms = FIRST_MS
        self.on_beat = None

    def add(self, boot, seq, happened_ms, body):
        """A new event is in the outbox."""
        if self._link_up():
            self._fresh.append((boot, seq, happened_ms, body))
            self._wake.set()

    def acknowledge(self, boot, seqs):
        """The gateway has these events."""
        if not self._outbox.delete(boot, seqs):
            return
        self._wait_ms = FIRST_MS
        if not any(self._outbox.holds(*identity) for identity in self._batch):
            self._due_ms = self._clock.now_ms()
        self._due_ms = min(self._due_ms, self._clock.now_ms() + FIRST_MS)
        self._wake.set()

    def link_changed(self):
        """The link has come or gone."""
        self._wake.set()

    async def run(self):
        """Send for ever."""
        while True:
            await self._sleep()
            await self.step()

    async def step(self):
        """One round: what is fresh, then what is due."""
        if self.on_beat:
            self.on_beat()
        await self._send_fresh()
        if self._link_up() and self._outbox.queued() and self._clock.now_ms() >= self._due_ms:
            await self._send_batch()

    async def _sleep(self):
        left_ms = LAST_MS
        if self._link_up() and self._outbox.queued():
            left_ms = max(0, min(LAST_MS, self._due_ms - self._clock.now_ms()))
        if not self._fresh and left_ms:
            try:
                await asyncio.wait_for(self._wake.wait(), left_ms / 1000)
            except asyncio.TimeoutError:
                pass
        self._wake.clear()

    async def _send_fresh(self):
        while self._fresh:
            boot, seq, happened_ms, body = self._fresh.pop(0)
            now_ms = self._clock.now_ms()
            if await self._send(boot, seq, happened_ms, body):
                self._young[(boot, seq)] = now_ms + FIRST_MS
                if self._outbox.queued() == 1:
                    self._count_attempt(now_ms)

    def _count_attempt(self, now_ms):
        self._due_ms = now_ms + self._wait_ms
        self._wait_ms = min(self._wait_ms * 2, LAST_MS)

    async def _send_batch(self):
        now_ms = self._clock.now_ms()
        self._young = {who: until_ms for who, until_ms in self._young.items() if until_ms > now_ms}
        events = self._outbox.oldest(BATCH)
        if not events:
            self._count_attempt(now_ms)  # nothing can be read just now
            return
        waiting = [event for event in events if event[:2] not in self._young]
        if not waiting:
            self._due_ms = min(self._young[event[:2]] for event in events)
            return
        self._batch = [event[:2] for event in waiting]
        before_ms = self._wait_ms
        self._count_attempt(now_ms)
        if not await self._send_each(waiting):
            self._due_ms, self._wait_ms = now_ms, before_ms  # the link went: that was no attempt

    async def _send_each(self, events):
        for event in events:
            await self._send_fresh()
            if self._outbox.holds(*event[:2]) and not await self._send(*event):
                return False
        return True
