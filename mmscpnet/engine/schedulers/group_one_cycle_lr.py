"""One-cycle learning rate and momentum with a maximum of its own per group."""

import logging
from collections.abc import Sequence
from typing import Optional, Union

from mmengine.logging import print_log
from mmengine.optim import _ParamScheduler
from torch.optim import Optimizer

from mmscpnet.registry import PARAM_SCHEDULERS

from .one_cycle import one_cycle_value

INF = int(1e9)  # mmengine's "no end"


@PARAM_SCHEDULERS.register_module()
class GroupOneCycleLR(_ParamScheduler):
    r"""The 1cycle policy for optimisers with several parameter groups.

    Step by step equal to :class:`torch.optim.lr_scheduler.OneCycleLR`, for
    every group and for the momentum too: the learning rate goes from
    ``max / div_factor`` to ``max`` during the first ``pct_start`` of the steps
    and then down to ``max / div_factor / final_div_factor``; the momentum
    (SGD's ``momentum``, Adam's beta1) goes from ``max_momentum`` to
    ``base_momentum`` and back. What differs from mmengine's ``OneCycleLR``:
    each group keeps a maximum of its own (hence ``lr_mult`` and
    ``auto_scale_lr`` are respected), the momentum cycles, and the schedule may
    be longer than the run (the released recipes run 60 epochs of an 80-epoch
    schedule).

    The length is ``total_steps`` iterations, or ``total_epochs`` epochs, or if
    neither is given, the length of the run. Epochs need mmengine to say how
    long one is, which it only does with ``convert_to_iter_based=True``. A run
    that is longer than the schedule keeps the last values.

    Args:
        optimizer (Optimizer | BaseOptimWrapper): The optimiser.
        max_lr (float | Sequence[float], optional): Maximum of all groups, or
            one a group. Defaults to None: the learning rate that the group has
            when the scheduler is built.
        total_steps (int, optional): Length in iterations.
        total_epochs (int, optional): Length in epochs.
        pct_start (float): Share of the steps in which the rate rises.
        div_factor (float): Maximum divided by the initial rate.
        final_div_factor (float): Initial divided by the last rate.
        anneal_strategy (str): ``'cos'`` or ``'linear'``.
        three_phase (bool): Fall back to the initial rate symmetrically, then
            to the last rate.
        cycle_momentum (bool): Whether the momentum cycles.
        base_momentum (float | Sequence[float]): Momentum at the maximum rate.
        max_momentum (float | Sequence[float]): Momentum at both ends.
        begin (int): First step of the schedule, within the run.
        end (int): Step at which the values are no longer changed.
        last_step (int): Last step done, for resuming without a state dict.
        by_epoch (bool): Must be False in the end: the policy changes the rate
            every iteration. A config that says ``convert_to_iter_based=True``
            leaves it out.
        verbose (bool): Whether to print each value.

    Raises:
        ValueError: If an argument is out of range, if the number of values is
            not that of the groups, if the length of an epoch is needed and not
            known, or if ``max_lr`` would undo ``auto_scale_lr``.

    Example:
        >>> param_scheduler = dict(
        ...     type='GroupOneCycleLR', total_epochs=80, pct_start=0.2,
        ...     convert_to_iter_based=True)
    """

    def __init__(
        self,
        optimizer,
        max_lr: Union[None, float, Sequence[float]] = None,
        total_steps: Optional[int] = None,
        total_epochs: Optional[int] = None,
        pct_start: float = 0.2,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        anneal_strategy: str = 'cos',
        three_phase: bool = False,
        cycle_momentum: bool = True,
        base_momentum: Union[float, Sequence[float]] = 0.85,
        max_momentum: Union[float, Sequence[float]] = 0.95,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
    ) -> None:
        if by_epoch or total_epochs is not None:
            raise ValueError(
                'GroupOneCycleLR changes the learning rate every iteration and '
                'has to know how long an epoch is: add '
                'convert_to_iter_based=True to its config (with total_epochs), '
                'or give by_epoch=False and total_steps in iterations'
            )
        if total_steps is None:
            if end >= INF:
                raise ValueError(
                    'GroupOneCycleLR has no length: give total_epochs, '
                    'total_steps or end'
                )
            total_steps = end - begin
        _check_shape(total_steps, pct_start, div_factor, final_div_factor)
        if anneal_strategy not in ('cos', 'linear'):
            raise ValueError(
                f"anneal_strategy must be 'cos' or 'linear', found {anneal_strategy!r}"
            )
        self.total_steps = int(total_steps)
        self.anneal_strategy = anneal_strategy
        self.three_phase = three_phase
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        peak = float(pct_start * self.total_steps) - 1
        last = self.total_steps - 1
        self.phase_ends = [peak, 2 * peak, last] if three_phase else [peak, last]

        groups = optimizer.param_groups
        self.max_lr = None
        if max_lr is not None:
            self._refuse_scaled(optimizer)
            self.max_lr = _per_group('max_lr', max_lr, optimizer)
        self.momentum_key = _momentum_key(groups) if cycle_momentum else None
        self.base_momentum = _per_group('base_momentum', base_momentum, optimizer)
        self.max_momentum = _per_group('max_momentum', max_momentum, optimizer)
        super().__init__(
            optimizer,
            'lr',
            begin=begin,
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
            verbose=verbose,
        )

    @classmethod
    def build_iter_from_epoch(
        cls,
        *args,
        begin: int = 0,
        end: int = INF,
        total_epochs: Optional[int] = None,
        total_steps: Optional[int] = None,
        by_epoch: bool = True,
        epoch_length: Optional[int] = None,
        **kwargs,
    ) -> 'GroupOneCycleLR':
        """Build from a config in epochs (``convert_to_iter_based=True``).

        Args:
            begin (int): In epochs.
            end (int): In epochs.
            total_epochs (int, optional): Length of the schedule in epochs; may
                exceed the epochs of the run.
            total_steps (int, optional): Length in iterations, instead.
            by_epoch (bool): Must be True.
            epoch_length (int): Iterations an epoch; mmengine gives it.

        Returns:
            GroupOneCycleLR: The scheduler that steps every iteration.
        """
        if not by_epoch:
            raise ValueError(
                'GroupOneCycleLR: convert_to_iter_based=True and by_epoch=False '
                'contradict each other; leave by_epoch out'
            )
        if not isinstance(epoch_length, int) or epoch_length < 1:
            raise ValueError(
                'epoch_length must be the number of iterations of an epoch '
                f'(1 or more), found {epoch_length!r}'
            )
        if total_epochs is not None:
            if total_steps is not None:
                raise ValueError(
                    'GroupOneCycleLR: give total_epochs or total_steps, not both'
                )
            if not total_epochs > 0:
                raise ValueError(f'total_epochs must be > 0, found {total_epochs!r}')
            total_steps = int(round(total_epochs * epoch_length))
        return cls(
            *args,
            begin=int(begin * epoch_length),
            end=end if end >= INF else int(end * epoch_length),
            total_steps=total_steps,
            by_epoch=False,
            **kwargs,
        )

    def load_state_dict(self, state_dict: dict) -> None:
        """Continue a schedule; what the checkpoint holds wins, with a warning.

        Args:
            state_dict (dict): What :meth:`state_dict` returned.

        Raises:
            ValueError: If the number of parameter groups differs.
        """
        saved = len(state_dict.get('base_values', self.base_values))
        if saved != len(self.base_values):
            raise ValueError(
                f'the checkpoint has a learning-rate schedule of {saved} '
                f'parameter groups, the optimizer has {len(self.base_values)}: '
                'resume with the optim_wrapper config of the first run'
            )
        for key in ('total_steps', 'phase_ends', 'end'):
            if key in state_dict and state_dict[key] != getattr(self, key):
                print_log(
                    f'GroupOneCycleLR: {key} is {getattr(self, key)} in the config '
                    f'and {state_dict[key]} in the checkpoint, which is continued',
                    logger='current',
                    level=logging.WARNING,
                )
        super().load_state_dict(state_dict)

    def _refuse_scaled(self, optimizer) -> None:
        """An explicit ``max_lr`` must not silently undo ``auto_scale_lr``."""
        default = optimizer.defaults.get('lr')
        inner = optimizer if isinstance(optimizer, Optimizer) else optimizer.optimizer
        found = [group['lr'] for group in inner.param_groups]
        if default is not None and default not in found:
            raise ValueError(
                f'max_lr is given, but no parameter group has the learning rate '
                f'of the optimizer config ({default}; found {found}), as after '
                'auto_scale_lr, which max_lr would undo: remove max_lr, then the '
                'maximum of each group is its own learning rate'
            )

    def _get_value(self) -> list:
        """Learning rates of this step; sets the momentum on the way."""
        step = self.last_step
        maxima = self.base_values if self.max_lr is None else self.max_lr
        values = []
        for i, group in enumerate(self.optimizer.param_groups):
            first = maxima[i] / self.div_factor
            last = first / self.final_div_factor
            low, high = self.base_momentum[i], self.max_momentum[i]
            if self.three_phase:
                corners = [first, maxima[i], first, last]
                momenta = [high, low, high, high]
            else:
                corners = [first, maxima[i], last]
                momenta = [high, low, high]
            values.append(
                one_cycle_value(step, self.phase_ends, corners, self.anneal_strategy)
            )
            if self.momentum_key is not None:
                momentum = one_cycle_value(
                    step, self.phase_ends, momenta, self.anneal_strategy
                )
                if self.momentum_key == 'betas':
                    group['betas'] = (momentum, *group['betas'][1:])
                else:
                    group['momentum'] = momentum
        return values


def _check_shape(
    total_steps: int, pct_start: float, div_factor: float, final_div_factor: float
) -> None:
    if int(total_steps) != total_steps or total_steps < 1:
        raise ValueError(
            'total_steps must be a whole number of iterations >= 1, '
            f'found {total_steps!r}'
        )
    if not 0 <= pct_start <= 1:
        raise ValueError(f'pct_start must be between 0 and 1, found {pct_start!r}')
    for name, value in [
        ('div_factor', div_factor),
        ('final_div_factor', final_div_factor),
    ]:
        if not value > 0:
            raise ValueError(f'{name} must be > 0, found {value!r}')


def _momentum_key(groups: Sequence[dict]) -> str:
    for key in ('betas', 'momentum'):
        if all(key in group for group in groups):
            return key
    raise ValueError(
        'cycle_momentum=True, but the optimizer has neither betas nor momentum: '
        'set cycle_momentum=False'
    )


def _per_group(name: str, value, optimizer) -> list:
    """One value a group; an optim wrapper's extra group repeats the first."""
    total = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * total
    inner = optimizer if isinstance(optimizer, Optimizer) else optimizer.optimizer
    real = len(inner.param_groups)
    if len(value) != real:
        raise ValueError(
            f'{name} has {len(value)} values for {real} parameter groups; give '
            'one a group or a single number'
        )
    return list(value) + [value[0]] * (total - real)
