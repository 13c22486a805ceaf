"""``label_graph.py`` through the command line: config, file and checkpoint."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmscpnet.visualization import heat_map, label_network
from tests.deployment.test_exported_model import CLASSES, MODELS_TO_EXPORT, build
from tests.shared import shared_file

FILES = ['heat_map.png', 'heat_map.svg', 'network.png', 'network.svg']


@pytest.fixture
def main(tool):
    return tool('visualization/label_graph.py').main


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'config.py'
    model = MODELS_TO_EXPORT['clip']
    Config(dict(default_scope='mmscpnet', model=model)).dump(path)
    return path


@pytest.fixture
def weights(monkeypatch):
    """The matrices that are drawn."""
    drawn, draw = [], label_network.draw_label_network

    def spy(weights, *args, **kwargs):
        drawn.append(weights)
        draw(weights, *args, **kwargs)

    monkeypatch.setattr(label_network, 'draw_label_network', spy)
    return drawn


def test_checkpoint(main, config, weights, tmp_path, capsys):
    """The graph that was stored, not what the config would build."""
    model = build(MODELS_TO_EXPORT['clip'])
    similarity = torch.tensor(np.random.default_rng(0).random((5, 5)))
    model.head.label_graph._store(similarity.float())
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'a.pth')
    out = tmp_path / 'new' / 'out'
    main([str(config), str(tmp_path / 'a.pth'), '--out-dir', str(out)])
    assert sorted(path.name for path in out.iterdir()) == FILES
    expected = model.head.label_graph().reweighted.numpy()
    np.testing.assert_allclose(weights[0], expected)
    assert 'network.png' in capsys.readouterr().out
    for name in FILES:
        if name.endswith('png'):
            assert np.asarray(Image.open(out / name).convert('L')).std() > 3
        else:
            text = (out / name).read_text()
            assert text.rstrip().endswith('</svg>')
            # Drawn as outlines; where there is no halo, the text stands beside them.
            if name == 'heat_map.svg':
                assert all(text.count(f'<!-- {label} -->') == 2 for label in CLASSES)
    with pytest.raises(ValueError, match='not empty.*--overwrite'):
        main([str(config), str(tmp_path / 'a.pth'), '--out-dir', str(out)])


def test_file_and_categories(main, config, weights, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        heat_map, 'draw_heat_maps', lambda maps, names, path, order: seen.append(maps)
    )
    size = len(CLASSES)
    similarity = np.random.default_rng(0).random((size, size)).astype(np.float32)
    np.fill_diagonal(similarity, 2)
    np.save(tmp_path / 's.npy', similarity)
    coco = dict(categories=[dict(name=n, supercategory=n[0]) for n in CLASSES])
    (tmp_path / 'coco.json').write_text(json.dumps(coco))
    out = tmp_path / 'out'
    source = ['--source', str(tmp_path / 's.npy')]
    categories = ['--categories', str(tmp_path / 'coco.json')]
    main([str(config), *source, *categories, '--out-dir', str(out)])
    topk = MODELS_TO_EXPORT['clip']['head']['label_graph']['topk']
    (drawn,) = seen[0]
    # Eq. 2: what was left out is no weight of 0, but none at all.
    assert (np.isfinite(drawn.values).sum(axis=1) == min(topk, size)).all()
    np.testing.assert_allclose(np.diag(weights[0]), 0.8, rtol=1e-6)


def test_refused(main, config, tmp_path):
    out = ['--out-dir', str(tmp_path / 'out')]
    with pytest.raises(FileNotFoundError, match='config file .*none.py'):
        main([str(tmp_path / 'none.py'), *out])
    with pytest.raises(FileNotFoundError, match='none.pth'):
        main([str(config), str(tmp_path / 'none.pth'), *out])
    with pytest.raises(FileNotFoundError, match='none.npy'):
        main([str(config), '--source', str(tmp_path / 'none.npy'), *out])
    with pytest.raises(SystemExit):
        main([str(config), 'a.pth', '--source', 's.npy', *out])
    with pytest.raises(SystemExit):
        main([str(config), '--neighbors', '0', *out])
    np.save(tmp_path / 's.npy', np.ones((3, 3), np.float32))
    with pytest.raises(ValueError, match='3'):
        main([str(config), '--source', str(tmp_path / 's.npy'), *out])
    np.save(tmp_path / 's.npy', np.ones((5, 5), np.float32))
    (tmp_path / 'c.json').write_text('{"a": 1}')
    with pytest.raises(ValueError, match='no JSON file of COCO'):
        main(
            [str(config), '--source', str(tmp_path / 's.npy')]
            + ['--categories', str(tmp_path / 'c.json'), *out]
        )
    with pytest.raises(ValueError, match='has no label_graph to draw'):
        main([str(config), *out, '--cfg-options', 'model.head.label_graph=None'])
    with pytest.raises(ValueError, match='names no source'):
        main([str(config), *out, '--cfg-options', 'model.head.label_graph.source=None'])
    assert not (tmp_path / 'out').exists() and not list(tmp_path.glob('.out*'))


def test_linear_head(main, tmp_path):
    model = MODELS_TO_EXPORT['linear, BGR']
    config = tmp_path / 'config.py'
    Config(dict(default_scope='mmscpnet', model=model)).dump(config)
    torch.save(dict(state_dict=build(model).state_dict()), tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='LinearHead without label graph'):
        main([str(config), str(tmp_path / 'a.pth'), '--out-dir', str(tmp_path / 'o')])


def test_released_similarities_of_voc(main, weights, tmp_path):
    from tests.shared import ROOT

    names = shared_file('data/scpnet_lists/voc_labels.txt')
    matrix = shared_file('data/label_similarity/clip_rn50_voc.npy')
    golden = np.load(shared_file('golden/voc.npz'))
    config = ROOT / 'configs' / 'scpnet' / 'scpnet_clip-rn50_1xb128_voc12-spml.py'
    out = tmp_path / 'out'
    main(
        [str(config), '--source', str(matrix), '--out-dir', str(out)]
        + ['--cfg-options', f'model.head.classes={names}']
    )
    assert sorted(path.name for path in out.iterdir()) == FILES
    np.testing.assert_allclose(weights[0], golden['gcn_relation'], rtol=1e-5)
