import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.label_feature_map import (
    LabelPoints,
    draw_label_maps,
    group_labels,
    place_labels,
    write_names,
)


def two_groups(size=8):
    rng = np.random.default_rng(0)
    centres = np.repeat([[5.0, 0, 0, 0], [0, 5.0, 0, 0]], size, axis=0)
    return centres + rng.normal(0, 0.3, centres.shape)


@pytest.mark.parametrize('method', ['tsne', 'pca'])
def test_like_labels_lie_together(method):
    places = place_labels(two_groups(), method)
    first, second = places[:8], places[8:]
    within = np.linalg.norm(first - first.mean(0), axis=1).mean()
    apart = np.linalg.norm(first.mean(0) - second.mean(0))
    assert apart > 3 * within
    assert np.allclose(places, place_labels(two_groups(), method))
    # Only the direction of a feature counts.
    scaled = two_groups() * np.linspace(1, 9, 16)[:, None]
    assert np.allclose(places, place_labels(scaled, method), atol=1e-3)


@pytest.mark.parametrize('features', [np.ones((2, 4)), np.full((5, 4), np.nan)])
def test_refused(features):
    with pytest.raises(ValueError, match='three labels or more'):
        place_labels(features)


def test_three_labels():
    assert place_labels(two_groups()[6:9]).shape == (3, 2)


def test_groups():
    groups = group_labels(np.repeat(np.eye(8), 3, axis=0))
    assert len(set(groups)) == 8
    assert all(len(set(groups[i : i + 3])) == 1 for i in range(0, 24, 3))
    assert group_labels(np.ones((1, 4))) == ['cluster 1']


@pytest.mark.parametrize('size', [4, 150])
def test_picture(tmp_path, size):
    features = two_groups(size // 2)
    names = [f'label {i}' for i in range(size)]
    panels = [LabelPoints(t, place_labels(features, 'pca')) for t in ('a', 'b')]
    draw_label_maps(panels, names, group_labels(features), tmp_path / 'map.png')
    assert [path.name for path in tmp_path.iterdir()] == ['map.png']
    image = np.asarray(Image.open(tmp_path / 'map.png').convert('RGB'))
    # Two panels: wider than high.
    assert image.shape[1] > 1.7 * image.shape[0]
    colours = image.astype(int) @ [65536, 256, 1]
    assert len(np.unique(colours)) > 50


@pytest.mark.parametrize('count, rows', [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_two_panels_a_row(tmp_path, count, rows):
    places = np.random.default_rng(0).random((4, 2))
    panels = [LabelPoints(str(i), places) for i in range(count)]
    draw_label_maps(panels, list('abcd'), ['x'] * 4, tmp_path / 'map.png')
    width, height = Image.open(tmp_path / 'map.png').size
    assert width == pytest.approx(780 * min(count, 2), abs=2)
    assert height == pytest.approx(780 * rows + 96, abs=2)


def test_names_cover_no_other():
    """At 312 labels: those that find no place are left out, the others are read."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(14, 14))
    places = np.random.default_rng(0).normal(size=(312, 2))
    axis.scatter(*places.T)
    figure.canvas.draw()
    left_out = write_names(axis, places, [f'label {i}' for i in range(312)], 7)
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in axis.texts]
    assert len(boxes) == 312 - left_out and left_out < 100
    for number, box in enumerate(boxes):
        assert axis.bbox.contains(*box.min) and axis.bbox.contains(*box.max)
        for other in boxes[:number]:
            wide = min(box.x1, other.x1) - max(box.x0, other.x0)
            high = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert wide < 1 or high < 1
    # Each beside its own point.
    points = dict(
        zip((f'label {i}' for i in range(312)), axis.transData.transform(places))
    )
    for text, box in zip(axis.texts, boxes):
        x, y = points[text.get_text()]
        gap = max(box.x0 - x, x - box.x1, box.y0 - y, y - box.y1)
        assert gap < 12
    plt.close(figure)
