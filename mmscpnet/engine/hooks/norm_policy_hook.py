"""Hold BatchNorm statistics still at the start of training."""

from typing import Optional

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch.nn.modules.batchnorm import _BatchNorm

from mmscpnet.registry import HOOKS

from .epoch_utils import check_epoch_length, current_epoch, validate_epoch_length


@HOOKS.register_module()
class FrozenNormHook(Hook):
    """BatchNorm layers use and keep their stored statistics for some epochs.

    In the released code the BatchNorm layers of CLIP's ResNet are in
    evaluation mode during the first epoch and in training mode afterwards. In
    evaluation mode their scale and shift still learn. Layers that something
    else (a frozen backbone) keeps in evaluation mode stay there: this hook only
    ever switches to evaluation mode, and the training loop's ``model.train()``
    switches back, by the model's own rules.

    Args:
        epochs (int): How many epochs, from the first on. Defaults to 1.
        epoch_length (int, optional): Iterations that count as an epoch. Needed
            with an ``IterBasedTrainLoop``; not used with an epoch-based loop.

    Raises:
        ValueError: If ``epochs`` is negative, or at the start of training if
            ``epoch_length`` is missing.
    """

    def __init__(self, epochs: int = 1, epoch_length: Optional[int] = None) -> None:
        if not isinstance(epochs, int) or epochs < 0:
            raise ValueError(f'epochs must be a whole number >= 0, found {epochs!r}')
        self.epochs = epochs
        self.epoch_length = validate_epoch_length(epoch_length)

    def before_train(self, runner) -> None:
        """Check the options."""
        check_epoch_length(self, runner, self.epoch_length)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Switch the layers; later than ``model.train()`` of the loop."""
        if current_epoch(runner, self.epoch_length) >= self.epochs:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
