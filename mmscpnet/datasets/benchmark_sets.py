"""The benchmarks by name, as ``tools/dataset_converters`` writes them."""

from pathlib import PurePosixPath
from typing import ClassVar, Optional

from mmscpnet.registry import DATASETS

from .class_sets import COCO80, NUS81, VOC20
from .json_dataset import IncompleteMultiLabelDataset


class BenchmarkDataset(IncompleteMultiLabelDataset):
    """A dataset that knows its splits, folders and, where they are fixed, its labels.

    ``dict(type='COCO2014', data_root='data/coco2014', split='train2014')`` is all
    that a config has to say, once ``coco2014.py data/coco2014`` has been run. The
    class names of the file are compared with those known here.

    Args:
        data_root: the folder that was given to the converter.
        split: one of :attr:`SPLITS`.
        ann_file: another file, relative to ``data_root``, such as one with thinned
            labels; ``multilabel/<split>.json`` by default.
        data_prefix: the folder of the photos; that of the official layout by default.
        **kwargs: see :class:`IncompleteMultiLabelDataset`.

    Raises:
        ValueError: there is no such split.
    """

    #: Split and the folder of its photos.
    SPLITS: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        data_root: str,
        split: str,
        ann_file: Optional[str] = None,
        data_prefix: Optional[str] = None,
        **kwargs,
    ) -> None:
        if split not in self.SPLITS:
            raise ValueError(
                f'{type(self).__name__}: split must be one of {list(self.SPLITS)}, '
                f'found {split!r}'
            )
        self.split = split
        super().__init__(
            data_root=data_root,
            ann_file=ann_file or str(PurePosixPath('multilabel', f'{split}.json')),
            data_prefix=self.SPLITS[split] if data_prefix is None else data_prefix,
            **kwargs,
        )


@DATASETS.register_module()
class COCO2014(BenchmarkDataset):
    """COCO 2014, 80 categories; ``coco2014.py``."""

    METAINFO: ClassVar = {'classes': COCO80}
    SPLITS: ClassVar = {'train2014': 'train2014', 'val2014': 'val2014'}


@DATASETS.register_module()
class VOC2007(BenchmarkDataset):
    """PASCAL VOC 2007, 20 categories; ``voc.py --year 2007``."""

    METAINFO: ClassVar = {'classes': VOC20}
    SPLITS: ClassVar = {'trainval': 'JPEGImages', 'test': 'JPEGImages'}


@DATASETS.register_module()
class VOC2012(BenchmarkDataset):
    """PASCAL VOC 2012, 20 categories; ``voc.py --year 2012``."""

    METAINFO: ClassVar = {'classes': VOC20}
    SPLITS: ClassVar = {'train': 'JPEGImages', 'val': 'JPEGImages'}


@DATASETS.register_module()
class NUSWide(BenchmarkDataset):
    """NUS-WIDE, 81 concepts; ``nuswide.py``.

    The photos are in ``images``, named as the list of the crawl names them.
    """

    METAINFO: ClassVar = {'classes': NUS81}
    SPLITS: ClassVar = {'train': 'images', 'test': 'images'}


@DATASETS.register_module()
class CUBAttributes(BenchmarkDataset):
    """CUB-200-2011, 312 attributes; ``cub.py``."""

    SPLITS: ClassVar = {'train': 'images', 'test': 'images'}


@DATASETS.register_module()
class VisualGenome200(BenchmarkDataset):
    """Visual Genome, 200 categories; ``visual_genome.py``."""

    SPLITS: ClassVar = {'train': 'images', 'test': 'images'}


@DATASETS.register_module()
class OpenImages(BenchmarkDataset):
    """Open Images, verified and refuted labels; ``open_images.py``."""

    SPLITS: ClassVar = {'train': 'train', 'validation': 'validation', 'test': 'test'}


@DATASETS.register_module()
class Corel5k(BenchmarkDataset):
    """Corel5k; ``corel5k.py``."""

    SPLITS: ClassVar = {'train': 'images', 'test': 'images'}


@DATASETS.register_module()
class MSRC(BenchmarkDataset):
    """MSRC v2, 23 classes; ``msrc.py``."""

    SPLITS: ClassVar = {'train': 'images', 'test': 'images'}
