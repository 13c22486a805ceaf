"""Parameter groups of the released SCPNet recipe."""

from typing import Optional

import torch.nn as nn
from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper

from mmscpnet.registry import OPTIM_WRAPPER_CONSTRUCTORS

from ..strategies.fsdp import original_dims, original_name

DEFAULTS = dict(
    gcn_lr=None, gcn_prefix='head.association', lr_mult=None, no_decay_1d=True
)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class SCPNetOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """A few named parameter groups: by learning rate, with and without decay.

    Weight decay is only for tensors of two or more dimensions that are not
    biases; the graph convolution (SAM) may have a learning rate of its own.
    Frozen parameters are in no group. Each group has a ``name`` (``base``,
    ``gcn`` or ``lr_mult.<prefix>``, with ``_no_decay`` behind it for the tensors
    without decay), so that a log can tell them apart.

    ``paramwise_cfg`` may hold

    - ``gcn_lr`` (float, optional): Learning rate of the parameters below
      ``gcn_prefix``, not multiplied by anything. Defaults to None: they are in
      the ordinary group.
    - ``gcn_prefix`` (str): Where the graph convolution is in the model.
      Defaults to ``'head.association'``. Only looked for if ``gcn_lr`` is set.
    - ``lr_mult`` (dict[str, float], optional): Prefix of parameter names ->
      factor on the learning rate; the longest prefix that fits a name counts.
      LargeLoss trains its head with ``dict(head=10.)``.
    - ``no_decay_1d`` (bool): Whether biases and 1-D tensors go without decay.
      Defaults to True.

    A prefix means a module (or a parameter): ``head`` fits ``head.fc.weight``
    and not ``header.weight``.

    Args:
        optim_wrapper_cfg (dict): Config of the wrapper, with ``optimizer``,
            whose ``lr`` is required.
        paramwise_cfg (dict, optional): See above.

    Raises:
        ValueError: If a key is unknown, a prefix fits no parameter, or nothing
            is left to train.

    Example:
        >>> optim_wrapper = dict(
        ...     constructor='SCPNetOptimWrapperConstructor',
        ...     optimizer=dict(type='Adam', lr=3e-5, weight_decay=1e-4),
        ...     paramwise_cfg=dict(gcn_lr=1e-5))
    """

    def __init__(
        self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None
    ) -> None:
        given = dict(paramwise_cfg or {})
        unknown = sorted(set(given) - set(DEFAULTS))
        if unknown:
            raise ValueError(
                f'paramwise_cfg of {type(self).__name__} has unknown keys {unknown}; '
                f'it knows {sorted(DEFAULTS)}'
            )
        # never empty: with an empty one the base class makes a single group
        super().__init__(optim_wrapper_cfg, {**DEFAULTS, **given})
        if self.base_lr is None:
            raise ValueError(
                'optim_wrapper.optimizer has no lr: the groups of '
                f'{type(self).__name__} are built from it'
            )
        self._dims: dict[str, int] = {}
        self.lr_mult = dict(self.paramwise_cfg['lr_mult'] or {})
        self.gcn_lr = self.paramwise_cfg['gcn_lr']
        self.gcn_prefix = self.paramwise_cfg['gcn_prefix']
        for prefix, factor in self.lr_mult.items():
            if not factor > 0:
                raise ValueError(
                    f'paramwise_cfg.lr_mult[{prefix!r}] must be > 0, found {factor!r}'
                )
        if self.gcn_lr is not None:
            if not self.gcn_lr > 0:
                raise ValueError(
                    f'paramwise_cfg.gcn_lr must be > 0 or None, found {self.gcn_lr!r}'
                )
            inside = [p for p in self.lr_mult if _fits(p, self.gcn_prefix)]
            if inside:
                raise ValueError(
                    f'paramwise_cfg.lr_mult names {inside}, inside gcn_prefix='
                    f'{self.gcn_prefix!r} whose rate gcn_lr sets: use one of the two'
                )

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the optimiser and its wrapper.

        Args:
            model (nn.Module): The model, wrapped or not.
        """
        # The base class looks inside the wrapper, where shards are flat.
        self._dims = original_dims(model)
        return super().__call__(model)

    def add_params(self, params: list[dict], module: nn.Module, **kwargs) -> None:
        """Append the groups of a model to ``params``.

        Args:
            params (list[dict]): Groups, extended in place.
            module (nn.Module): The model.

        Raises:
            ValueError: See the class.
        """
        self._check_prefixes(module)
        groups: dict[str, dict] = {}
        for name, param in module.named_parameters():
            if not param.requires_grad:
                continue
            name = original_name(name)
            ndim = self._dims.get(name, param.ndim)
            key, lr = self._place(name)
            no_decay = self.paramwise_cfg['no_decay_1d'] and (
                ndim <= 1 or name.split('.')[-1] == 'bias'
            )
            key = f'{key}_no_decay' if no_decay else key
            group = groups.setdefault(key, dict(params=[], name=key, lr=lr))
            if no_decay:
                group['weight_decay'] = 0.0
            group['params'].append(param)
        if not groups:
            raise ValueError(
                'the model has no parameter with requires_grad=True: nothing to '
                'train (is everything frozen?)'
            )
        # The first group is the one whose rate mmengine logs as `lr`.
        order = ['base', *(f'lr_mult.{p}' for p in self.lr_mult), 'gcn']
        for key in [k + tail for k in order for tail in ('', '_no_decay')]:
            if key not in groups:
                continue
            group = groups[key]
            params.append(group)
            decay = group.get('weight_decay', self.base_wd)
            print_log(
                f'parameter group {key}: {len(group["params"])} tensors, '
                f'{sum(p.numel() for p in group["params"])} values, '
                f'lr={group["lr"]}, weight_decay={decay}',
                logger='current',
            )

    def _place(self, name: str) -> tuple[str, float]:
        """Group name and learning rate of one parameter."""
        if self.gcn_lr is not None and _fits(name, self.gcn_prefix):
            return 'gcn', self.gcn_lr
        fitting = [prefix for prefix in self.lr_mult if _fits(name, prefix)]
        if fitting:
            prefix = max(fitting, key=len)
            return f'lr_mult.{prefix}', self.base_lr * self.lr_mult[prefix]
        return 'base', self.base_lr

    def _check_prefixes(self, model: nn.Module) -> None:
        names = [original_name(name) for name, _ in model.named_parameters()]
        wanted = [(f'lr_mult[{p!r}]', p) for p in self.lr_mult]
        if self.gcn_lr is not None:
            wanted.append((f'gcn_prefix={self.gcn_prefix!r}', self.gcn_prefix))
        for key, prefix in wanted:
            if any(_fits(name, prefix) for name in names):
                continue
            top = sorted({name.split('.')[0] for name in names})
            # as deep as the prefix goes, for the hint to be of use
            depth = prefix.count('.') + 1
            near = sorted(
                {
                    '.'.join(name.split('.')[:depth])
                    for name in names
                    if _fits(name, prefix.split('.')[0])
                }
            )
            hint = f'; below {prefix.split(".")[0]!r}: {near}' if near else ''
            raise ValueError(
                f'paramwise_cfg.{key} fits no parameter of the model; '
                f'top-level names: {top}{hint}. A model without graph convolution '
                'needs gcn_lr=None'
            )


def _fits(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + '.')
