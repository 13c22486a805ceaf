"""Tell the modules of the model which epoch it is."""

from typing import Optional

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmscpnet.registry import HOOKS

from .epoch_utils import check_epoch_length, current_epoch, validate_epoch_length


@HOOKS.register_module()
class SetEpochHook(Hook):
    """Call ``set_epoch(epoch)`` of every module that has it, each epoch.

    The epoch is 0-based. SPLC corrects labels from its ``change_epoch`` on, so
    a resumed run must be told the true epoch: it is, before its first
    iteration.

    Args:
        epoch_length (int, optional): Iterations that count as an epoch. Needed
            with an ``IterBasedTrainLoop``, which has none; not used with an
            epoch-based loop.

    Raises:
        ValueError: At the start of training, if ``epoch_length`` is missing.
    """

    priority = 'ABOVE_NORMAL'

    def __init__(self, epoch_length: Optional[int] = None) -> None:
        self.epoch_length = validate_epoch_length(epoch_length)
        self._told: Optional[int] = None

    def before_train(self, runner) -> None:
        """Check the options; forget what an earlier run was told."""
        check_epoch_length(self, runner, self.epoch_length)
        self._told = None

    def before_train_epoch(self, runner) -> None:
        """Tell the model, as soon as the epoch begins."""
        self._tell(runner)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Tell the model where epochs begin within an iteration-based loop."""
        self._tell(runner)

    def _tell(self, runner) -> None:
        epoch = current_epoch(runner, self.epoch_length)
        if epoch == self._told:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        for module in model.modules():
            if callable(getattr(module, 'set_epoch', None)):
                module.set_epoch(epoch)
        self._told = epoch
