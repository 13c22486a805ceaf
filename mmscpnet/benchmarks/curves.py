"""The curve of a run, and whether it reproduces a published one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Optional


class Curve(NamedTuple):
    """mAP by epoch, in percent.

    Attributes:
        epochs: 1-based.
        plain: of the weights themselves.
        ema: of the averaged weights; None for an epoch without.
    """

    epochs: list[int]
    plain: list[float]
    ema: list[Optional[float]]

    @property
    def best(self) -> tuple[float, int]:
        """Highest mAP of either model and its epoch."""
        pairs = zip(self.epochs, self.plain, self.ema)
        best, epoch = max((p if e is None else max(p, e), -n) for n, p, e in pairs)
        return best, -epoch


def run_curve(work_dir, metric: str = 'multi-label/mAP') -> Curve:
    """Validation curve of a run, all its resumed parts together.

    Args:
        work_dir: of ``tools/train.py``.
        metric: its name in the log.

    Raises:
        ValueError: the folder has no validation results.
    """
    found: dict[int, tuple[float, Optional[float]]] = {}
    for path in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        for entry in read_entries(path):
            # results of a test have no step
            if metric in entry and 'step' in entry:
                plain = entry.get(f'{metric}_plain', entry[metric])
                found[entry['step']] = (plain, entry.get(f'{metric}_ema'))
    if not found:
        raise ValueError(
            f'{str(work_dir)!r} has no */vis_data/scalars.json with {metric!r}: it is '
            'not the work folder of a run that was validated'
        )
    epochs = sorted(found)
    return Curve(epochs, [found[e][0] for e in epochs], [found[e][1] for e in epochs])


def read_entries(path: Path) -> Iterator[dict]:
    """Entries of a log; a last line that a killed run left unfinished is no entry."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            if number < len(lines):
                raise ValueError(f'{path}:{number}: not JSON: {error.msg}') from error


def published_names(path) -> list[str]:
    """Names of the curves of a file, see :func:`published_curve`."""
    return [
        name
        for name, value in _read_published(path).items()
        if isinstance(value, dict) and 'curve' in value
    ]


def _read_published(path) -> dict:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'the file of curves {str(path)!r} does not exist')
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is no JSON file: {error}') from error
    if not isinstance(content, dict):
        raise ValueError(
            f'{path} must map names to curves, found {type(content).__name__}'
        )
    return content


def published_curve(path, name: str) -> Curve:
    """Curve of a JSON file of published logs.

    The file maps a name to ``{"curve": [{"epoch": 0, "regular": 28.4, "ema": 44.9},
    ...]}`` with 0-based epochs.

    Args:
        path: of the file.
        name: which of its curves.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no such curve, or one of another form.
    """
    content = _read_published(path)
    if name not in content:
        raise ValueError(f'{path} has no curve {name!r}; it has {sorted(content)}')
    try:
        points = content[name]['curve']
        return Curve(
            [point['epoch'] + 1 for point in points],
            [float(point['regular']) for point in points],
            [float(point['ema']) for point in points],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'{path}: {name!r} needs a list "curve" of entries with "epoch", "regular" '
            f'and "ema" ({type(error).__name__}: {error})'
        ) from error


class Verdict(NamedTuple):
    """Whether a figure is reproduced.

    Attributes:
        found: best mAP of the run.
        target: published mAP.
        tolerance: how far below it may lie.
        finished: whether the run is as long as the published one.
    """

    found: float
    target: float
    tolerance: float
    finished: bool

    @property
    def passed(self) -> bool:
        """At most ``tolerance`` below the target; more is welcome."""
        return self.found >= self.target - self.tolerance


def judge(
    run: Curve,
    published: Curve,
    target: Optional[float] = None,
    tolerance: float = 0.5,
) -> Verdict:
    """Compare the best of both models, as published figures are.

    Args:
        run: measured.
        published: its reference.
        target: published figure; the best of ``published`` by default.
        tolerance: percentage points.
    """
    return Verdict(
        found=run.best[0],
        target=published.best[0] if target is None else target,
        tolerance=tolerance,
        finished=run.epochs[-1] >= published.epochs[-1],
    )
