"""Training by epochs that goes on after an interruption as if there had been none."""

import logging
from typing import Union

from mmengine.dist import get_rank
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader

from mmscpnet.registry import LOOPS
from mmscpnet.utils.random_keys import seed_by_key

from .keyed_batches import key_batches

# In the message hub, and so in checkpoints: the last epoch that was validated.
VALIDATED = 'validated_epoch'


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop``, resumed to the bit, also within an epoch.

    What it adds:

    - The random numbers of a sample (augmentation) depend on the seed, the epoch and
      its index alone; those of a training step (dropout) on the seed and the
      iteration. The number of workers, and what ran before, make no difference.
    - A checkpoint from the middle of an epoch
      (``CheckpointHook(by_epoch=False, interval=...)``) is resumed with the rest of
      that epoch's batches; mmengine's loop begins the epoch again.
    - An epoch whose validation was cut off is validated first.
    - The order of the samples follows the seed of the checkpoint.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): With batches of a fixed size.
        **kwargs: ``max_epochs``, ``val_interval`` ..., as in mmengine.

    Raises:
        ValueError: If the batches are not of a fixed size, or a checkpoint is resumed
            whose iteration does not belong to its epoch.
    """

    def __init__(self, runner, dataloader: Union[DataLoader, dict], **kwargs) -> None:
        super().__init__(runner, dataloader, **kwargs)
        self._keyed = key_batches(self.dataloader)
        self._built_seed = runner.seed
        self._skip = 0

    def run(self):
        """Launch training, or go on with it."""
        self._skip = self._batches_done()
        self._follow_seed()
        resumed_between_epochs = self._epoch > 0 and self._skip == 0
        self.runner.call_hook('before_train')
        if resumed_between_epochs and self._validated() != self._epoch:
            self._validate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate()
        self.runner.call_hook('after_train')
        return self.runner.model

    def run_epoch(self) -> None:
        """Iterate over an epoch, or what is left of it."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        first, self._skip = self._skip, 0
        batch_size = self.dataloader.batch_sampler.batch_size
        self._keyed.begin(self.runner.seed, self._epoch, first * batch_size)
        if first < len(self.dataloader):
            for idx, data_batch in enumerate(self.dataloader, start=first):
                self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def run_iter(self, idx: int, data_batch) -> None:
        """Iterate one batch, with the random numbers of this iteration."""
        seed_by_key(self.runner.seed, self._iter, get_rank())
        super().run_iter(idx, data_batch)

    def _validated(self):
        return self.runner.message_hub.runtime_info.get(VALIDATED)

    def _validate(self) -> None:
        """Validate if it is time, and remember it."""
        self._decide_current_val_interval()
        if (
            self.runner.val_loop is None
            or self._epoch < self.val_begin
            or (self._epoch % self.val_interval and self._epoch != self._max_epochs)
        ):
            return
        # Before: a checkpoint that the validation writes knows of it.
        self.runner.message_hub.update_info(VALIDATED, self._epoch)
        self.runner.val_loop.run()

    def _batches_done(self) -> int:
        """Batches of the present epoch that came before the checkpoint."""
        if not self._iter:
            return 0
        length = len(self.dataloader)
        # Of the former run, until before_train replaces it.
        info = self.runner.message_hub.runtime_info
        former = info.get('max_iters', 0) // max(info.get('max_epochs', 1), 1)
        if former not in (0, length):
            print_log(
                f'The checkpoint comes from a run with {former} iterations an epoch, '
                f'here it takes {length} (another batch size, data set or number of '
                'processes): training goes on, but not as that run would have. Epoch '
                f'{self._epoch + 1} starts with its first batch.',
                logger='current',
                level=logging.WARNING,
            )
            return 0
        done = self._iter - self._epoch * length
        if not 0 <= done <= length:
            raise ValueError(
                f'The checkpoint cannot be resumed: iteration {self._iter} is not in '
                f'epoch {self._epoch + 1} of {length} iterations each. Start from its '
                'weights with load_from instead.'
            )
        return done

    def _follow_seed(self) -> None:
        """A resumed run has the seed of its checkpoint; so must its sampler."""
        sampler = self._keyed.sampler
        if getattr(sampler, 'seed', None) == self._built_seed:
            sampler.seed = self.runner.seed
