"""The labels that a checkpoint was trained for, and those of the present model."""

import logging
from typing import Optional

from mmengine.logging import print_log
from torch import Tensor, nn

from mmscpnet.datasets.class_names import describe_difference
from mmscpnet.label_graph import StaticLabelGraph
from mmscpnet.models.heads import IncompleteLabelHead


def find_head(model: nn.Module) -> Optional[IncompleteLabelHead]:
    """The head of a classifier, also within a model for test-time augmentation."""
    head = getattr(model, 'head', None) or getattr(
        getattr(model, 'module', None), 'head', None
    )
    return head if isinstance(head, IncompleteLabelHead) else None


def describe_labels(head: IncompleteLabelHead) -> dict:
    """What a checkpoint says about its labels, for ``meta['labels']``.

    Returns:
        ``classes``, C names, and ``graphs``, type, settings and source of each label
        graph by its place in the head.
    """
    return dict(
        classes=list(head.classes),
        graphs={
            name: dict(
                type=type(module).__name__,
                source=_plain(getattr(module, 'source', None)),
                **_plain(module.settings),
            )
            for name, module in head.named_modules()
            if name.endswith('label_graph')
        },
    )


def _plain(value):
    """A config as plain containers, which a safe reader takes."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return type(value).__name__


def stored_labels(checkpoint: dict) -> Optional[dict]:
    """What a checkpoint says about its labels; None if it does not.

    Other checkpoints of a Runner name the classes of their training set.
    """
    meta = checkpoint.get('meta') or {}
    if 'labels' in meta:
        return meta['labels']
    classes = (meta.get('dataset_meta') or {}).get('classes')
    return classes and dict(classes=list(classes), graphs={})


def check_labels(head: IncompleteLabelHead, checkpoint: dict) -> None:
    """Compare the labels of a checkpoint with those of the model.

    Raises:
        ValueError: they differ in number, names or order.
    """
    stored = stored_labels(checkpoint)
    if stored is None:
        return
    if stored['classes'] != list(head.classes):
        raise ValueError(
            'the checkpoint was trained for other labels than those of '
            'model.head.classes: '
            + describe_difference(stored['classes'], head.classes)
            + '. Use the config it was trained with. To take over what does not '
            'depend on the labels, set default_hooks.label_check.allow_other_labels='
            'True'
        )
    present = describe_labels(head)['graphs']
    for name, graph in stored['graphs'].items():
        other = present.get(name)
        if other is None or other == graph:
            continue
        changed = sorted(
            key for key in {*graph, *other} if graph.get(key) != other.get(key)
        )
        pairs = [f'{k} {graph.get(k)!r} / {other.get(k)!r}' for k in changed]
        used = (
            'That of the checkpoint is used'
            if graph['type'] == 'StaticLabelGraph'
            else 'The one computed by the config is used'
        )
        print_log(
            f'model.head.{name} differs between checkpoint and config: '
            f'{"; ".join(pairs)}. {used}',
            logger='current',
            level=logging.WARNING,
        )


def drop_labels(head: IncompleteLabelHead, checkpoint: dict) -> list[str]:
    """Remove what depends on its labels from a checkpoint for other ones.

    That is each tensor of the head with a dimension as long as the number of labels,
    label graphs, and what losses remember of images.

    Returns:
        Names of the entries that were removed.
    """
    stored = stored_labels(checkpoint)
    if stored is None or stored['classes'] == list(head.classes):
        return []
    count = len(stored['classes'])
    graphs = tuple(
        f'head.{name}.'
        for name, module in head.named_modules()
        if isinstance(module, StaticLabelGraph)
    )
    weights = checkpoint['state_dict']
    dropped = [
        key
        for key, value in weights.items()
        if key.startswith('head.')
        and (
            key.startswith(graphs)
            or key.endswith('_extra_state')
            or (isinstance(value, Tensor) and count in value.shape)
        )
    ]
    for key in dropped:
        del weights[key]
    return dropped
