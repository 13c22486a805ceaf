"""Before hours of training: do model, labels and files fit together?"""

from typing import Optional

from mmengine.fileio import get_file_backend
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from torch.utils.data import Dataset

from mmscpnet.datasets import ThreeStateDataset, count_samples, innermost_datasets
from mmscpnet.datasets.class_names import describe_difference
from mmscpnet.datasets.observed import label_info
from mmscpnet.models.heads import IncompleteLabelHead
from mmscpnet.models.losses import IncompleteLabelLoss, PerImageLoss
from mmscpnet.registry import HOOKS

from .bare_model import bare_model
from .label_set import check_labels, describe_labels, drop_labels, find_head


@HOOKS.register_module()
class LabelCheckHook(Hook):
    """Compare model and data before the first iteration, and size per-image state.

    - The class names of every dataset must be those of the head, in that order.
    - Every photo must exist (local files only).
    - A loss that does not understand unknown labels must not be given any.
    - PESSL and losses that remember images learn how many there are.
    - A checkpoint says which labels and label graph it is for
      (``meta['labels']``). One for other labels is refused when it is loaded, to
      train, resume or test; another graph is named in a warning.

    Args:
        check_files: whether to look for every photo.
        num_peek: how many images, spread over the training set, are looked at for
            unknown labels.
        allow_other_labels: whether weights may come from a checkpoint for other
            labels (``load_from``). What depends on its labels is left out, and named
            in the log; a run cannot be resumed that way.
    """

    priority = 'VERY_HIGH'

    def __init__(
        self,
        check_files: bool = True,
        num_peek: int = 64,
        allow_other_labels: bool = False,
    ) -> None:
        self.check_files = check_files
        self.num_peek = num_peek
        self.allow_other_labels = allow_other_labels

    def before_run(self, runner) -> None:
        """Check what is about to run."""
        model = bare_model(runner.model)
        head = getattr(model, 'head', None)
        for name in ('train', 'val', 'test'):
            dataset = built_dataset(runner, name)
            if dataset is None:
                continue
            if isinstance(head, IncompleteLabelHead):
                check_classes(head.classes, dataset, f'{name}_dataloader.dataset')
            if self.check_files:
                check_files(dataset, f'{name}_dataloader.dataset')
            if name == 'train' and isinstance(head, IncompleteLabelHead):
                check_loss(head, dataset, self.num_peek)
                if head.pessl is not None:
                    head.pessl.set_num_samples(count_samples(dataset))
                if isinstance(head.loss_module, PerImageLoss):
                    head.loss_module.set_num_samples(
                        count_samples(dataset), head.num_classes
                    )

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Say in the checkpoint which labels it is for."""
        head = find_head(bare_model(runner.model))
        if head is not None:
            checkpoint['meta']['labels'] = describe_labels(head)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Refuse a checkpoint for other labels, or take what does not depend on them.

        Raises:
            ValueError: the labels differ, and that is not allowed.
        """
        head = find_head(bare_model(runner.model))
        if head is None:
            return
        if not self.allow_other_labels or runner._resume:
            check_labels(head, checkpoint)
            return
        dropped = drop_labels(head, checkpoint)
        if dropped:
            MMLogger.get_current_instance().warning(
                'The checkpoint is for other labels. What depends on them starts '
                f'anew: {", ".join(dropped)}'
            )


def built_dataset(runner, name: str) -> Optional[Dataset]:
    """Dataset of a loop that the runner has built; None if it has not."""
    loop = getattr(runner, f'_{name}_loop')
    dataloader = getattr(loop, 'dataloader', None)
    return getattr(dataloader, 'dataset', None)


def check_classes(classes: list[str], dataset: Dataset, key: str) -> None:
    """Refuse a dataset whose class names are not those of the head."""
    found = dataset.metainfo.get('classes')
    if found is None:
        raise ValueError(f'{key} names no classes, the head has {len(classes)}')
    if list(found) != list(classes):
        raise ValueError(
            f'{key} and model.head.classes differ: '
            + describe_difference(list(found), list(classes))
        )


def check_files(dataset: Dataset, key: str) -> None:
    """Refuse a dataset whose photos are not there."""
    missing, total = [], 0
    for inner in innermost_datasets(dataset):
        if not isinstance(inner, ThreeStateDataset):
            continue
        backend = get_file_backend(inner.img_prefix)
        if type(backend).__name__ != 'LocalBackend':
            continue
        total += len(inner)
        paths = (inner.get_data_info(i)['img_path'] for i in range(len(inner)))
        missing += [path for path in paths if not backend.exists(path)]
    if missing:
        raise FileNotFoundError(
            f'{key}: {len(missing)} of {total} photos are missing, the first: '
            f'{missing[:3]}. Check data_root and data_prefix'
        )


def check_loss(head: IncompleteLabelHead, dataset: Dataset, num_peek: int) -> None:
    """Refuse to give unknown labels to a loss that would take -1 for a number."""
    if isinstance(head.loss_module, IncompleteLabelLoss):
        return
    for inner in innermost_datasets(dataset):
        for idx in range(0, len(inner), max(1, len(inner) // num_peek)):
            info = label_info(inner, idx)
            if (info['gt_score'] == -1).any():
                raise ValueError(
                    f'model.head.loss is {type(head.loss_module).__name__}, which does '
                    f'not understand unknown labels (-1), but {info["img_path"]} has '
                    'some. Use a loss of mmscpnet.models.losses, for example '
                    "loss=dict(type='AssumeNegativeLoss')"
                )
