"""Averaged weights, and a validation that looks at both models."""

import logging
import math
from typing import Optional, Union

import torch
from mmengine.dist import all_reduce_params
from mmengine.hooks import EMAHook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapperDict
from torch.distributed.fsdp import FullyShardedDataParallel

from mmscpnet.registry import HOOKS

from ..averaged_model import AveragedState, named_state
from ..sharded_average import ShardedAverage
from .finite_loss_hook import SKIPPED

RULES = {'greater': lambda a, b: a > b, 'less': lambda a, b: a < b}


@HOOKS.register_module()
class ModelEMAHook(EMAHook):
    """Average the whole model; report, and keep, the better of the two.

    As in the released recipe, the average is taken over parameters and buffers
    (BatchNorm statistics too), without warm-up, from the weights with which
    training starts (after ``init_weights`` and after loading), once every
    optimiser step.

    Each validation during training evaluates both models. The metrics become
    those of the better model by ``monitor`` (the average, if equal), plus
    ``<monitor>_ema`` and ``<monitor>_plain``; as this hook comes first, logs,
    ``CheckpointHook(save_best=...)`` and ``EarlyStoppingHook`` see them all.

    In a checkpoint ``meta['state_dict_model']`` says which model ``state_dict``
    holds, ``'ema'`` or ``'plain'``; ``ema_state_dict`` holds the other one. In
    ordinary checkpoints it is ``'ema'`` (mmengine's convention), in the best
    checkpoint it is the better one. Training resumes with both from either.

    Of a model under FullyShardedDataParallel each process averages its own shards;
    checkpoints hold the whole average.

    Outside training the hook does nothing: ``runner.val()`` and
    ``runner.test()`` evaluate the weights that are loaded.

    Args:
        decay (float, optional): Decay of the average at each optimiser step.
        decay_per_epoch (float, optional): Decay over an epoch; that of a step is
            ``decay_per_epoch ** (1 / steps_per_epoch)``, as published (0.82).
            Give this or ``decay``.
        monitor (str): Metric that says which model is better.
        rule (str): ``'greater'`` or ``'less'``.

    Raises:
        ValueError: If not exactly one decay is given, one is out of range, the
            rule is unknown, or the metric is not reported.
    """

    # Before RuntimeInfoHook (VERY_HIGH), which writes the metrics to the log.
    priority = 'HIGHEST'

    def __init__(
        self,
        decay: Optional[float] = None,
        decay_per_epoch: Optional[float] = None,
        monitor: str = 'multi-label/mAP',
        rule: str = 'greater',
    ) -> None:
        if (decay is None) == (decay_per_epoch is None):
            raise ValueError(
                'ModelEMAHook needs exactly one of decay (a step) and '
                f'decay_per_epoch, found decay={decay!r} and '
                f'decay_per_epoch={decay_per_epoch!r}'
            )
        for name, value in [('decay', decay), ('decay_per_epoch', decay_per_epoch)]:
            if value is not None and not 0 < value < 1:
                raise ValueError(f'{name} must be above 0 and below 1, found {value!r}')
        if rule not in RULES:
            raise ValueError(f"rule must be 'greater' or 'less', found {rule!r}")
        self.decay = decay
        self.decay_per_epoch = decay_per_epoch
        self.monitor = monitor
        self.rule = rule
        self.ema_model: Union[AveragedState, ShardedAverage, None] = None
        self._resumed: Optional[dict] = None
        self._forget()

    def _forget(self) -> None:
        # Not what was resumed: FlexibleRunner loads a checkpoint before before_run.
        self._training = False
        self._started = False
        self._better = 'ema'
        self._best_seen: dict[str, str] = {}

    def before_run(self, runner) -> None:
        """Remember the source model; the copy waits until it has its weights."""
        self.src_model = (
            runner.model.module if is_model_wrapper(runner.model) else runner.model
        )
        self._forget()

    def before_train(self, runner) -> None:
        """Copy the model as it is when training starts."""
        self._check_order(runner)
        if isinstance(runner.model, FullyShardedDataParallel):
            self.src_model, kind = runner.model, ShardedAverage
        else:
            kind = AveragedState
        self.ema_model = kind(self.src_model, self._step_decay(runner))
        if self._resumed is not None:
            self.ema_model.load_average(self._resumed['average'])
            self.ema_model.steps.fill_(self._resumed['steps'])
            self._resumed = None
        self._best_seen = _best_so_far(runner)
        self._training = self._started = True
        print_log(
            f'averaging the weights with decay {self.ema_model.decay:.6g} a step',
            logger='current',
        )

    def after_train(self, runner) -> None:
        """From here on the hook leaves evaluation alone."""
        self._training = False

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Update the average if the optimiser has stepped."""
        if runner.message_hub.runtime_info.get(SKIPPED) == runner.iter:
            return
        wrapper = runner.optim_wrapper
        if isinstance(wrapper, OptimWrapperDict) or wrapper.should_update():
            self.ema_model.update_parameters(self.src_model)

    def after_train_epoch(self, runner) -> None:
        """Processes agree on the statistics before a checkpoint is written."""
        self._sync_buffers()

    def before_val_epoch(self, runner) -> None:
        """Put the averaged weights into the model; they are evaluated first."""
        if self._training:
            self._sync_buffers()
            self.ema_model.swap_with(self.src_model)

    def after_val_epoch(self, runner, metrics: Optional[dict] = None) -> None:
        """Evaluate the plain model too and merge the metrics, in place."""
        if not self._training:
            return
        self.ema_model.swap_with(self.src_model)
        plain = self._evaluate_again(runner)
        ema_score, plain_score = self._score(metrics), self._score(plain)
        plain_wins = not math.isnan(plain_score) and (
            math.isnan(ema_score) or RULES[self.rule](plain_score, ema_score)
        )
        self._better = 'plain' if plain_wins else 'ema'
        if plain_wins:
            metrics.clear()
            metrics.update(plain)
        metrics[f'{self.monitor}_ema'] = ema_score
        metrics[f'{self.monitor}_plain'] = plain_score
        print_log(
            f'{self.monitor}: averaged weights {ema_score:.4f}, plain weights '
            f'{plain_score:.4f}; the metrics are those of the {self._better} model',
            logger='current',
        )

    def before_test_epoch(self, runner) -> None:
        """Nothing: the loaded weights are tested as they are."""

    def after_test_epoch(self, runner, metrics: Optional[dict] = None) -> None:
        """Nothing, see :meth:`before_test_epoch`."""

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Write both models; which one is in front depends on the file.

        ``CheckpointHook`` does not say that a file is the best one, but it
        announces a new best score before saving it.
        """
        if self.ema_model is None:
            return
        best = _best_so_far(runner)
        front = self._better if best != self._best_seen else 'ema'
        self._best_seen = best
        live = checkpoint['state_dict']
        average = self.ema_model.whole_state_dict()
        for key, value in live.items():
            if key.endswith('_extra_state'):
                average[f'module.{key}'] = value
        checkpoint['ema_state_dict'] = average
        if front == 'ema':
            self._swap_ema_state_dict(checkpoint)
        checkpoint['meta']['state_dict_model'] = front

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """On resume, load the plain weights and keep the average for later.

        Without resuming, ``state_dict`` is loaded as it is; if training
        follows, the average starts from it.
        """
        # A run that was resumed may still load its best checkpoint, to test it.
        if not runner._resume or self._started:
            return
        if 'ema_state_dict' not in checkpoint:
            print_log(
                'the checkpoint has no ema_state_dict: the average starts from '
                'the resumed weights',
                logger='current',
                level=logging.WARNING,
            )
            return
        # mmengine's own EMAHook writes no such entry and has the average in front
        if checkpoint.get('meta', {}).get('state_dict_model', 'ema') == 'ema':
            self._swap_ema_state_dict(checkpoint)
        saved = checkpoint['ema_state_dict']
        self._resumed = dict(
            steps=int(saved.get('steps', 0)),
            average={
                key[len('module.') :]: value
                for key, value in saved.items()
                if key.startswith('module.') and isinstance(value, torch.Tensor)
            },
        )

    def _step_decay(self, runner) -> float:
        if self.decay is not None:
            return self.decay
        batches = len(runner.train_dataloader)
        # gradient accumulation: an optimiser step takes several batches
        per_step = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        return self.decay_per_epoch ** (per_step / batches)

    def _sync_buffers(self) -> None:
        """Mean of the float buffers over processes; nothing with one process."""
        parameters = {name for name, _ in self.src_model.named_parameters()}
        for state in (self.ema_model.named_averages(), named_state(self.src_model)):
            all_reduce_params(
                [
                    tensor
                    for name, tensor in state
                    if name not in parameters and tensor.is_floating_point()
                ],
                op='mean',
            )

    def _score(self, metrics: dict) -> float:
        if self.monitor not in metrics:
            raise ValueError(
                f'ModelEMAHook.monitor={self.monitor!r} is not among the metrics of '
                f'val_evaluator: {sorted(metrics)}'
            )
        return float(metrics[self.monitor])

    @staticmethod
    def _evaluate_again(runner) -> dict:
        """One more pass of the validation loop, without its epoch hooks."""
        loop = runner.val_loop
        losses = getattr(loop, 'val_loss', None)
        if losses is not None:
            losses.clear()
        runner.model.eval()
        for idx, data_batch in enumerate(loop.dataloader):
            loop.run_iter(idx, data_batch)
        metrics = loop.evaluator.evaluate(len(loop.dataloader.dataset))
        if losses:
            means = {name: buffer.mean() for name, buffer in losses.items()}
            metrics.update(means)
            metrics['val_loss'] = sum(v for k, v in means.items() if 'loss' in k)
        return metrics

    def _check_order(self, runner) -> None:
        for hook in runner.hooks:
            if hook is self:
                return
            if type(hook).__name__ in (
                'RuntimeInfoHook',
                'LoggerHook',
                'CheckpointHook',
                'EarlyStoppingHook',
            ):
                raise ValueError(
                    f'{type(hook).__name__} comes before ModelEMAHook and would miss '
                    'its metrics: leave the priority of ModelEMAHook at HIGHEST'
                )


def _best_so_far(runner) -> dict[str, str]:
    """Best scores and their files, as ``CheckpointHook`` has announced them."""
    return {
        key: str(value)
        for key, value in runner.message_hub.runtime_info.items()
        if key.startswith(('best_ckpt', 'best_score'))
    }
