"""The drawing of a photo with its labels."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.prediction import (
    GIVEN,
    OTHER,
    draw_prediction,
    shrink_photo,
)


def bars(path, colour):
    """Lengths of the bars of a colour, from the top."""
    hits = (np.array(Image.open(path).convert('RGB')) == colour).all(axis=2)
    # A bar is four pixels high; letters have some pixels of its colour, too.
    lengths = hits.sum(axis=1)
    return [int(n) for n in lengths[lengths > 20][::4]]


def draw(tmp_path, scores, decided, **options):
    photo = Image.new('RGB', (200, 100), (0, 200, 0))
    names = [f'label {i}' for i in range(len(scores))]
    return draw_prediction(
        photo, names, np.array(scores), np.array(decided), tmp_path / 'a.png', **options
    )


def test_bars_show_the_scores_in_order(tmp_path):
    path = draw(tmp_path, [0.5, 0.25, 1.0, 0.1], [True, False, True, False])
    assert bars(path, GIVEN) == pytest.approx([261, 131], abs=1)
    assert bars(path, OTHER) == pytest.approx([66, 27], abs=1)


def test_a_photo_without_labels_has_the_best_others(tmp_path):
    path = draw(tmp_path, np.linspace(0, 0.4, 20), [False] * 20, title='name.jpg')
    assert bars(path, GIVEN) == []
    assert bars(path, OTHER) == sorted(bars(path, OTHER), reverse=True)
    assert len(bars(path, OTHER)) == 3


def test_of_many_labels_the_best_are_drawn(tmp_path):
    path = draw(tmp_path, np.linspace(0.5, 1, 312), [True] * 312, max_given=12)
    assert len(bars(path, GIVEN)) == 12
    assert Image.open(path).height < 600


def test_long_names_take_two_lines_within_the_picture(tmp_path):
    photo = Image.new('RGB', (100, 100))
    name = 'has_wing_color::' + 'blue ' * 30
    path = draw_prediction(
        photo, [name], np.array([0.9]), np.array([True]), tmp_path / 'a.png'
    )
    pixels = np.array(Image.open(path).convert('RGB'))
    assert (pixels[:, -10:] == 255).all()


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_a_small_copy_is_rgb(dtype):
    img = np.zeros((600, 1200, 3), dtype)
    img[..., 0] = 200  # blue
    photo = shrink_photo(img)
    assert photo.size == (480, 240)
    assert photo.getpixel((5, 5)) == (0, 0, 200)
