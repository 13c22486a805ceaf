"""No step on a loss that is not a number, and no checkpoint of what it leaves."""

import math
from typing import Optional

import torch
from mmengine.dist import all_gather_object, all_reduce, is_distributed
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from torch import Tensor, nn

from mmscpnet.registry import HOOKS

from .bare_model import bare_model
from .label_set import find_head

# In the message hub: the last iteration whose step was left out.
SKIPPED = 'skipped_iter'
SHOWN = 12


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop, or leave out a step, when the loss is infinite or not a number.

    - ``action='stop'``: training ends with an error that names the loss term and the
      images of the batch. The figure is the one that the log has fetched anyway, so
      nothing waits for the device. No checkpoint is written after the bad step.
    - ``action='skip'``: the step is left out: weights, averaged weights, optimiser,
      BatchNorm statistics and what losses remember of images (pseudo-labels) stay as
      they were, and the images are named in a warning. All processes leave out the
      same step. It costs a copy of the buffers and of that memory at each step, and
      one wait for the device before the backward pass.

    Either way a checkpoint whose weights are not finite is never written: the run
    stops instead, and the last one stays.

    Args:
        action: ``'stop'`` or ``'skip'``.
        max_skips: how many steps in a row may be left out; one more stops training.

    Raises:
        ValueError: an unknown action, or ``max_skips`` below 1.
        FloatingPointError: in training, as said above.
    """

    # After RuntimeInfoHook, which fetches the losses; before anything is saved.
    priority = 'HIGH'

    def __init__(self, action: str = 'stop', max_skips: int = 10) -> None:
        if action not in ('stop', 'skip'):
            raise ValueError(
                f"FiniteLossHook: action must be 'stop' or 'skip', found {action!r}"
            )
        if max_skips < 1:
            raise ValueError(
                f'FiniteLossHook: max_skips must be at least 1, found {max_skips}'
            )
        self.action = action
        self.max_skips = max_skips
        self._skips_in_a_row = 0

    def before_train(self, runner) -> None:
        """With ``'skip'``, put a check before the backward pass."""
        self._skips_in_a_row = 0
        if self.action == 'skip':
            self._step = runner.optim_wrapper.update_params
            runner.optim_wrapper.update_params = self._step_if_finite
            self._runner = runner

    def after_train(self, runner) -> None:
        """Take the check away again."""
        if self.action == 'skip':
            del runner.optim_wrapper.update_params

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """With ``'skip'``, remember what the forward pass will change."""
        if self.action == 'skip':
            self._memory = remember(bare_model(runner.model))

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: Optional[dict] = None
    ) -> None:
        """Look at the loss of this step.

        Raises:
            FloatingPointError: it is not finite.
        """
        # RuntimeInfoHook has made it a number of Python's.
        loss = runner.message_hub.get_scalar('train/loss').current()
        skipped = runner.message_hub.runtime_info.get(SKIPPED) == runner.iter
        if math.isfinite(loss) and not skipped:
            self._skips_in_a_row = 0
            return
        # Heads of this package log the loss of all processes: all of them are here.
        together = skipped or find_head(bare_model(runner.model)) is not None
        message = describe_step(runner, data_batch, outputs, together)
        if not skipped:
            raise FloatingPointError(
                f'{message}. Training stops; checkpoints written before are good, and '
                '--resume goes on from the last one. A lower learning rate or '
                'gradient clipping (optim_wrapper.clip_grad) may help, or '
                'default_hooks.finite_loss.action=skip leaves such steps out'
            )
        self._skips_in_a_row += 1
        if self._skips_in_a_row > self.max_skips:
            raise FloatingPointError(
                f'{message}. {self.max_skips} steps before it were left out already '
                '(finite_loss.max_skips): training stops. Checkpoints written before '
                'are good'
            )
        MMLogger.get_current_instance().warning(f'{message}. The step is left out')

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Refuse to save weights that are not finite.

        Raises:
            FloatingPointError: some are not.
        """
        parameters = {name for name, _ in bare_model(runner.model).named_parameters()}
        bad = []
        for part in ('state_dict', 'ema_state_dict'):
            for key, value in checkpoint.get(part, {}).items():
                name = key.removeprefix('module.')
                if not isinstance(value, Tensor) or not value.is_floating_point():
                    continue
                if name.endswith('_extra_state'):
                    # What a loss remembers of images has NaN where there is nothing.
                    continue
                # Buffers may be infinite, as attention masks are.
                wrong = ~value.isfinite() if name in parameters else value.isnan()
                if wrong.any():
                    bad.append(f'{part}.{key}')
        if bad:
            raise FloatingPointError(
                f'{len(bad)} tensors of the model are not finite after iteration '
                f'{runner.iter + 1}, such as {", ".join(bad[:3])}. No checkpoint is '
                'written; those written before are good. A lower learning rate or '
                'gradient clipping (optim_wrapper.clip_grad) may help'
            )

    def _step_if_finite(self, loss: Tensor, *args, **kwargs) -> None:
        finite = torch.isfinite(loss.detach()).all().float()
        if is_distributed():
            all_reduce(finite, 'min')
        if finite:
            self._step(loss, *args, **kwargs)
            return
        restore(bare_model(self._runner.model), self._memory)
        hub = self._runner.message_hub
        hub.update_info(SKIPPED, self._runner.iter, resumed=False)


def remember(model: nn.Module) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Copies of what a forward pass in training may change: buffers, extra state."""
    buffers = [buffer.clone() for buffer in model.buffers()]
    extra = {
        name: module.get_extra_state().clone()
        for name, module in model.named_modules()
        if type(module).get_extra_state is not nn.Module.get_extra_state
    }
    return buffers, extra


@torch.no_grad()
def restore(model: nn.Module, memory: tuple[list[Tensor], dict[str, Tensor]]) -> None:
    """Put back what :func:`remember` has copied."""
    buffers, extra = memory
    for buffer, copy in zip(model.buffers(), buffers):
        buffer.copy_(copy)
    modules = dict(model.named_modules())
    for name, state in extra.items():
        if not torch.equal(modules[name].get_extra_state(), state):
            modules[name].set_extra_state(state)


def describe_step(
    runner, data_batch, outputs: Optional[dict], together: bool = False
) -> str:
    """Which loss terms are not finite, and of which images.

    Args:
        runner (Runner): The runner.
        data_batch (dict): Of this process.
        outputs (dict, optional): Losses of the step.
        together (bool): Whether each process calls this, so that the images of all
            can be named.
    """
    terms = {
        name: value.item() if isinstance(value, Tensor) else value
        for name, value in (outputs or {}).items()
        if 'loss' in name
    }
    terms = {name: value for name, value in terms.items() if not math.isfinite(value)}
    # The total comes first; it says nothing that its terms do not.
    if len(terms) > 1:
        terms.pop('loss', None)
    losses = ', '.join(f'{name} is {value}' for name, value in terms.items())
    if not losses:
        losses = 'the loss of another process is not finite'
    where = f'epoch {runner.epoch + 1}, iteration {runner.iter + 1}'
    images = _images(data_batch)
    if together and is_distributed():
        parts = enumerate(all_gather_object(images))
        images = '; '.join(f'of process {rank}: {part}' for rank, part in parts)
    return f'{losses} in {where}, images {images}'


def _images(data_batch) -> str:
    if not isinstance(data_batch, dict) or 'data_samples' not in data_batch:
        return 'not known'
    samples = data_batch['data_samples']
    names = [f'{s.get("sample_idx")} ({s.get("img_path")})' for s in samples]
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    text = ', '.join(names[:SHOWN]) + more
    inputs = data_batch.get('inputs')
    views = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    bad = set()
    for view in views:
        if isinstance(view, Tensor) and len(view) == len(samples):
            finite = view.float().flatten(1).isfinite().all(dim=1)
            bad.update((~finite).nonzero().flatten().tolist())
    if bad:
        text += '; not finite already as input: '
        text += ', '.join(names[i] for i in sorted(bad)[:SHOWN])
    return text
