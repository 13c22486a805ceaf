"""The contact sheet: which label is judged how, and what ends up in the file."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.contact_sheet import (
    CORRECT,
    FALSE,
    MARKS,
    MISSED,
    UNKNOWN,
    ContactSheetItem,
    draw_contact_sheet,
    judge_labels,
)
from mmscpnet.visualization.drawing import NO_IMAGE

CLASSES = ['cow', 'pig', 'tractor', 'bus', 'kite']


def make_item(image=None, classes=CLASSES, title=''):
    return ContactSheetItem(
        image,
        classes,
        scores=np.array([0.9, 0.2, 0.7, 0.5, 0.1]),
        targets=np.array([1, 1, 0, -1, 0]),
        title=title,
    )


def has_colour(picture, colour):
    return bool((np.asarray(picture) == np.array(colour)).all(axis=-1).any())


def test_judged_by_threshold():
    assert judge_labels(make_item()) == [
        (CORRECT, 'cow', 0.9),
        (FALSE, 'tractor', 0.7),
        (UNKNOWN, 'bus', 0.5),
        (MISSED, 'pig', 0.2),
    ]


def test_judged_by_rank():
    assert judge_labels(make_item(), threshold=None, topk=2) == [
        (CORRECT, 'cow', 0.9),
        (FALSE, 'tractor', 0.7),
        (MISSED, 'pig', 0.2),
    ]


def test_unknown_labels_are_never_called_missed():
    item = ContactSheetItem(None, ['a'], np.array([0.1]), np.array([-1]))
    assert judge_labels(item) == []


@pytest.mark.parametrize(('threshold', 'topk'), [(None, None), (0.5, 3)])
def test_one_rule_is_given(threshold, topk):
    with pytest.raises(ValueError, match='`threshold` and `topk`'):
        judge_labels(make_item(), threshold, topk)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r'4 class names.*\(5,\).*photo\.jpg'):
        judge_labels(make_item(classes=CLASSES[:4], title='photo.jpg'))


def test_marks_differ_in_symbol_and_brightness_is_readable():
    assert len({mark.symbol for mark in MARKS}) == len(MARKS)
    for mark in MARKS:
        red, green, blue = mark.colour
        # Relative luminance (coarse): dark enough on white for small type.
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128


def test_sheet_shows_photos_and_all_marks(tmp_path):
    colours = [(250, 10, 10), (10, 250, 10), (10, 10, 250)]
    path = tmp_path / 'photo.png'
    Image.new('RGB', (50, 20), colours[0]).save(path)
    items = [make_item(path)]
    items += [make_item(np.full((30, 40, 3), c, np.uint8)) for c in colours[1:]]
    out = draw_contact_sheet(
        items, tmp_path / 'new' / 'sheet.png', columns=2, tile=100, title='demo'
    )
    assert [file.name for file in out.parent.iterdir()] == ['sheet.png']
    with Image.open(out) as sheet:
        assert sheet.format == 'PNG'
        picture = np.asarray(sheet.convert('RGB'))
    places = [np.argwhere((picture == c).all(-1)).mean(axis=0) for c in colours]
    # Row by row: the second beside the first, the third below the first.
    assert places[1][1] > places[0][1] + 90 and abs(places[1][0] - places[0][0]) < 20
    assert places[2][0] > places[0][0] + 90 and abs(places[2][1] - places[0][1]) < 20
    for mark in MARKS:
        assert has_colour(picture[200:], mark.colour)


def test_captions_hold_only_their_own_marks(tmp_path):
    item = ContactSheetItem(None, ['a'], np.array([0.9]), np.array([1]))
    path = draw_contact_sheet([item], tmp_path / 'sheet.png', tile=128)
    picture = np.asarray(Image.open(path))
    below = picture[-50:]
    assert has_colour(below, CORRECT.colour)
    assert not any(has_colour(below, m.colour) for m in (FALSE, MISSED, UNKNOWN))


@pytest.mark.parametrize('kind', ['absent', 'broken', 'none', 'shape'])
def test_unreadable_photos_become_grey(tmp_path, kind):
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(b'not a picture')
    image = {
        'absent': tmp_path / 'absent.jpg',
        'broken': broken,
        'none': None,
        'shape': np.zeros((2, 2, 7), np.uint8),
    }[kind]
    path = draw_contact_sheet([make_item(image)], tmp_path / 's.png', tile=80)
    assert has_colour(Image.open(path), NO_IMAGE)


def test_long_lists_are_cut(tmp_path):
    classes = [f'class {i}' for i in range(60)]
    item = ContactSheetItem(None, classes, np.ones(60), np.zeros(60))
    short = draw_contact_sheet([item], tmp_path / 'a.png', max_labels=3)
    longer = draw_contact_sheet([item], tmp_path / 'b.png', max_labels=30)
    assert Image.open(short).height + 300 < Image.open(longer).height < 1500


def test_failure_leaves_the_old_sheet(tmp_path, monkeypatch):
    path = tmp_path / 'sheet.png'
    path.write_text('old')

    def fail(self, *args, **kwargs):
        raise OSError('disk full')

    monkeypatch.setattr(Image.Image, 'save', fail)
    with pytest.raises(OSError, match='disk full'):
        draw_contact_sheet([make_item()], path)
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(items=[]), 'no photo'),
        (dict(columns=0), '`columns`'),
        (dict(tile=10), '`tile`'),
        (dict(max_labels=0), '`max_labels`'),
    ],
)
def test_arguments_are_checked(tmp_path, arguments, message):
    arguments = {'items': [make_item()], 'out_file': tmp_path / 'x.png', **arguments}
    with pytest.raises(ValueError, match=message):
        draw_contact_sheet(**arguments)
