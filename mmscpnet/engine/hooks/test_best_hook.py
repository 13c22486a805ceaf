"""Finish a training run with a test of its best checkpoint."""

import os
from contextlib import contextmanager
from typing import Optional

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from torch import Tensor

from mmscpnet.evaluation import SaveScores
from mmscpnet.evaluation.results_file import write_results
from mmscpnet.registry import HOOKS

from ..averaged_model import named_state
from .bare_model import bare_model
from .model_ema_hook import ModelEMAHook


@HOOKS.register_module()
class TestBestHook(Hook):
    """After training, load the best checkpoint and run the test loop on it.

    The checkpoint was chosen on the validation set (``save_best`` of
    ``CheckpointHook``), so the test set has no part in the choice. Without a best
    checkpoint the final weights are tested.

    Args:
        report_dir: for benchmarks. If given, the averaged and the plain weights of
            both the last epoch and the best checkpoint are tested, and the folder
            receives ``test.json``, metrics under ``chosen``, ``best_ema``,
            ``best_plain``, ``last_ema`` and ``last_plain``, and ``test_scores.npz``,
            the scores of the chosen model (see :class:`SaveScores`). Without
            ``ModelEMAHook`` there are no averaged weights, and no figures of them.
    """

    priority = 'LOWEST'
    # Not a test case, whatever pytest makes of the name.
    __test__ = False

    def __init__(self, report_dir: Optional[str] = None) -> None:
        self.report_dir = report_dir
        self._trained = False

    def after_train(self, runner) -> None:
        """Remember that this run was a training run."""
        self._trained = True

    def after_run(self, runner) -> None:
        """Test; does nothing after a run that only tested."""
        if not self._trained or runner._test_loop is None:
            return
        self._trained = False
        # Built only now, if the run had no use for it before.
        runner._test_loop = runner.build_test_loop(runner._test_loop)
        last = {} if self.report_dir is None else _last_weights(runner)
        logger = MMLogger.get_current_instance()
        best = runner.message_hub.runtime_info.get('best_ckpt')
        if best is None:
            logger.warning('There is no best checkpoint: the final weights are tested')
            checkpoint = {}
        else:
            logger.info(f'Testing the best checkpoint, {best}')
            checkpoint = runner.load_checkpoint(best)
        if self.report_dir is None:
            runner.test_loop.run()
            return
        save = SaveScores(os.path.join(self.report_dir, 'test_scores.npz'))
        save.dataset_meta = runner.test_loop.dataloader.dataset.metainfo
        runner.test_loop.evaluator.metrics.append(save)
        report = dict(chosen=dict(runner.test_loop.run()))
        runner.test_loop.evaluator.metrics.remove(save)
        report.update(_test_best(runner, checkpoint, report))
        for name, weights in last.items():
            report[name] = _evaluate(runner, weights)
        if is_main_process():
            path = write_results(os.path.join(self.report_dir, 'test.json'), report)
            logger.info(f'test results of all weights are in {path}')


def _last_weights(runner) -> dict[str, dict[str, Tensor]]:
    """Plain and averaged weights as training left them."""
    weights = dict(last_plain=runner.model)
    for hook in runner.hooks:
        if isinstance(hook, ModelEMAHook) and hook.ema_model is not None:
            weights['last_ema'] = hook.ema_model.module
    return {
        name: {key: value.clone() for key, value in named_state(bare_model(model))}
        for name, model in weights.items()
    }


def _test_best(runner, checkpoint: dict, report: dict) -> dict[str, dict]:
    """Both models of the best checkpoint; that in front is tested already."""
    if not checkpoint:
        return {}
    meta = checkpoint['meta']
    front = meta.get('state_dict_model', 'plain')
    result = {f'best_{front}': report['chosen'], 'best_model': front}
    result['best_epoch'] = meta.get('epoch')
    other = {
        key[len('module.') :]: value
        for key, value in checkpoint.get('ema_state_dict', {}).items()
        if key.startswith('module.') and isinstance(value, Tensor)
    }
    if other:
        name = 'best_plain' if front == 'ema' else 'best_ema'
        result[name] = _evaluate(runner, other)
    return result


@torch.no_grad()
def _evaluate(runner, weights: dict[str, Tensor]) -> dict:
    """The test loop on other weights, without its hooks and files."""
    loop = runner.test_loop
    # What is frozen may be left out; extra state is no weight.
    for name, value in named_state(bare_model(runner.model)):
        if name in weights:
            value.copy_(weights[name])
    runner.model.eval()
    with _no_tables(loop.evaluator.metrics):
        for idx, data_batch in enumerate(loop.dataloader):
            loop.run_iter(idx, data_batch)
        return dict(loop.evaluator.evaluate(len(loop.dataloader.dataset)))


@contextmanager
def _no_tables(metrics):
    """Let metrics return their figures without the table of classes."""
    kept = [(m, m.per_class_table) for m in metrics if hasattr(m, 'per_class_table')]
    for metric, _ in kept:
        metric.per_class_table = False
    try:
        yield
    finally:
        for metric, table in kept:
            metric.per_class_table = table
