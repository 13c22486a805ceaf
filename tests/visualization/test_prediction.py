"""The drawing of a photo with its labels."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.prediction import (
    ABSENT,
    GIVEN,
    MARKS,
    OTHER,
    PRESENT,
    PROPOSED,
    REJECTED,
    draw_prediction,
    shrink_photo,
    sort_labels,
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


SCORES = np.array([0.9, 0.2, 0.8, 0.7, 0.1, 0.3, 0.6, 0.05])
DECIDED = SCORES >= 0.5
KNOWN = np.array([1, 1, -1, 0, 0, -1, -1, -1])


def test_known_labels_by_hand():
    found = {s.mark: s.labels for s in sort_labels(SCORES, DECIDED, KNOWN)}
    assert list(found) == list(MARKS)
    assert found == {
        PRESENT: [0, 1],
        PROPOSED: [2, 6],
        # The one that the model would give stands first.
        ABSENT: [3, 4],
        REJECTED: [5, 7],
    }


def test_every_label_is_in_one_section():
    rng = np.random.default_rng(0)
    scores, known = rng.random(312), rng.choice([-1, 0, 1], 312)
    decided = scores > 0.7
    sections = sort_labels(scores, decided, known, 1000, 1000)
    shown = sum((s.labels for s in sections), [])
    assert len(shown) == len(set(shown)) == 312 - sections[2].more
    for section in sections:
        state = {PRESENT: 1, ABSENT: 0}.get(section.mark, -1)
        assert (known[section.labels] == state).all()
    assert decided[sections[1].labels].all() and not decided[sections[3].labels].any()
    few = sort_labels(scores, decided, known, max_given=4)
    assert [len(s.labels) for s in few] == [4, 4, 5, 3]
    assert few[0].more == (known == 1).sum() - 4


def test_known_labels_are_drawn_apart(tmp_path):
    """By colour, and by sign for those who do not see it."""
    path = draw(tmp_path, SCORES, DECIDED, known=KNOWN)
    for section in sort_labels(SCORES, DECIDED, KNOWN):
        lengths = bars(path, section.mark.colour)
        # A row of text has some pixels of the colour, too.
        for label in section.labels:
            if SCORES[label] > 0.15:
                assert any(abs(n - 261 * SCORES[label]) <= 1 for n in lengths)
    assert len({mark.symbol for mark in MARKS}) == 4


def test_doubts_are_written_out(tmp_path, monkeypatch):
    from mmscpnet.visualization import prediction

    written, wrap = [], prediction.wrap_text

    def spy(text, *args, **kwargs):
        written.append(text)
        return wrap(text, *args, **kwargs)

    monkeypatch.setattr(prediction, 'wrap_text', spy)
    draw(tmp_path, SCORES, DECIDED, known=KNOWN)
    assert 'label 1 (model: no)' in written and 'label 3 (model: yes)' in written
    assert 'label 0' in written and 'label 4' in written and 'label 2' in written
