"""What is kept of a run: its figures, its cost, and what it ran with."""

import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Optional

from mmscpnet.evaluation.results_file import write_bytes
from mmscpnet.version import __version__

from .curves import read_entries, run_curve
from .jobs import TOOLS, Job

SPENT = 'spent.json'
PACKAGES = (
    'torch',
    'numpy',
    'onedl-mmengine',
    'onedl-mmcv',
    'onedl-mmpretrain',
    'mmengine',
    'mmcv-lite',
    'mmcv',
    'mmpretrain',
    'open_clip_torch',
    'timm',
    'transformers',
)


def spent_on(job: Job) -> dict[str, Any]:
    """Time and memory of all attempts at a run so far."""
    path = job.folder / SPENT
    if path.is_file():
        return json.loads(path.read_text())
    return dict(seconds=0.0, peak_memory_mib=None)


def add_to_spent(job: Job, seconds: float, memory: Optional[float]) -> None:
    """Count an attempt: its time and, if known, its peak memory in MiB."""
    spent = spent_on(job)
    spent['seconds'] = round(spent['seconds'] + seconds, 1)
    if memory is not None:
        spent['peak_memory_mib'] = max(spent['peak_memory_mib'] or 0.0, memory)
    text = json.dumps(spent).encode()
    write_bytes(str(job.folder / SPENT), text, overwrite=True)


def collect(job: Job, metric: str) -> dict[str, Any]:
    """Figures of a finished run, from what it has written.

    Returns:
        dict: ``chosen_on`` (``'validation'``, or ``'test'`` if both are the same
        photos), ``chosen`` (test figure of the checkpoint with the best validation),
        ``best_epoch``, ``best_model``, ``test`` (of both models at the best and at the
        last epoch), ``validation`` (``epoch``, ``ema``, ``plain`` of each epoch) and
        ``gpu_memory_mib``.
    """
    test = json.loads((job.folder / 'report' / 'test.json').read_text())
    cfg = job.config
    same = cfg.val_dataloader.dataset == cfg.test_dataloader.dataset
    figures = {
        name: values[metric]
        for name, values in test.items()
        if isinstance(values, dict) and name != 'chosen'
    }
    run = job.folder / 'run'
    curve = run_curve(run, metric)
    logs = run.glob('*/vis_data/scalars.json')
    memory = [entry.get('memory', 0) for log in logs for entry in read_entries(log)]
    return dict(
        metric=metric,
        chosen_on='test' if same else 'validation',
        chosen=test['chosen'][metric],
        best_epoch=test.get('best_epoch'),
        best_model=test.get('best_model'),
        test=figures,
        validation=[
            dict(epoch=epoch, plain=plain, **({} if ema is None else dict(ema=ema)))
            for epoch, plain, ema in zip(*curve)
        ],
        gpu_memory_mib=max(memory) or None,
    )


def provenance() -> dict[str, Any]:
    """Commit, versions and machine kind."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    git = subprocess.run(
        ['git', '-C', str(TOOLS), 'describe', '--always', '--dirty', '--abbrev=12'],
        capture_output=True,
        text=True,
    )
    return dict(
        commit=git.stdout.strip() or None,
        mmscpnet=__version__,
        python=platform.python_version(),
        packages=packages,
    )


def error_line(tail: list[str]) -> Optional[str]:
    """The error that the last lines of a log name, if any."""
    for line in reversed(tail):
        if 'Error' in line.split(':')[0]:
            return line.strip()
    return None
