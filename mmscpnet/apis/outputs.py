"""Results of inference: as plain values and as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np
from mmpretrain.structures import DataSample
from PIL import Image

from mmscpnet.visualization.prediction import draw_prediction

from .inputs import Item
from .rules import DecisionRule


def scores_of(sample: DataSample) -> np.ndarray:
    """Scores ``(C,)`` float32 of a sample."""
    return sample.pred_score.detach().float().cpu().numpy()


def decisions_of(sample: DataSample) -> np.ndarray:
    """Decisions ``(C,)`` bool of a sample."""
    decisions = np.zeros(len(sample.pred_score), dtype=bool)
    decisions[sample.pred_label.cpu().numpy()] = True
    return decisions


def as_dict(
    item: Item, sample: DataSample, classes: Sequence[str], rule: DecisionRule
) -> dict:
    """A result as :meth:`MultiLabelInferencer.stream` gives it."""
    scores, decisions = scores_of(sample), decisions_of(sample)
    order = [i for i in np.argsort(-scores, kind='stable') if decisions[i]]
    result = dict(
        img_path=item.path,
        labels=[classes[i] for i in order],
        scores=scores,
        decisions=decisions,
        error=None,
    )
    probabilities = rule.probabilities(scores[None])
    if probabilities is not None:
        result['probabilities'] = probabilities[0]
    return result


def draw_result(
    item: Item,
    photo: Image.Image,
    sample: DataSample,
    classes: Sequence[str],
    folder: Path,
    known: Optional[np.ndarray] = None,
) -> Path:
    """Draw a photo with its labels; ``known`` see :func:`draw_prediction`.

    The picture of a photo of a folder has its path within it; others have their number
    in front, as their paths may be anywhere and their names alike.
    """
    name = f'{item.index:06d}'
    if item.path is not None:
        inside = Path(item.name)
        alone = item.name == item.path or '..' in inside.parts
        name = f'{name}_{inside.name}' if alone else item.name
    return draw_prediction(
        photo,
        classes,
        scores_of(sample),
        decisions_of(sample),
        folder / f'{name}.png',
        title=item.name,
        known=known,
    )


def check_picture_folder(folder: Union[str, Path], overwrite: bool) -> Path:
    """Refuse a folder that holds files.

    Raises:
        ValueError: it does, and ``overwrite`` is not said; or it is a file.
    """
    folder = Path(folder)
    if folder.is_file():
        raise ValueError(f'show_dir: {folder} is a file, a folder is wanted')
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise ValueError(
            f'show_dir: {folder} holds files. Take another folder, or overwrite=True'
        )
    return folder
