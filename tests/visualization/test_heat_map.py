"""Heat maps of label pairs."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.heat_map import HeatMap, cluster_order, draw_heat_maps


def groups(size, count, seed=0):
    """Similarity of labels in groups, shuffled, and the group of each label."""
    group = np.arange(size) % count
    np.random.default_rng(seed).shuffle(group)
    return (group[:, None] == group[None]).astype(float), group


@pytest.mark.parametrize('size', [20, 312, 450])
def test_groups_stand_together(size):
    similarity, group = groups(size, 5)
    order = cluster_order(similarity)
    assert sorted(order) == list(range(size))
    assert np.count_nonzero(np.diff(group[order])) == 4


@pytest.mark.parametrize('size', [1, 2])
def test_few_labels_keep_their_order(size):
    assert cluster_order(np.ones((size, size))).tolist() == list(range(size))


def test_a_matrix_that_is_not_symmetric():
    similarity, group = groups(12, 3)
    similarity += np.triu(np.full((12, 12), 0.1), 1)
    order = cluster_order(similarity)
    assert np.count_nonzero(np.diff(group[order])) == 2


@pytest.mark.parametrize('size, least', [(2, 100), (20, 20), (100, 14), (450, 2)])
def test_room_for_each_label(tmp_path, size, least):
    """Rows are high enough for their names, up to 400; for 312 see the tool's test."""
    similarity, _ = groups(size, 2)
    path = tmp_path / 'map.png'
    names = [f'label number {i}' for i in range(size)]
    draw_heat_maps([HeatMap(similarity, 'one', 'unit')], names, path)
    with Image.open(path) as picture:
        assert picture.height > size * least and picture.width > size * least
        assert max(picture.size) < 6000


def test_side_by_side(tmp_path):
    similarity, _ = groups(8, 2)
    path = tmp_path / 'map.png'
    widths = []
    for titles in ('a', 'ab'):
        maps = [HeatMap(similarity, title, 'unit') for title in titles]
        draw_heat_maps(maps, list('abcdefgh'), path)
        with Image.open(path) as picture:
            widths.append(picture.width)
    assert 1.8 < widths[1] / widths[0] < 2.2


def test_values_are_drawn_in_order(tmp_path):
    """One bright pair: bright cells where the order puts it, grey diagonal."""
    values = np.zeros((10, 10))
    values[2, 7] = 1.0
    order = np.array([7, 2, 0, 1, 3, 4, 5, 6, 8, 9])
    path = tmp_path / 'map.png'
    draw_heat_maps([HeatMap(values, 'one', 'unit')], list('abcdefghij'), path, order)
    picture = np.asarray(Image.open(path).convert('RGB')).astype(int)
    dark = (abs(picture - [0, 34, 78]) < 6).all(-1)
    # The colour bar is dark at its lower end only.
    rows, columns = (
        np.flatnonzero(n > n.max() / 2) for n in (dark.sum(1), dark.sum(0))
    )
    top, left = rows[0], columns[0]
    cell = (rows[-1] - top) / 10
    assert cell == pytest.approx((columns[-1] - left) / 10, abs=0.5)

    def colour(row, column):
        return picture[
            round(top + (row + 0.5) * cell), round(left + (column + 0.5) * cell)
        ]

    assert colour(1, 0).tolist() != colour(0, 1).tolist() == colour(5, 2).tolist()
    assert colour(1, 0)[0] > 200 and colour(1, 0)[2] < 120  # the brightest, yellow
    assert all(np.ptp(colour(i, i)) == 0 for i in range(10))  # grey


def test_equal_values(tmp_path):
    path = tmp_path / 'map.png'
    draw_heat_maps([HeatMap(np.ones((3, 3)), 'one', 'unit')], list('abc'), path)
    empty = np.full((3, 3), np.nan)
    draw_heat_maps([HeatMap(empty, 'one', 'unit')], list('abc'), path)
    assert path.stat().st_size > 0
