"""Annotations in OpenMMLab's JSON format, with unknown labels."""

from mmpretrain.datasets import MultiLabelDataset

from mmscpnet.registry import DATASETS

from .base import ThreeStateDataset
from .class_names import describe_difference


@DATASETS.register_module()
class IncompleteMultiLabelDataset(ThreeStateDataset, MultiLabelDataset):
    """Multi-label JSON of OpenMMLab 2.0, whose labels may be incomplete.

    .. code-block:: none

        {"metainfo": {"classes": ["cat", "dog", ...], "unlisted": "unknown"},
         "data_list": [{"img_path": "a.jpg", "gt_label": [0],
                        "negative_label": [1]}, ...]}

    ``negative_label`` (known negatives) and ``metainfo.unlisted`` (``negative``, the
    default, or ``unknown``) are optional, so files for mmpretrain's
    ``MultiLabelDataset`` are read as they are.

    Args:
        ann_file: the JSON file.
        unlisted: see :class:`ThreeStateDataset`.
        **kwargs: see mmpretrain's ``MultiLabelDataset``.
    """

    def load_annotations(self) -> list[dict]:
        """Read the file through mmengine's ``BaseDataset``."""
        # Label indices count in the classes of the file, so these must be the same.
        given = self._metainfo.pop('classes', None)
        data_list = super(ThreeStateDataset, self).load_data_list()
        stored = self._metainfo.get('classes')
        if given is not None and stored is not None and list(given) != list(stored):
            raise ValueError(
                f'{self.ann_file} and the classes of the config differ: '
                + describe_difference(list(stored), list(given))
            )
        if given is not None:
            self._metainfo['classes'] = given
        for position, info in enumerate(data_list):
            for key in ('gt_label', 'negative_label'):
                labels = info.get(key, [])
                if not isinstance(labels, list) or not all(
                    isinstance(label, int) for label in labels
                ):
                    raise ValueError(
                        f'{self.ann_file}, data_list[{position}]: {key} must be a list '
                        f'of label indices, found {labels!r}'
                    )
            info.setdefault('gt_label', [])
            info['where'] = f'data_list[{position}]'
        return data_list

    def get_data_info(self, idx: int) -> dict:
        """See :class:`ThreeStateDataset`."""
        info = super().get_data_info(idx)
        info.pop('where', None)
        return info
