"""The scenes of the demonstration as a dataset that draws itself."""

from mmscpnet.registry import DATASETS

from .demo_scenes import ensure_demo_scenes
from .json_dataset import IncompleteMultiLabelDataset


@DATASETS.register_module()
class DemoScenes(IncompleteMultiLabelDataset):
    """Scenes composed of OpenMoji drawings; they are drawn on first use.

    A demonstration, not a benchmark: it shows that the whole of mmscpnet runs.

    Args:
        data_root: folder of the scenes, written whole if it is not there.
        split: ``'train'`` or ``'test'``.
        num_train: scenes for training.
        num_test: scenes for testing.
        **kwargs: see :class:`IncompleteMultiLabelDataset`.
    """

    def __init__(
        self,
        data_root: str,
        split: str,
        num_train: int = 2000,
        num_test: int = 500,
        **kwargs,
    ) -> None:
        if split not in ('train', 'test'):
            raise ValueError(
                f"DemoScenes: split must be 'train' or 'test', found {split!r}"
            )
        ensure_demo_scenes(data_root, num_train, num_test)
        super().__init__(ann_file=f'{split}.json', data_root=data_root, **kwargs)
