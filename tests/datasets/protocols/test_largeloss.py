"""The published single positives, against plain loops over lists."""

import numpy as np
import pytest

from mmscpnet.datasets import read_label_list
from mmscpnet.datasets.protocols import LabelTable, build_protocol
from mmscpnet.datasets.protocols.largeloss import (
    draw_positives,
    hold_out,
    published_order,
)
from mmscpnet.datasets.protocols.set_protocols import HELD_OUT, LEFT_OUT
from tests.shared import shared_file


def slow_draw(rows, seed=1200):
    """As the published script does it: labels of 1 and -1, both kinds shuffled."""
    rng = np.random.RandomState(seed)
    kept = []
    for row in rows:
        signs = np.where(np.asarray(row) == 1, 1.0, -1.0)
        chosen = -1
        for sign in (1.0, -1.0):
            indices = np.array([i for i, value in enumerate(signs) if value == sign])
            rng.shuffle(indices)
            if sign > 0 and len(indices):
                chosen = indices[0]
        kept.append(chosen)
    return kept


def test_positives_of_random_labels():
    rows = (np.random.default_rng(0).random((300, 20)) < 0.15).astype(np.int8)
    rows = rows[rows.any(axis=1)]
    found = draw_positives(rows)
    assert found.tolist() == slow_draw(rows)
    assert (rows[range(len(rows)), found] == 1).all()
    assert found.tolist() != draw_positives(rows, seed=1).tolist()


def test_shuffling_the_negatives_counts():
    """Without it, all images after the first would have other labels."""
    rows = np.ones((50, 6), dtype=np.int8)
    without_negatives = draw_positives(rows)
    rows = np.concatenate([rows, np.zeros((50, 9), np.int8)], axis=1)
    found = draw_positives(rows)
    assert found[0] == without_negatives[0]
    assert found.tolist() != without_negatives.tolist()
    assert found.tolist() == slow_draw(rows)


def test_unknown_labels_are_refused():
    rows = np.array([[1, 0], [1, -1]], dtype=np.int8)
    with pytest.raises(ValueError, match='image 1 has unknown labels'):
        draw_positives(rows)


def test_images_without_positives_move_the_random_numbers_on():
    """CUB's and NUS-WIDE's scripts leave no image out."""
    rows = (np.random.default_rng(0).random((60, 9)) < 0.15).astype(np.int8)
    empty = ~rows.any(axis=1)
    assert 5 < empty.sum() < 30
    found = draw_positives(rows)
    assert found.tolist() == slow_draw(rows) and (found[empty] == -1).all()
    assert found[~empty].tolist() != draw_positives(rows[~empty]).tolist()
    table = LabelTable(
        ((np.flatnonzero(row), ()) for row in rows),
        9,
        0,
        [f'{i}.jpg' for i in range(60)],
    )
    protocol = build_protocol('spml-largeloss')
    protocol.prepare(table)
    masks = np.stack([protocol.mask(row, i, '') for i, row in enumerate(table.rows())])
    assert (masks == 1).argmax(axis=1)[~empty].tolist() == found[~empty].tolist()
    assert (masks[empty] == -1).all()
    parts = protocol.parts(table)
    assert (parts == HELD_OUT).sum() == 12 and (parts == LEFT_OUT).sum() == 0


def test_images_of_coco_without_positives_take_no_part():
    """COCO's file of all images gives the labels of that of the annotated ones."""
    rng = np.random.default_rng(0)
    labels = [np.flatnonzero(rng.random(6) < 0.2) for _ in range(80)]
    labels[5] = np.array([], dtype=int)
    names = [f'COCO_train2014_{i:012d}.jpg' for i in rng.permutation(80)]
    found = []
    for chosen in (range(80), [i for i in range(80) if len(labels[i])]):
        table = LabelTable(
            ((labels[i], ()) for i in chosen), 6, 0, [names[i] for i in chosen]
        )
        protocol = build_protocol('spml-largeloss')
        protocol.prepare(table)
        parts = protocol.parts(table)
        masks = [protocol.mask(r, i, '').tolist() for i, r in enumerate(table.rows())]
        found.append({names[i]: (m, p) for i, m, p in zip(chosen, masks, parts)})
    everything, annotated = found
    assert 5 < len(everything) - len(annotated) < 40
    for name, (mask, part) in everything.items():
        if name in annotated:
            assert annotated[name] == (mask, part) and part != LEFT_OUT
        else:
            assert part == LEFT_OUT and mask == [-1] * 6
    held = [part for _, part in annotated.values()].count(HELD_OUT)
    assert held == round(0.2 * len(annotated))


@pytest.mark.parametrize(
    ('images', 'train', 'held'),
    [
        (82081, 65665, 16416),  # COCO 2014
        (5717, 4574, 1143),  # VOC 2012
        (5994, 4795, 1199),  # CUB
        (150000, 120000, 30000),  # NUS-WIDE
    ],
)
def test_published_counts(images, train, held):
    mask = hold_out(images)
    assert (~mask).sum() == train and mask.sum() == held
    order = np.random.RandomState(1200).permutation(images)
    assert np.flatnonzero(mask).tolist() == sorted(order[-held:].tolist())


def test_hold_out_of_nothing():
    assert not hold_out(10, 0.0).any()


def test_order_of_coco_and_voc():
    ids = [99, 100, 9, 581921, 1000]
    names = [f'train2014/COCO_train2014_{i:012d}.jpg' for i in ids]
    order = published_order(names, np.ones(len(names), bool))
    assert [ids[i] for i in order] == [100, 1000, 581921, 9, 99]
    voc = ['JPEGImages/2009_000001.jpg', 'JPEGImages/2008_000008.jpg']
    assert published_order(voc, np.ones(2, bool)).tolist() == [1, 0]
    # Other sets stay as they are.
    assert published_order(['b.jpg', 'a.jpg'], np.array([True, False])).tolist() == [
        0,
        1,
    ]
    assert published_order([], np.ones(0, bool)).tolist() == []


def test_order_of_the_file_does_not_matter_for_coco():
    rng = np.random.default_rng(0)
    labels = {f'COCO_val2014_{i:012d}.jpg': sorted({*rng.integers(0, 9, 4)}) for i in
              rng.integers(1, 10**6, 40).tolist()}  # fmt: skip
    found = []
    for names in (sorted(labels), sorted(labels, reverse=True)):
        table = LabelTable(((labels[n], ()) for n in names), 9, 0, names)
        protocol = build_protocol('spml-largeloss')
        protocol.prepare(table)
        held = protocol.parts(table) == HELD_OUT
        masks = [protocol.mask(table.row(i), i, n) for i, n in enumerate(names)]
        found.append({n: (m.tolist(), bool(h)) for n, m, h in zip(names, masks, held)})
    assert found[0] == found[1]


@pytest.mark.parametrize(('name', 'classes'), [('voc_val', 20), ('cub_val', 312)])
def test_real_labels(name, classes):
    entries = read_label_list(shared_file(f'data/scpnet_lists/{name}.txt'))
    entries = entries[:1500]
    names = [entry.image for entry in entries]
    table = LabelTable(((e.positives, ()) for e in entries), classes, 0, names)
    protocol = build_protocol('spml-largeloss')
    protocol.prepare(table)
    expected = slow_draw(table.rows())
    for index, label in enumerate(expected):
        masked = protocol.mask(table.row(index), index, names[index])
        assert (
            np.flatnonzero(masked == 1).tolist() == [label] and not (masked == 0).any()
        )


def test_counts_of_the_single_positive_list():
    """The images of SPLC's list are those of LargeLoss, in another order."""
    entries = read_label_list(
        shared_file('data/scpnet_lists/coco_train_singlelabel.txt')
    )
    names = [entry.image for entry in entries]
    order = published_order(names, np.ones(len(names), bool))
    assert sorted(order.tolist()) == list(range(82081))
    ids = [str(int(names[i][15:27])) for i in order[:1000]]
    assert ids == sorted(str(int(name[15:27])) for name in names)[:1000]
    table = LabelTable(((e.positives, ()) for e in entries), 80, 0, names)
    held = build_protocol('spml-largeloss').parts(table) == HELD_OUT
    assert held.sum() == 16416
    first = np.flatnonzero(hold_out(82081))[0]
    assert held[order[first]] and not held[order[:first]].any()
