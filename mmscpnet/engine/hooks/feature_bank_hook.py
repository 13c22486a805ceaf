"""Train a head on features that the frozen image encoder computes once."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmscpnet.feature_bank import BankSettings, draw_from_bank, read_whole_batches
from mmscpnet.registry import HOOKS

from .label_check_hook import built_dataset


@HOOKS.register_module()
class FeatureBankHook(Hook):
    """Replace photos by features of the frozen image encoder (the paper's SCPNet*).

    Before training, validation or testing, the features of every view of every photo
    are computed, or read from a bank on disk that was computed before, and the
    pipelines of the datasets then draw from the bank. Nothing else in a config
    changes. Wants ``model.frozen_backbone=True``.

    Args:
        root: folder that holds the banks.
        num_draws: V, how many times each kind of training view is drawn; validation
            and test views are drawn once.
        dtype: of the stored features, ``'float16'`` or ``'float32'``.
        seed: of the augmentation.
        num_workers: processes that read and augment photos.
        batch_size: photos a step of the extraction.
    """

    # After the checks, and after the EMA hook has seen the loaded weights.
    priority = 'LOW'

    def __init__(
        self,
        root: str = 'data/feature_banks',
        num_draws: int = 8,
        dtype: str = 'float16',
        seed: int = 0,
        num_workers: int = 2,
        batch_size: int = 16,
    ) -> None:
        if dtype not in ('float16', 'float32'):
            raise ValueError(
                f'FeatureBankHook: dtype must be float16 or float32, found {dtype!r}'
            )
        if num_draws < 1:
            raise ValueError(
                f'FeatureBankHook: num_draws must be at least 1, found {num_draws}'
            )
        self.settings = BankSettings(
            root, num_draws, dtype, seed, num_workers, batch_size
        )

    def before_run(self, runner) -> None:
        """Refuse a model whose features would change in training."""
        model = self._model(runner)
        if not getattr(model, 'frozen_backbone', False):
            raise ValueError(
                'FeatureBankHook needs model.frozen_backbone=True: features of an '
                'encoder that is being trained cannot be kept'
            )

    def before_train(self, runner) -> None:
        """Prepare the training and the validation set."""
        for name in ('train', 'val'):
            self._replace(runner, name)

    def before_val(self, runner) -> None:
        """Prepare the validation set (when only validating)."""
        self._replace(runner, 'val')

    def before_test(self, runner) -> None:
        """Prepare the test set."""
        self._replace(runner, 'test')

    @staticmethod
    def _model(runner):
        return runner.model.module if is_model_wrapper(runner.model) else runner.model

    def _replace(self, runner, name: str) -> None:
        dataset = built_dataset(runner, name)
        if dataset is None:
            return
        settings = self.settings
        if name != 'train':
            settings = settings._replace(num_draws=1)
        draw_from_bank(self._model(runner), dataset, settings, name)
        read_whole_batches(getattr(runner, f'_{name}_loop').dataloader)
