"""Texts of labels, and their features without anything learnt."""

from collections.abc import Sequence
from typing import Union

import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.models.text_encoders import BaseTextEncoder


def label_text(name: str) -> str:
    """Name of a class as a text has it: ``'dining_table'`` -> ``'dining table'``."""
    return ' '.join(name.replace('_', ' ').split())


def check_templates(templates: Union[str, Sequence[str]]) -> list[str]:
    """One or several sentences with ``{}`` in the place of the name.

    Raises:
        ValueError: There is none, or one has no place for the name.
    """
    templates = [templates] if isinstance(templates, str) else list(templates)
    if not templates:
        raise ValueError("templates is empty: give e.g. ['a photo of a {}.'] or ['{}']")
    for template in templates:
        if '{}' not in template:
            raise ValueError(
                f'the template {template!r} has no {{}} for the class name'
            )
    return templates


def encode_labels(
    encoder: BaseTextEncoder,
    classes: Sequence[str],
    templates: Union[str, Sequence[str]] = 'a photo of a {}.',
) -> Tensor:
    """Features of labels in one or several sentences.

    Args:
        encoder: Any text encoder.
        classes: C names.
        templates: Sentences with ``{}``.

    Returns:
        ``(C, D)`` float32. With one template the encoder's features, not normalised;
        with several the mean of the normalised features.
    """
    templates = check_templates(templates)
    features = [
        encoder.encode([template.replace('{}', label_text(name)) for name in classes])
        for template in templates
    ]
    return average_features(features)


def average_features(features: Sequence[Tensor]) -> Tensor:
    """One tensor ``(C, D)`` as it is; of several the mean of the normalised rows."""
    if len(features) == 1:
        return features[0]
    return torch.stack([F.normalize(f, dim=-1) for f in features]).mean(dim=0)
