"""Annotations as a list file, a line an image."""

from mmengine.fileio import get_file_backend

from mmscpnet.registry import DATASETS

from .base import ThreeStateDataset
from .label_list import read_label_list


@DATASETS.register_module()
class MultiLabelListDataset(ThreeStateDataset):
    """Images and labels from a list file such as SPLC and SCPNet distribute.

    A line is ``name.jpg,3 17``: the image, relative to ``data_prefix``, and its
    positive labels, 0-based. A list that has been thinned to single positives wants
    ``unlisted='unknown'``.

    Args:
        ann_file: the list.
        **kwargs: see :class:`ThreeStateDataset`; ``classes`` must be given, a list
            does not name them.
    """

    def load_annotations(self) -> list[dict]:
        """Read the list."""
        backend = get_file_backend(self.img_prefix)
        return [
            dict(
                img_path=backend.join_path(self.img_prefix, entry.image),
                gt_label=entry.positives,
                line=entry.line,
            )
            for entry in read_label_list(self.ann_file)
        ]

    def _check_labels(self, info: dict) -> None:
        line = info.pop('line')
        super()._check_labels({**info, 'where': f'line {line} ({info["img_path"]})'})
