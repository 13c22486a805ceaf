"""Reading back the scores of an evaluation."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np
import torch

from .checks import labels_of


class ScoreTable(NamedTuple):
    """Scores and labels of N images.

    Attributes:
        scores: ``(N, C)`` float32.
        targets: ``(N, C)`` int8 in {1, 0, -1}.
        img_path: N paths; empty strings where they are not known.
        classes: C names.
    """

    scores: np.ndarray
    targets: np.ndarray
    img_path: list[str]
    classes: list[str]


def load_scores(
    path: Union[str, Path], classes: Optional[Sequence[str]] = None
) -> ScoreTable:
    """Read what :class:`SaveScores` (``.npz``) or ``tools/test.py --out`` wrote.

    Args:
        path: ``.npz`` or ``.json``.
        classes: names, where the file has none; numbers are taken otherwise.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds something else, no image, or other classes.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no scores file {path}')
    if path.suffix == '.npz':
        table = _from_npz(path)
    elif path.suffix == '.json':
        table = _from_json(path)
    else:
        raise ValueError(f'{path}: scores are read from .npz and .json')
    if table.scores.ndim != 2 or table.scores.shape != table.targets.shape:
        raise ValueError(
            f'{path}: scores {table.scores.shape} and targets {table.targets.shape} '
            'must both be (N, C)'
        )
    if not np.isfinite(table.scores).all():
        raise ValueError(f'{path}: scores hold NaN or an infinity')
    found, width = table.classes, table.scores.shape[1]
    if classes is not None and found and list(classes) != found:
        raise ValueError(f'{path} has scores of other classes than those given')
    names = list(classes) if classes is not None else found
    names = names or [f'class {i}' for i in range(width)]
    if len(names) != width:
        raise ValueError(f'{path}: scores of {width} classes, but {len(names)} names')
    return table._replace(classes=names)


def _from_npz(path: Path) -> ScoreTable:
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f'{path} cannot be read as .npz: {error}') from error
    missing = {'scores', 'targets'} - set(content)
    if missing:
        raise ValueError(f'{path} lacks {", ".join(sorted(missing))}')
    paths = content.get('img_path', np.full(len(content['scores']), ''))
    return ScoreTable(
        content['scores'].astype(np.float32, copy=False),
        content['targets'].astype(np.int8, copy=False),
        [str(name) for name in paths],
        [str(name) for name in content.get('classes', ())],
    )


def _from_json(path: Path) -> ScoreTable:
    try:
        entries = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is not JSON: {error}') from error
    if not isinstance(entries, list) or not entries:
        raise ValueError(f'{path} must hold a list of images with pred_score')
    scores, targets = [], []
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or 'pred_score' not in entry:
            raise ValueError(f'{path}: entry {number} has no pred_score')
        scores.append(entry['pred_score'])
        if len(scores[-1]) != len(scores[0]):
            raise ValueError(f'{path}: entry {number} has another number of scores')
        if entry.get('gt_label') is not None:
            # An empty list has no type of its own.
            entry['gt_label'] = torch.tensor(entry['gt_label'], dtype=torch.long)
        labels = labels_of(entry, len(scores[0]), f'{path}: entry {number}')
        targets.append(np.asarray(labels))
    return ScoreTable(
        np.array(scores, dtype=np.float32),
        np.stack(targets).astype(np.int8),
        [str(entry.get('img_path') or '') for entry in entries],
        [],
    )
