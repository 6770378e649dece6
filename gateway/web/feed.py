"""Today as it grows: one look at the journal for all who watch, at most one every 200 ms."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor

from gateway.journal import Journal

PERIOD_S = 0.2
QUIET_S = 5.0  # a look also without growth: a device that went offline does not grow the journal
WAIT_S = 0.5


class Feed:
    """Looks with `look` in threads of its own, so that a slow disk never holds up the server."""

    def __init__(self, journal: Journal, look: Callable[[], str]) -> None:
        self._journal, self._look = journal, look
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="page")
        self._changed = asyncio.Event()
        self._latest = ""
        self._watching = 0
        self._over = False

    async def snapshot(self) -> str:
        """Today, now."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look)

    async def stream(self) -> AsyncGenerator[str, None]:
        """Today at once, and at every growth of the journal; ends when the feed ends."""
        self._watching += 1
        try:
            changed = self._changed
            yield await self.snapshot()
            while not self._over:
                await changed.wait()
                changed = self._changed
                if not self._over:
                    yield self._latest
        finally:
            self._watching -= 1

    async def run(self) -> None:
        """Follow the journal until cancelled or ended."""
        loop, seen, looked_s = asyncio.get_running_loop(), self._journal.version, time.monotonic()
        while not self._over:
            grown = await loop.run_in_executor(self._threads, self._journal.wait, seen, WAIT_S)
            due = grown != seen or time.monotonic() - looked_s >= QUIET_S
            seen = grown
            if due and self._watching and not self._over:
                looked_s = time.monotonic()
                self._tell(await self.snapshot())
                await asyncio.sleep(max(0.0, PERIOD_S - (time.monotonic() - looked_s)))

    def end(self) -> None:
        """Let go of everyone who watches."""
        self._over = True
        self._tell(self._latest)

    def close(self) -> None:
        """End the threads; call after `run` has ended."""
        self._threads.shutdown()

    def _tell(self, text: str) -> None:
        self._latest = text
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
