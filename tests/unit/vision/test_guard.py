"""The guard tells how the lens is, and ends a process that hangs."""

from dataclasses import dataclass, field

from gateway.vision.guard import BLIND, DEAD_S, FAILED, OFF, STALL_S, WATCHING, Guard, Stopwatch


@dataclass
class Scene:
    """A guard with a clock and a link that the test sets."""

    now_s: float = 0.0
    lens: str = OFF
    link: bool = True
    told: list[str] = field(default_factory=list)
    died: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stopwatch = Stopwatch(lambda: self.now_s)
        self.guard = Guard(lambda: self.lens, self.stopwatch, self._tell, self.died.append)

    def _tell(self, lens: str) -> bool:
        if self.link:
            self.told.append(lens)
        return self.link

    def step(self) -> list[str]:
        self.guard.step()
        return self.told


def test_tells_each_change_once() -> None:
    scene = Scene()
    for lens in (OFF, OFF, WATCHING, WATCHING, BLIND, WATCHING, OFF):
        scene.lens = lens
        scene.step()
    assert scene.told == [OFF, WATCHING, BLIND, WATCHING, OFF]


def test_tells_it_again_when_there_was_no_link() -> None:
    scene = Scene(link=False)
    assert scene.step() == []
    scene.link = True
    assert scene.step() == [OFF]


def test_a_call_that_hangs_is_blind_and_then_the_end() -> None:
    scene = Scene(lens=WATCHING)
    with scene.stopwatch.running():
        scene.now_s = STALL_S
        assert scene.step() == [WATCHING]
        scene.now_s = STALL_S + 0.1
        assert scene.step() == [WATCHING, BLIND]
        scene.now_s = DEAD_S
        scene.step()
        assert scene.died == []
        scene.now_s = DEAD_S + 0.1
        scene.step()
    assert scene.died == [FAILED]


def test_calls_that_come_back_are_no_hang_however_many() -> None:
    scene = Scene(lens=WATCHING)
    for _ in range(100):
        with scene.stopwatch.running():
            scene.now_s += 1
            scene.step()
    assert (scene.told, scene.died, scene.stopwatch.seconds()) == ([WATCHING], [], 0)
