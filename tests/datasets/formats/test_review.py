"""Decisions of a review, and their way into the annotation."""

import json

import pytest

from mmscpnet.datasets.formats.provenance import read_traced_labels
from mmscpnet.datasets.formats.review import (
    Decision,
    merge_decisions,
    read_decisions,
    read_review,
)

CLASSES = ['a', 'b, "c"', '</script>', '猫']


def write_json(path, decisions):
    content = dict(format='mmscpnet-review', version=1, decisions=decisions)
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


@pytest.fixture
def ann(tmp_path):
    rows = [
        dict(
            img_path='p\\1.jpg',
            gt_label=[0, 1],
            negative_label=[3],
            provenance={'0': 'known', '1': 'proposed', '3': 'known'},
            note=1,
        ),
        dict(
            img_path='2.jpg',
            gt_label=[0, 2],
            provenance={'0': 'proposed', '2': 'known'},
        ),
        dict(img_path='3.jpg', gt_label=[3], provenance={'3': 'rejected'}),
    ]
    content = dict(metainfo=dict(classes=CLASSES, unlisted='unknown'), data_list=rows)
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    return path


def test_csv_and_json_say_the_same(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text(
        '\ufeffimage,label,decision\n"p\\1.jpg","b, ""c""",accepted\n'
        '2.jpg,猫,rejected\n',
        encoding='utf-8',
    )
    want = [('p\\1.jpg', 'b, "c"', 'accepted'), ('2.jpg', '猫', 'rejected')]
    found = read_decisions(path)
    assert [entry[1:] for entry in found] == want
    assert found[1].where == f'{path}:3'
    keys = ('image', 'label', 'decision')
    entries = [dict(zip(keys, entry)) for entry in want]
    # Twice the same is said once.
    found = read_decisions(write_json(tmp_path / 'a.json', entries + entries[:1]))
    assert [entry[1:] for entry in found] == want
    assert found[1].where.endswith('a.json, decisions[1]')


def test_merged(ann):
    decisions = [
        Decision('', 'p\\1.jpg', 'b, "c"', 'accepted'),
        # A disputed label that is known to be absent, and one known to be there.
        Decision('', 'p\\1.jpg', '猫', 'accepted'),
        Decision('', '2.jpg', '</script>', 'rejected'),
        Decision('', '3.jpg', 'a', 'rejected'),
    ]
    rows, extra = merge_decisions(read_traced_labels(ann), decisions, ann)
    assert [(row.positives, row.negatives) for row in rows] == [
        ([0, 1, 3], []),
        # Nobody has decided about the proposal 0: it is unknown.
        ([], [2]),
        ([3], [0]),
    ]
    assert [row.image for row in rows] == ['p\\1.jpg', '2.jpg', '3.jpg']
    assert extra == {
        'p\\1.jpg': dict(
            note=1, provenance={'0': 'known', '1': 'accepted', '3': 'accepted'}
        ),
        '2.jpg': dict(provenance={'2': 'rejected'}),
        '3.jpg': dict(provenance={'0': 'rejected', '3': 'rejected'}),
    }


@pytest.mark.parametrize(
    'decision, message',
    [
        (Decision('x:3', '9.jpg', 'a', 'accepted'), "x:3: .* no image '9.jpg'"),
        (Decision('x:3', '3.jpg', 'z', 'accepted'), "x:3: .* no label 'z'"),
    ],
)
def test_decisions_of_something_else(ann, decision, message):
    with pytest.raises(ValueError, match=message):
        merge_decisions(read_traced_labels(ann), [decision], ann)


def test_images_that_are_listed_twice(ann):
    content = json.loads(ann.read_text())
    content['data_list'].append(dict(img_path='3.jpg', gt_label=[1]))
    ann.write_text(json.dumps(content))
    labels = read_traced_labels(ann)
    with pytest.raises(ValueError, match='3.jpg is listed twice'):
        merge_decisions(labels, [Decision('', '3.jpg', 'a', 'accepted')], ann)


ENTRY = dict(image='a', label='b', decision='accepted')


@pytest.mark.parametrize(
    'name, text, message',
    [
        ('a.json', '{', 'a.json:1: not JSON'),
        ('a.json', '{}', 'no decisions of a review'),
        ('a.json', dict(version=7), 'version 7 is not known'),
        ('a.json', dict(decisions=5), 'must be a list'),
        ('a.json', [dict(image='a')], r'decisions\[0\] must have image, label'),
        ('a.json', [{**ENTRY, 'decision': 'maybe'}], "found 'maybe'"),
        ('a.json', [ENTRY, {**ENTRY, 'decision': 'rejected'}], 'but accepted in'),
        ('a.csv', 'image,label\n', 'a.csv:1: the columns must be'),
        ('a.csv', 'image,label,decision\na,b\n', 'a.csv:2: 2 fields'),
        ('a.csv', 'image,label,decision\na,b,yes\n', "a.csv:2: .*'yes'"),
        ('a.csv', '', 'a.csv:1: the columns'),
        ('a.csv', b'\xff\xff', 'not UTF-8'),
    ],
)
def test_files_that_are_refused(tmp_path, name, text, message):
    path = tmp_path / name
    if isinstance(text, bytes):
        path.write_bytes(text)
    elif isinstance(text, str):
        path.write_text(text)
    elif isinstance(text, list):
        write_json(path, text)
    else:
        path.write_text(json.dumps(dict(format='mmscpnet-review', version=1) | text))
    with pytest.raises(ValueError, match=message):
        read_decisions(path)


def test_missing_files_and_other_names(ann, tmp_path):
    with pytest.raises(FileNotFoundError, match='no file of decisions'):
        read_decisions(tmp_path / 'none.json')
    path = write_json(tmp_path / 'd.json', [])
    names, rows, _ = read_review(path, ann)
    assert names == CLASSES and len(rows) == 3
    with pytest.raises(ValueError, match='--classes: .* another order'):
        read_review(path, ann, CLASSES[::-1])
