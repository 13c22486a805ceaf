"""Networks of labels: edges by hand, places, and names that can be read."""

from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.label_network import (
    draw_label_network,
    place_nodes,
    strongest_neighbors,
)

WEIGHTS = np.array(
    [
        [0.8, 0.15, 0.05, 0.0],
        [0.02, 0.8, 0.18, 0.0],
        [0.12, 0.08, 0.8, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)


def test_edges_by_hand():
    graph = strongest_neighbors(WEIGHTS, 1)
    # 0 chooses 1, 1 chooses 2, 2 chooses 0; 3 has no neighbour.
    found = {frozenset(e): d['weight'] for *e, d in graph.edges(data=True)}
    assert found == {
        frozenset((0, 1)): 0.15,
        frozenset((1, 2)): 0.18,
        frozenset((0, 2)): 0.12,
    }
    assert [graph.nodes[i]['chosen'] for i in range(4)] == [1, 1, 1, 0]
    both = strongest_neighbors(WEIGHTS, 5)
    assert both.number_of_edges() == 3 and both.degree[3] == 0
    # The stronger of both directions.
    assert both[0][2]['weight'] == 0.12
    assert WEIGHTS[0, 0] == 0.8


@pytest.mark.parametrize('layout', ['force', 'circle'])
def test_places(layout):
    rng = np.random.default_rng(0)
    # Two groups without an edge between them, and one label alone.
    weights = np.zeros((13, 13))
    weights[:6, :6] = rng.random((6, 6)) + 0.1
    weights[6:12, 6:12] = rng.random((6, 6)) + 0.1
    order = rng.permutation(13)
    graph = strongest_neighbors(weights, 3)
    places = place_nodes(graph, layout, order)
    assert places.shape == (13, 2) and np.isfinite(places).all()
    gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)
    assert gaps[~np.eye(13, dtype=bool)].min() > 0.02
    if layout == 'circle':
        np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, atol=1e-6)
        around = np.argsort(np.arctan2(*places.T[::-1]) % (2 * np.pi), kind='stable')
        start = np.flatnonzero(around == order[0])[0]
        np.testing.assert_array_equal(np.roll(around, -start), order)
    else:
        within = gaps[:6, :6].sum() / 30
        assert gaps[:6, 6:12].mean() > 1.5 * within


@pytest.mark.parametrize('size, layout', [(1, 'auto'), (20, 'auto'), (312, 'auto')])
def test_every_name_stands_in_the_picture(tmp_path, monkeypatch, size, layout):
    """Also alone, also with 312 labels: no two names of these overlap."""
    from matplotlib.figure import Figure

    boxes = []
    save = Figure.savefig

    def measure(figure, *args, **kwargs):
        save(figure, *args, **kwargs)
        renderer = figure.canvas.get_renderer()
        texts = [t for axis in figure.axes for t in axis.texts]
        boxes.extend((t.get_text(), t.get_window_extent(renderer)) for t in texts)
        boxes.append(('figure', figure.bbox))

    monkeypatch.setattr(Figure, 'savefig', measure)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(size, 8))
    weights = np.clip(features @ features.T, 0, None)
    names = [f'label number {i}' for i in range(size)]
    path = tmp_path / 'network.png'
    draw_label_network(weights, names, ['a', 'b'] * (size // 2) or ['a'], path)
    assert [p.name for p in tmp_path.iterdir()] == ['network.png']
    (_, whole), inside = boxes.pop(), dict(boxes)
    assert sorted(inside) == sorted(names)
    for box in inside.values():
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1
        assert whole.y0 <= box.y0 and box.y1 <= whole.y1
    assert np.asarray(Image.open(path).convert('L')).std() > 1


def test_svg_and_legend(tmp_path):
    path = tmp_path / 'network.svg'
    names = ['cat', 'a < b & c', 'dog', 'sea']
    draw_label_network(WEIGHTS, names, ['x', 'y', 'x', 'z'], path, title='T')
    tree = ElementTree.parse(path)
    text = path.read_text()
    # Drawn as outlines; where there is no halo, the text stands beside them.
    for word in 'Txyz':
        assert f'<!-- {word} -->' in text
    assert tree.getroot().tag.endswith('svg')


def test_refused(tmp_path):
    for options in (dict(layout='tree'), dict(neighbors=0)):
        with pytest.raises(ValueError, match='a layout of .* at least one neighbour'):
            draw_label_network(
                WEIGHTS, list('abcd'), list('abcd'), tmp_path / 'x.png', **options
            )
    assert not list(tmp_path.iterdir())
