"""What a model is shown of a frame, and the way back from its pixels to the frame's."""

import numpy as np
import pytest

from gateway.vision.faces import Box, Image
from gateway.vision.view import around, whole


def spot(width: int, height: int, x: int, y: int, size: int = 9) -> Image:
    """A black frame with a white square around (x, y)."""
    image = np.zeros((height, width, 3), np.uint8)
    half = size // 2
    image[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1] = 255
    return image


def middle_of_light(picture: Image) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    light = picture[:, :, 0].astype(float)
    ys, xs = np.mgrid[: light.shape[0], : light.shape[1]]
    return np.array([(xs * light).sum(), (ys * light).sum()]) / light.sum()


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (360, 640), (100, 90)])
@pytest.mark.parametrize("place", [(0.3, 0.4), (0.7, 0.8)])
def test_a_point_of_the_whole_frame_is_found_where_it_is(
    width: int, height: int, place: tuple[float, float]
) -> None:
    x, y = round(width * place[0]), round(height * place[1])
    view = whole(np.zeros((height, width, 3), np.uint8), 256)
    picture = view.cut(spot(width, height, x, y))
    assert picture.shape == (256, 256, 3)
    assert view.to_frame(middle_of_light(picture)) == pytest.approx([x, y], abs=width / 256)


@pytest.mark.parametrize("box", [Box(300, 200, 30, 30), Box(250, 150, 200, 200), Box(100, 20, 400, 400)])
def test_a_point_near_a_face_is_found_where_it_is(box: Box) -> None:
    x, y = round(box.center[0] + box.width / 3), round(box.center[1] - box.width / 4)
    view = around(box, 2.0, 128)
    picture = view.cut(spot(640, 480, x, y))
    assert picture.shape == (128, 128, 3)
    assert view.to_frame(middle_of_light(picture)) == pytest.approx([x, y], abs=box.width / 60)


def test_the_box_fills_half_of_its_surroundings() -> None:
    view = around(Box(100, 100, 80, 80), 2.0, 128)
    corners = np.array([[32.0, 32.0], [96.0, 96.0]])
    assert view.to_frame(corners).tolist() == [[100, 100], [180, 180]]


@pytest.mark.parametrize("box", [Box(-50, -50, 100, 100), Box(620, 470, 60, 60), Box(900, 900, 50, 50)])
def test_beyond_the_edge_of_the_frame_it_is_black(box: Box) -> None:
    picture = around(box, 2.0, 128).cut(np.full((480, 640, 3), 200, np.uint8))
    assert picture.shape == (128, 128, 3)
    assert (picture == 0).mean() > 0.4
