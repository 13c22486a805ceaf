"""Pictures of label counts."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.datasets.label_statistics import LabelStatistics, SplitLabels
from mmscpnet.visualization.label_figures import (
    conditional_share,
    draw_cardinality,
    draw_frequencies,
    draw_known_share,
    frequency_order,
    state_counts,
)


def make(name, size, masked=False, seed=0):
    rng = np.random.default_rng(seed)
    full = (rng.random((60, size)) < np.linspace(0.5, 0.05, size)).astype(np.int8)
    full[:, -1] = 0
    split = SplitLabels(
        name, [f'class {i}' for i in range(size)], LabelStatistics(size)
    )
    observed = np.where(rng.random(full.shape) < 0.3, full, -1) if masked else full
    split.observed.add(observed)
    if masked:
        split.full = LabelStatistics(size)
        split.full.add(full)
        split.hidden_positives = ((observed == -1) & (full == 1)).sum(0)
    return split, observed, full


def test_states():
    split, observed, full = make('train', 20, masked=True)
    states = state_counts(split)
    for label in range(20):
        pairs = list(zip(observed[:, label].tolist(), full[:, label].tolist()))
        assert [int(counts[label]) for counts in states.values()] == [
            pairs.count((1, 1)),
            pairs.count((-1, 1)),
            pairs.count((0, 0)),
            pairs.count((-1, 0)),
        ]
    assert (sum(states.values()) == 60).all()
    plain, *_ = make('train', 20)
    assert list(state_counts(plain)) == ['known positive', 'known negative', 'unknown']


def test_order():
    split, _, full = make('train', 20, masked=True)
    counts = full.sum(0)[frequency_order(split)]
    assert (np.diff(counts) <= 0).all() and counts[0] > counts[-1]


def test_conditional_share():
    counts = np.array([[4, 1, 0], [1, 2, 0], [0, 0, 0]])
    np.testing.assert_array_equal(
        conditional_share(counts), [[1, 0.25, 0], [0.5, 1, 0], [np.nan] * 3]
    )


@pytest.mark.parametrize('size, width, height', [(20, 500, 450), (100, 600, 900)])
def test_room_for_each_class(tmp_path, size, width, height):
    """A hundred classes stand in two columns. For 312 see the tool's test."""
    train, *_ = make('train', size, masked=True)
    test, *_ = make('test', size, seed=1)
    draw_frequencies([train, test], tmp_path / 'frequencies.png')
    draw_known_share(train, tmp_path / 'known.png')
    for file in tmp_path.iterdir():
        with Image.open(file) as picture:
            assert width <= picture.width < 1.6 * width, file.name
            assert height <= picture.height < 1.6 * height, file.name


def has_colour(path, colour):
    picture = np.asarray(Image.open(path).convert('RGB')).astype(int)
    return bool((abs(picture - colour) < 3).all(-1).any())


def test_colours(tmp_path):
    train, *_ = make('train', 20, masked=True)
    path = tmp_path / 'known.png'
    draw_known_share(train, path)
    for colour in [(0, 114, 178), (86, 180, 233), (230, 159, 0), (221, 221, 221)]:
        assert has_colour(path, colour)
    plain, *_ = make('train', 20)
    draw_known_share(plain, path)
    assert not has_colour(path, (86, 180, 233))  # nothing is hidden
    draw_cardinality([train, make('test', 20)[0]], path)
    assert has_colour(path, (0, 114, 178)) and has_colour(path, (213, 94, 0))


def test_a_single_class(tmp_path):
    split = SplitLabels('train', ['only'], LabelStatistics(1))
    split.observed.add(np.array([[0], [-1]]))
    for number, draw in enumerate((draw_frequencies, draw_cardinality)):
        draw([split], tmp_path / f'{number}.png')
    draw_known_share(split, tmp_path / '2.png')
    assert len(list(tmp_path.iterdir())) == 3
