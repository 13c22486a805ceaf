"""Finish a training run with a test of its best checkpoint."""

from mmengine.hooks import Hook
from mmengine.logging import MMLogger

from mmscpnet.registry import HOOKS


@HOOKS.register_module()
class TestBestHook(Hook):
    """After training, load the best checkpoint and run the test loop on it.

    The checkpoint was chosen on the validation set (``save_best`` of
    ``CheckpointHook``), so the test set has no part in the choice. Without a best
    checkpoint the final weights are tested.
    """

    priority = 'LOWEST'
    # Not a test case, whatever pytest makes of the name.
    __test__ = False

    def __init__(self) -> None:
        self._trained = False

    def after_train(self, runner) -> None:
        """Remember that this run was a training run."""
        self._trained = True

    def after_run(self, runner) -> None:
        """Test; does nothing after a run that only tested."""
        if not self._trained or runner._test_loop is None:
            return
        self._trained = False
        logger = MMLogger.get_current_instance()
        best = runner.message_hub.runtime_info.get('best_ckpt')
        if best is None:
            logger.warning('There is no best checkpoint: the final weights are tested')
        else:
            logger.info(f'Testing the best checkpoint, {best}')
            runner.load_checkpoint(best)
        # Built only now, if the run had no use for it before.
        runner._test_loop = runner.build_test_loop(runner._test_loop)
        runner.test_loop.run()
