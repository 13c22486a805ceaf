"""An annotation file of ours, read whole: JSON or list."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Union

from ..base import UNLISTED
from ..json_dataset import IncompleteMultiLabelDataset
from ..list_dataset import MultiLabelListDataset
from ..protocols import LabelTable


class LabelFile(NamedTuple):
    """Class names, what unlisted labels are, and the labels of all images."""

    classes: list[str]
    unlisted: str
    table: LabelTable


def read_label_file(
    path: Union[str, Path], classes: Union[str, Sequence[str], None] = None
) -> LabelFile:
    """Read OpenMMLab's JSON, or a list file of completely labelled images.

    Args:
        path: the file; a list is one whose name does not end with ``.json``.
        classes: names, file of names or known set; a list needs them.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: what the datasets of these formats refuse; file and line are named.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no annotation file at {path}')
    is_json = path.suffix == '.json'
    if not is_json and classes is None:
        raise ValueError(
            f'{path}: a list does not name its classes; give --classes a file with one '
            'name a line, or the name of a known set'
        )
    kind = IncompleteMultiLabelDataset if is_json else MultiLabelListDataset
    dataset = kind(ann_file=str(path), classes=classes, pipeline=[], lazy_init=True)
    rows = dataset.load_data_list()
    table = LabelTable(
        ((row['gt_label'], row.get('negative_label', ())) for row in rows),
        len(dataset.CLASSES),
        UNLISTED[dataset.unlisted],
        [row['img_path'] for row in rows],
    )
    return LabelFile(list(dataset.CLASSES), dataset.unlisted, table)
