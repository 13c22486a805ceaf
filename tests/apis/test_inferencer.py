"""Every form of input, the decisions, and what is said about bad input."""

import cv2
import mmengine
import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from PIL import Image

from mmscpnet.apis import MultiLabelInferencer
from mmscpnet.evaluation.decisions import Decisions
from mmscpnet.utils.cli import build_runner

from .small_models import CLASSES, linear_head, make_config, make_photos, save_model


@pytest.fixture(scope='module')
def inferencer(trained):
    config, weights, _ = trained
    return MultiLabelInferencer(str(config), weights, device='cpu', batch_size=4)


@pytest.fixture
def paths(trained):
    return sorted(str(path) for path in trained[2].rglob('*.png'))


def scores_of(results):
    return np.stack([result['scores'] for result in results])


def scores_of_a_test(config, weights, folder):
    """Scores of the Runner's test, as ``tools/test.py`` runs it, by path."""
    cfg = mmengine.Config.fromfile(config)
    cfg.update(work_dir=str(folder), load_from=str(weights), launcher='none')
    runner = build_runner(cfg)
    samples = []
    metric = runner.test_evaluator.metrics[0]
    process = metric.process

    def keep(data_batch, data_samples):
        samples.extend(data_samples)
        process(data_batch, data_samples)

    metric.process = keep
    runner.test()
    return {sample['img_path']: sample['pred_score'].numpy() for sample in samples}


def test_scores_are_those_of_a_test(inferencer, trained, tmp_path):
    config, weights, photos = trained
    expected = scores_of_a_test(config, weights, tmp_path)
    results = inferencer(photos, batch_size=4)
    assert len(results) == len(expected) == 6
    assert len({tuple(scores) for scores in expected.values()}) == 6
    for result in results:
        # Batches of other photos: the last digit of a sum may differ.
        np.testing.assert_allclose(
            result['scores'], expected[result['img_path']], atol=1e-6
        )


def test_every_form_of_input_gives_the_same_scores(inferencer, paths, trained):
    expected = scores_of(inferencer(paths))
    arrays = [cv2.imread(path) for path in paths]
    pictures = [Image.open(path) for path in paths]
    assert not np.allclose(scores_of(inferencer(arrays[0][..., ::-1])), expected[0])
    for inputs in (arrays, pictures, tuple(paths), (path for path in paths)):
        np.testing.assert_allclose(scores_of(inferencer(inputs)), expected, atol=1e-6)
    for single in (paths[0], arrays[0], pictures[0], trained[2] / paths[0]):
        (result,) = inferencer(single)
        np.testing.assert_allclose(result['scores'], expected[0], atol=1e-6)
    by_path = {r['img_path']: r['scores'] for r in inferencer(str(trained[2]))}
    for path, scores in zip(paths, expected):
        np.testing.assert_allclose(by_path[path], scores, atol=1e-6)


def test_grey_and_transparent_inputs(inferencer, paths):
    """Grey arrays have three equal channels; Pillow's modes become RGB on white."""
    grey = cv2.cvtColor(cv2.imread(paths[0]), cv2.COLOR_BGR2GRAY)
    three = np.repeat(grey[..., None], 3, axis=2)
    forms = [three, grey, grey[..., None], Image.fromarray(grey)]
    results = scores_of(inferencer(forms))
    np.testing.assert_allclose(results, results[:1].repeat(4, 0), atol=1e-6)
    clear = Image.new('RGBA', (70, 70), (200, 0, 0, 0))
    white = Image.new('RGB', (70, 70), (255, 255, 255))
    results = scores_of(inferencer([clear, white]))
    np.testing.assert_allclose(results[0], results[1], atol=1e-6)


def test_an_image_that_the_camera_turned(inferencer, paths):
    upright = Image.open(paths[0])
    turned = upright.rotate(-90, expand=True)
    # Orientation 8: turn it by 90 degrees against the clock to see it upright.
    turned.getexif()[0x0112] = 8
    results = scores_of(inferencer([upright, turned]))
    np.testing.assert_allclose(results[0], results[1], atol=1e-6)


def test_bad_inputs_are_reported_and_the_others_predicted(inferencer, paths, tmp_path):
    broken = tmp_path / 'broken.jpg'
    Image.open(paths[0]).save(broken)
    broken.write_bytes(broken.read_bytes()[:-400])
    (tmp_path / 'empty.png').write_bytes(b'')
    inputs = [
        str(tmp_path / 'none.jpg'),
        paths[0],
        broken,
        tmp_path / 'empty.png',
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((0, 8, 3), np.uint8),
        torch.zeros(3, 8, 8),
        None,
        paths[1],
    ]
    results = inferencer(inputs, batch_size=3)
    assert [result['error'] is None for result in results] == [
        item in (paths[0], paths[1]) if isinstance(item, str) else False
        for item in inputs
    ]
    messages = [
        'none.jpg',
        None,
        'broken.jpg.*truncated',
        'empty',
        r'\(8, 8, 4\)',
        'float32',
        'empty',
        'Tensor',
        'NoneType',
        None,
    ]
    for result, message in zip(results, messages):
        if message is not None:
            with pytest.raises(ValueError, match=message):
                raise ValueError(result['error'])
            assert 'scores' not in result
    assert results[0]['img_path'] == inputs[0] and results[4]['img_path'] is None
    alone = scores_of(inferencer(paths[:2]))
    np.testing.assert_allclose(scores_of([results[1], results[9]]), alone, atol=1e-6)
    sample = inferencer(broken, return_datasamples=True)[0]
    assert 'truncated' in sample.error and 'pred_score' not in sample


@pytest.mark.parametrize('inputs', [7, {'a': 1}, b'bytes'])
def test_what_is_no_input(inferencer, inputs):
    with pytest.raises(ValueError, match=type(inputs).__name__):
        inferencer(inputs)


def test_a_folder_without_photos(inferencer, tmp_path):
    (tmp_path / 'notes.txt').write_text('')
    with pytest.raises(ValueError, match='has no photos'):
        inferencer(tmp_path)
    assert inferencer([]) == []


def test_decisions(trained, inferencer, paths):
    config, weights, _ = trained
    scores = scores_of(inferencer(paths))
    threshold = float(np.median(scores))
    limits = np.linspace(scores.min(), scores.max(), len(CLASSES))
    limits[2] = np.inf
    rules = {
        'threshold': (threshold, scores >= np.float32(threshold)),
        'top_k': (2, scores >= np.sort(scores, axis=1)[:, -2:-1]),
        'thresholds': (
            Decisions(tuple(CLASSES), limits),
            scores.astype(np.float64) >= limits,
        ),
    }
    for name, (value, expected) in rules.items():
        made = MultiLabelInferencer(config, weights, **{name: value})
        results = made(paths)
        for result, row in zip(results, expected):
            assert (result['decisions'] == row).all(), name
            # Highest score first.
            order = sorted(np.flatnonzero(row), key=lambda i: -result['scores'][i])
            assert result['labels'] == [CLASSES[i] for i in order]
        assert ('probabilities' in results[0]) == (name == 'thresholds')
        for sample, row in zip(made(paths, return_datasamples=True), expected):
            assert isinstance(sample, DataSample)
            assert sample.pred_label.tolist() == np.flatnonzero(row).tolist()
    assert (scores_of(results) == scores).all()
    everything = MultiLabelInferencer(config, weights, top_k=50)(paths[0])[0]
    assert sorted(everything['labels']) == sorted(CLASSES)


def test_a_decisions_file_with_calibration(trained, paths, tmp_path):
    config, weights, _ = trained
    content = Decisions(tuple(CLASSES), np.full(5, 0.25)).to_json()
    content['calibration'] = dict(
        method='temperature', slope=[2.0] * 5, intercept=[-1.0] * 5
    )
    file = tmp_path / 'decisions.json'
    mmengine.dump(content, file)
    made = MultiLabelInferencer(config, weights, thresholds=file)
    result = made(paths[0])[0]
    scores = result['scores'].astype(np.float64)
    logits = np.log(scores / (1 - scores))
    expected = 1 / (1 + np.exp(-(2 * logits - 1)))
    np.testing.assert_allclose(result['probabilities'], expected, rtol=1e-6)
    # set_labels would leave the labels without thresholds.
    with pytest.raises(ValueError, match='without a threshold'):
        made.set_labels(['lion'])
    assert made.classes == CLASSES
    content['classes'][0] = 'lion'
    mmengine.dump(content, file)
    with pytest.raises(ValueError, match='lion'):
        MultiLabelInferencer(config, weights, thresholds=file)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(threshold=0.5, top_k=1), 'give one of'),
        (dict(threshold=2), 'from 0 to 1'),
        (dict(top_k=0), 'top_k'),
        (dict(batch_size=0), 'batch_size'),
        (dict(thresholds='none.json'), 'no decisions file'),
    ],
)
def test_wrong_options_are_found_before_the_model_is_read(options, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        MultiLabelInferencer('none.py', 'none.pth', **options)


def test_inputs_are_read_on_the_way(inferencer, paths):
    """Of a generator no more than a batch is taken before its results are given."""
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield paths[0]

    stream = inferencer.stream(endless(), batch_size=3)
    next(stream)
    assert len(taken) == 3
    for _ in range(3):
        next(stream)
    assert len(taken) == 6


def test_pictures(inferencer, trained, paths, tmp_path):
    folder = tmp_path / 'pictures'
    results = inferencer(trained[2], show_dir=folder, batch_size=4)
    drawn = sorted(str(p.relative_to(folder)) for p in folder.rglob('*.png'))
    assert drawn == sorted(path[len(str(trained[2])) + 1 :] + '.png' for path in paths)
    assert len(results) == 6
    for file in folder.rglob('*.png'):
        picture = Image.open(file)
        assert picture.width > 300 and picture.height > 70
    with pytest.raises(ValueError, match='holds files'):
        inferencer(paths[0], show_dir=folder)
    inferencer([cv2.imread(paths[0]), '/none.png'], show_dir=folder, overwrite=True)
    assert (folder / '000000.png').is_file() and not (folder / 'none.png.png').exists()


def test_progress_is_shown_for_long_runs_only(inferencer, paths, capsys):
    inferencer(paths, batch_size=10)
    assert 'Inference' not in capsys.readouterr().err
    inferencer(paths, batch_size=2)
    captured = capsys.readouterr()
    assert 'Inference' in captured.err and captured.out == ''


def test_photos_of_several_sizes_in_a_batch(tmp_path):
    """A pipeline need not crop to one size."""
    make_photos(tmp_path)
    config = make_config(
        tmp_path, {**linear_head(), 'in_channels': 512}, dict(type='ResNet', depth=18)
    )
    config.model.neck = dict(type='GlobalAveragePooling')
    config.test_dataloader.dataset.pipeline.pop(2)
    files = save_model(config, tmp_path)
    inferencer = MultiLabelInferencer(*files)
    paths = sorted((tmp_path / 'photos').rglob('*.png'))
    alone = [inferencer(path)[0]['scores'] for path in paths]
    np.testing.assert_allclose(scores_of(inferencer(paths)), alone, atol=1e-6)


def test_weights_of_another_model(trained, tmp_path):
    config, weights, _ = trained
    state = torch.load(weights, weights_only=True)['state_dict']
    cases = {
        'lacks head.association.weights.1': {
            k: v for k, v in state.items() if k != 'head.association.weights.1'
        },
        'has no head.fc.weight': {**state, 'head.fc.weight': torch.zeros(1)},
        'size mismatch': {**state, 'head.prompter.context': torch.zeros(1, 1, 4, 8)},
    }
    for message, content in cases.items():
        torch.save(dict(state_dict=content), tmp_path / 'w.pth')
        with pytest.raises(ValueError, match=message):
            MultiLabelInferencer(config, tmp_path / 'w.pth')
    # What only training needs may be missing or there.
    extra = {'head.pessl.state.anything': torch.zeros(3)}
    torch.save({**state, **extra}, tmp_path / 'w.pth')
    MultiLabelInferencer(config, tmp_path / 'w.pth')
    labels = dict(labels=dict(classes=CLASSES[::-1], graphs={}))
    torch.save(dict(state_dict=state, meta=labels), tmp_path / 'w.pth')
    with pytest.raises(ValueError, match='another order'):
        MultiLabelInferencer(config, tmp_path / 'w.pth')


def test_a_checkpoint_with_code_is_refused(trained, tmp_path):
    class Code:
        def __reduce__(self):
            return print, ('code ran',)

    torch.save({'state_dict': {}, 'extra': Code()}, tmp_path / 'bad.pth')
    with pytest.raises(ValueError, match='A checkpoint was refused'):
        MultiLabelInferencer(trained[0], tmp_path / 'bad.pth')


def test_missing_files(trained):
    with pytest.raises(FileNotFoundError, match='The checkpoint'):
        MultiLabelInferencer(trained[0], 'none.pth')
    with pytest.raises(FileNotFoundError, match='config file'):
        MultiLabelInferencer('none.py')
    with pytest.raises(FileNotFoundError, match='model of MMPretrain'):
        MultiLabelInferencer('no-such-model')
    with pytest.raises(ValueError, match='found int'):
        MultiLabelInferencer(3)


def test_the_default_scope_stays(trained):
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope('mmpretrain'):
        inferencer = MultiLabelInferencer(trained[0], trained[1])
        inferencer.set_labels(CLASSES[::-1])
        assert DefaultScope.get_current_instance().scope_name == 'mmpretrain'
