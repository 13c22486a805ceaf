"""The sheet of views: which label is of which kind, and what ends up in the file."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.view_sheet import (
    FED,
    HIDDEN,
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    WRONG,
    ViewSheetItem,
    draw_view_sheet,
    group_labels,
)

CLASSES = ['cow', 'pig', 'tractor', 'bus', 'kite', 'sky']
SCORES = np.array([1, 0, -1, -1, 0, 1])
FULL = np.array([1, 0, 1, 0, 1, 0])
COLOURS = [(250, 10, 10), (10, 250, 10), (10, 10, 250)]


def make_item(views=3, scores=SCORES, full=None, title='a.jpg'):
    views = [np.full((20, 30, 3), c, np.uint8) for c in COLOURS[:views]]
    return ViewSheetItem(views, scores, full, title)


def has_colour(picture, colour):
    return bool((np.asarray(picture) == np.array(colour)).all(axis=-1).any())


def test_groups():
    known = [
        (POSITIVE, ['cow', 'sky']),
        (NEGATIVE, ['pig', 'kite']),
        (UNKNOWN, ['tractor', 'bus']),
    ]
    assert group_labels(make_item(), CLASSES) == known
    assert group_labels(make_item(full=FULL), CLASSES) == [
        *known,
        (HIDDEN, ['tractor']),
        (WRONG, ['kite', 'sky']),
    ]
    # What is unknown before masking too contradicts nothing.
    unknown = np.full(6, -1)
    assert group_labels(make_item(full=unknown), CLASSES) == [*known, (HIDDEN, [])]


@pytest.mark.parametrize(
    'item, message',
    [
        (make_item(scores=SCORES[:5]), r'6 class names, but scores of shape \(5,\)'),
        (make_item(full=FULL[:5]), r'but full of shape \(5,\) \(a.jpg\)'),
        (make_item(scores=SCORES * 2), r'not 1, 0 or -1 \(a.jpg\)'),
    ],
)
def test_bad_labels(item, message):
    with pytest.raises(ValueError, match=message):
        group_labels(item, CLASSES)


def test_marks_differ_and_are_readable():
    marks = (*FED, HIDDEN, WRONG)
    assert len({m.symbol for m in marks}) == len({m.colour for m in marks}) == 5
    for mark in marks:
        red, green, blue = mark.colour
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128


def test_views_stand_side_by_side(tmp_path):
    items = [make_item(), make_item(), make_item()]
    out = draw_view_sheet(items, CLASSES, tmp_path / 'sheet.png', 2, 100, 'title')
    assert list(tmp_path.iterdir()) == [out]
    picture = np.asarray(Image.open(out).convert('RGB'))
    for colour in COLOURS:
        # Three photos: two in the first row, one in the second.
        rows = np.argwhere((picture == colour).all(-1))
        assert len({tuple(p // 100) for p in rows}) >= 3
    places = [np.argwhere((picture[:200] == c).all(-1))[:, 1].min() for c in COLOURS]
    assert places == sorted(places) and places[1] - places[0] == 104
    for mark in FED:
        assert has_colour(picture[100:], mark.colour)


def test_truth_is_hidden_unless_given(tmp_path):
    path = tmp_path / 'sheet.png'
    draw_view_sheet([make_item()], CLASSES, path)
    plain = np.asarray(Image.open(path).convert('RGB'))
    assert not has_colour(plain, HIDDEN.colour) and not has_colour(plain, WRONG.colour)
    draw_view_sheet([make_item(full=FULL)], CLASSES, path)
    shown = np.asarray(Image.open(path).convert('RGB'))
    assert has_colour(shown[200:], HIDDEN.colour)
    assert has_colour(shown[200:], WRONG.colour)


@pytest.mark.parametrize('views', [1, 3])
def test_312_labels(tmp_path, views):
    """Positives are all named; hundreds of negatives are counted."""
    classes = [f'has_wing_colour::purple {i}' for i in range(312)]
    heights = {}
    for kind, row in {
        'full': [1] * 31 + [0] * 281,
        'few': [1] + [0] * 311,
        'partial': [1] + [0] * 100 + [-1] * 211,
        'single': [1] + [-1] * 311,
    }.items():
        item = make_item(views, np.array(row))
        path = draw_view_sheet([item], classes, tmp_path / f'{kind}.png', tile=192)
        heights[kind] = Image.open(path).height
    assert heights['few'] == heights['single']
    # Of completely labelled photos the negatives are not named, else three lines.
    assert 2 * 14 < heights['partial'] - heights['single'] < 3 * 20
    # At least 40 letters a line.
    assert heights['few'] + 5 * 14 < heights['full'] < heights['few'] + 25 * 20


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(items=[]), 'no photo'),
        (dict(columns=0), '`columns`'),
        (dict(tile=9), '`tile`'),
    ],
)
def test_arguments_are_checked(tmp_path, arguments, message):
    out = tmp_path / 'x.png'
    given = dict(items=[make_item()], classes=CLASSES, out_file=out, **{})
    with pytest.raises(ValueError, match=message):
        draw_view_sheet(**{**given, **arguments})
    assert not out.exists()
