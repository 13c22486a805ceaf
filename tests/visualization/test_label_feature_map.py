import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.label_feature_map import (
    LabelPoints,
    draw_label_maps,
    group_labels,
    place_labels,
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
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 50
