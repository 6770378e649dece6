"""The main job on real input: real firmware, a real video, real speech, the real hub, in about 90 s."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from tqdm import tqdm

from demo.broker import BrokerError, free_port, is_listening, start_broker
from demo.history import HistoryError, days, feed
from demo.scenes import ANSWER_S, KEY, Scene, length_s, phrases, scheduled, segments
from demo.shop import CAMERA, KEYFOB, MICROPHONE, SITE, TERMINAL, device_config, write_site
from demo.sound import make_timeline
from demo.story import Story, figures
from demo.video import make_video
from firmware import wire
from firmware.shim.board import Board
from gateway.app import JOURNAL
from gateway.bus import Bus, Message
from gateway.config import Site, load_site
from gateway.indices import measure
from gateway.journal import Journal, JournalError
from gateway.measurements import OUTCOMES, contact_of
from gateway.supervisor import Supervisor, child
from models.fetch import FetchError

MARKER = ".emobox-demo"
LOOPBACK = "127.0.0.1"
READY_S = 90.0
REST_S = 20.0
LEAST_CONTACTS = 12

Moment = tuple[float, Callable[[], None]]


class DemoError(Exception):
    """The demo cannot go on; the text says what to do."""


def play(state: Path, *, once: bool, influx: str | None, history: str | None, port: int) -> int:
    """Play the shop; 1 when an outcome or a published EmoNPS is missing, 2 when it cannot start."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        with ExitStack() as stack:
            return Demo(state.resolve(), influx, port, stopping, stack).run(once=once, history=history)
    except (DemoError, BrokerError, FetchError, HistoryError, JournalError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


class Demo:
    """One run; everything that it starts ends with `stack`."""

    def __init__(
        self, folder: Path, influx: str | None, port: int, stopping: threading.Event, stack: ExitStack
    ) -> None:
        self._folder, self._influx, self._port = folder, influx, port
        self._stopping, self._stack = stopping, stack
        self._scenes = scheduled()
        self._ready: dict[str, float] = {}

    def run(self, *, once: bool, history: str | None) -> int:
        """Prepare, play, tell, sum up."""
        count = days(history) if history else 0
        self._check_port()
        self._fresh_folder()
        site = self._prepare()
        journal = Journal(self._folder / JOURNAL)
        if count:
            feed(journal, site, count)
        self._start_hub(journal)
        boards = self._start_devices(site)
        story = Story(journal, site, has_influx=site.influx is not None)
        self._wait_ready(site)
        self._act(self._moments(*boards), story)
        status = self._sum_up(journal, site, story)
        if not once and not self._stopping.is_set():
            print(f"\nthe page goes on at {self._page}; stop with Ctrl+C", flush=True)
            with suppress(KeyboardInterrupt):
                self._stopping.wait()
        return status

    @property
    def _page(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _fresh_folder(self) -> None:
        """Every demo is a new day; only a folder that a demo made is ever emptied."""
        marker = self._folder / MARKER
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if any(self._folder.iterdir()) and not marker.exists():
                raise DemoError(f"{self._folder} holds other files; give --state a new or an empty folder")
            lock = self._stack.enter_context(marker.open("a"))
        except OSError as error:
            why = error.strerror
            raise DemoError(f"{self._folder} cannot be written ({why}); give another --state") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"another demo plays in {self._folder}; end it, or give another --state"
            ) from None
        for entry in self._folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry != marker:
                entry.unlink()

    def _check_port(self) -> None:
        try:
            socket.create_server((LOOPBACK, self._port)).close()
        except OSError as error:
            why = error.strerror
            raise DemoError(
                f"the page's port {self._port} cannot be had ({why}); give another --port"
            ) from None

    def _prepare(self) -> Site:
        broker_port = free_port()
        print("making the customers' video and voices …")
        seconds = length_s(self._scenes)
        video = make_video(self._folder / "shop.mp4", segments(self._scenes))
        sound = make_timeline(self._folder / "shop.wav", list(phrases(self._scenes)), seconds + 30)
        name, broker = start_broker(self._folder, broker_port)
        self._stack.callback(_end, broker)
        print(f"broker: {name} on 127.0.0.1:{broker_port}; store: {self._folder / JOURNAL}", end="")
        print(f" and {self._influx}" if self._influx else "")
        self._config = write_site(
            self._folder,
            broker_port=broker_port,
            web_port=self._port,
            video=video,
            sound=sound,
            influx=self._influx,
        )
        return load_site(self._config)

    def _start_hub(self, journal: Journal) -> None:
        """`emobox run` as a child, started again when it is killed; then look into its journal."""
        ending = threading.Event()
        hub = Supervisor(child("hub", "run", "--config", str(self._config), log=self._folder / "hub.log"))
        thread = threading.Thread(target=hub.run, args=(ending,))
        self._stack.callback(thread.join)
        self._stack.callback(ending.set)
        thread.start()
        self._wait_for(lambda: (self._folder / JOURNAL).exists() and is_listening(self._port), "the hub")
        journal.open(read_only=True)
        self._stack.callback(journal.close)

    def _start_devices(self, site: Site) -> tuple[Board, Board]:
        port = site.broker.port
        terminal = Board(self._folder / TERMINAL, "terminal", device_config(TERMINAL, port))
        keyfob = Board(self._folder / KEYFOB, "keyfob", device_config(KEYFOB, port))
        for board in (terminal, keyfob):
            board.start()
            self._stack.callback(board.stop)
        print(f"terminal and keyfob: the real firmware under {terminal.runs_on}; page: {self._page}")
        return terminal, keyfob

    def _wait_ready(self, site: Site) -> None:
        """Camera and microphone say by their first health event when they began."""
        print("camera and microphone: starting …")
        bus = Bus(site.broker.address(), "demo", on_message=self._heard)
        bus.subscribe(wire.topic(SITE, "+", "event"))
        bus.start()
        self._stack.callback(bus.stop)
        self._wait_for(lambda: {CAMERA, MICROPHONE} <= self._ready.keys(), "camera and microphone")

    def _heard(self, message: Message) -> None:
        parts, event = wire.split_topic(message.topic), json.loads(message.payload)
        if parts and event.get("kind") == "health":
            began_s = time.monotonic() - event["age"] / 1000 - event.get("uptime_s", 0)
            self._ready.setdefault(parts[1], began_s)

    def _wait_for(self, is_there: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + READY_S
        while not is_there():
            if time.monotonic() > end or self._stopping.wait(0.05):
                raise DemoError(f"{what} did not start; see {self._folder / 'hub.log'}")

    def _moments(self, terminal: Board, keyfob: Board) -> list[Moment]:
        """When which pin moves, on the monotonic clock."""
        moments = [m for scene in self._scenes for m in self._scene(scene, terminal, keyfob)]
        return sorted(moments, key=lambda moment: moment[0])

    def _scene(self, scene: Scene, terminal: Board, keyfob: Board) -> Iterator[Moment]:
        at_s = scene.at_s + self._ready[MICROPHONE if scene.by_voice else CAMERA]
        if not scene.spoken:
            yield at_s, lambda: keyfob.click("single")
        if scene.answer in KEY:
            yield at_s + ANSWER_S, lambda: terminal.press(KEY[scene.answer])
        if scene.answer == "cancel":
            yield at_s + ANSWER_S, lambda: keyfob.click("double")

    def _act(self, moments: Sequence[Moment], story: Story) -> None:
        began_s, seconds = self._ready[CAMERA], length_s(self._scenes)
        left = list(moments)
        form = "{l_bar}{bar}| {n:.0f}/{total:.0f} s"
        with tqdm(
            total=seconds, desc="the shop is open", bar_format=form, file=sys.stdout, disable=None
        ) as bar:
            while (now_s := time.monotonic()) < began_s + seconds and not self._stopping.wait(0.05):
                while left and left[0][0] <= now_s:
                    left.pop(0)[1]()
                _tell(story.news(), bar.write)
                bar.update(min(now_s - began_s, seconds) - bar.n)

    def _sum_up(self, journal: Journal, site: Site, story: Story) -> int:
        """The day's figures, from the same contacts that the page shows; what is missing is said."""
        end = time.monotonic() + REST_S
        while not story.at_rest and time.monotonic() < end:
            _tell(story.news(), print)
            time.sleep(0.1)
        _tell(story.news(all_of_it=True), print)
        date = site.local_date(round(time.time() * 1000))
        records = journal.records("contact")
        today = [contact_of(record) for record in records if record.fields["local_date"] == date]
        indices = measure(today, site)
        print("\nthe day's figures")
        _tell(figures(indices), print)
        missing = sorted(set(OUTCOMES) - {contact.outcome for contact in today})
        if missing or indices.counts.n < LEAST_CONTACTS or indices.nps.published != "emonps":
            print(f"not the day it should have been; missing: {', '.join(missing) or 'contacts'}")
            return 1
        return 0


def _tell(lines: Iterator[str], write: Callable[[str], object]) -> None:
    for line in lines:
        write(line)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()
