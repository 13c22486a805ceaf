"""The decisions file: a threshold and a calibration for each label."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import numpy as np
from torch import Tensor

from .calibration import Calibration, calibration_from_json

FORMAT, VERSION = 'mmscpnet-decisions', 1
_SHOWN = 12


@dataclass(frozen=True)
class Decisions:
    """From scores to decisions and to probabilities that can be trusted.

    Attributes:
        classes: C names, in the order of the model's.
        thresholds: ``(C,)`` float64 on the scores of the model, as they are (not
            calibrated): a label is given from its threshold on. Infinite means never.
        calibration: from scores to probabilities, of each class.
        made: how it was made, free-form.
    """

    classes: tuple[str, ...]
    thresholds: np.ndarray
    calibration: Calibration = field(default_factory=Calibration)
    made: dict[str, Any] = field(default_factory=dict)

    def decide(self, scores: Union[np.ndarray, Tensor]) -> np.ndarray:
        """Scores ``(N, C)`` or ``(C,)`` -> decisions of the same shape, bool."""
        return self._array(scores) >= self.thresholds

    def probabilities(self, scores: Union[np.ndarray, Tensor]) -> np.ndarray:
        """Scores ``(N, C)`` or ``(C,)`` -> calibrated probabilities, float64."""
        return self.calibration(self._array(scores))

    def check_classes(self, classes: Sequence[str], owner: str) -> None:
        """Refuse to decide about other labels, or in another order.

        Args:
            classes: names of the model's classes.
            owner: what has them, for the message.

        Raises:
            ValueError: they differ; the difference is shown.
        """
        if tuple(classes) == self.classes:
            return
        missing = [name for name in classes if name not in set(self.classes)]
        unknown = [name for name in self.classes if name not in set(classes)]
        parts = [
            f'{text}: {", ".join(map(repr, names[:_SHOWN]))}'
            + (f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else '')
            for text, names in (
                ('without a threshold', missing),
                (f'not of {owner}', unknown),
            )
            if names
        ]
        raise ValueError(
            f'the decisions file is for {len(self.classes)} other labels than those of '
            f'{owner} ({len(classes)}); '
            + ('; '.join(parts) or 'the names are the same, their order is not')
            + '. Make one with tools/analysis_tools/choose_thresholds.py'
        )

    def to_json(self) -> dict:
        """What is written to the file."""
        return dict(
            format=FORMAT,
            version=VERSION,
            classes=list(self.classes),
            thresholds=[
                t if np.isfinite(t) else None for t in self.thresholds.tolist()
            ],
            calibration=self.calibration.to_json(),
            made=self.made,
        )

    def _array(self, scores: Union[np.ndarray, Tensor]) -> np.ndarray:
        if isinstance(scores, Tensor):
            scores = scores.detach().cpu().float().numpy()
        scores = np.asarray(scores, dtype=np.float64)
        if scores.ndim == 0 or scores.shape[-1] != len(self.classes):
            raise ValueError(
                f'scores of {len(self.classes)} classes are expected, found shape '
                f'{scores.shape}'
            )
        return scores


def load_decisions(path: Union[str, Path]) -> Decisions:
    """Read and check a decisions file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is not one, or an entry of it is wrong; the key is named.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'there is no decisions file {path}. Make one with '
            'tools/analysis_tools/choose_thresholds.py'
        )
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is not JSON: {error}') from error
    try:
        return decisions_from_json(content)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def decisions_from_json(content: Any) -> Decisions:
    """The inverse of :meth:`Decisions.to_json`.

    Raises:
        ValueError: a key is missing or holds something else.
    """
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise ValueError(f"this is no decisions file (format: '{FORMAT}' is missing)")
    if content.get('version') != VERSION:
        raise ValueError(
            f'version {content.get("version")!r} is not known, only {VERSION}'
        )
    classes = content.get('classes')
    if (
        not isinstance(classes, list)
        or not classes
        or not all(isinstance(name, str) for name in classes)
    ):
        raise ValueError('classes must be a list of names')
    if len(set(classes)) < len(classes):
        raise ValueError('classes holds a name twice')
    thresholds = content.get('thresholds')
    if not isinstance(thresholds, list) or len(thresholds) != len(classes):
        raise ValueError(
            f'thresholds must be a list of {len(classes)}, one for each class'
        )
    for name, value in zip(classes, thresholds):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (number and 0 <= value <= 1):
            raise ValueError(
                f'thresholds: {value!r} of {name!r} is neither a number from 0 to 1 '
                'nor null (never)'
            )
    return Decisions(
        tuple(classes),
        np.array([np.inf if t is None else t for t in thresholds], dtype=np.float64),
        calibration_from_json(content.get('calibration'), len(classes)),
        content.get('made') or {},
    )
