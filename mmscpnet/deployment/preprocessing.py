"""From a test pipeline to a few words that anybody can follow without mmscpnet."""

from collections.abc import Sequence
from typing import Any

SKIPPED = {'LoadImageFromFile', 'PackInputs'}


def describe_preprocessing(pipeline: Sequence[dict]) -> list[dict[str, Any]]:
    """Steps between a decoded RGB photo and the input of the exported model.

    Args:
        pipeline: configs of the transforms of a test set.

    Returns:
        list[dict]: ``{'resize': [height, width]}``, ``{'resize_short': side}`` or
        ``{'center_crop': [height, width]}``, in order; resizing is bilinear unless it
        has another ``interpolation``, by Pillow, which averages when it shrinks,
        unless ``library`` says ``cv2``.

    Raises:
        ValueError: a transform that these words do not cover.
    """
    steps = []
    for transform in pipeline:
        kind = str(transform['type']).rsplit('.', 1)[-1]
        if kind in SKIPPED:
            continue
        if kind == 'Resize' and not transform.get('keep_ratio'):
            width, height = _pair(transform['scale'])
            steps.append(_resizing({'resize': [height, width]}, transform))
        elif kind == 'ResizeEdge' and transform.get('edge', 'short') == 'short':
            steps.append(_resizing({'resize_short': transform['scale']}, transform))
        elif kind == 'CenterCrop' and set(transform) <= {'type', 'crop_size'}:
            width, height = _pair(transform['crop_size'])
            steps.append({'center_crop': [height, width]})
        else:
            raise ValueError(
                f'test_dataloader.dataset.pipeline: {dict(transform)} cannot be '
                'written down for those who serve the file; known are Resize, '
                "ResizeEdge (edge='short') and CenterCrop. Give the input's size by "
                '--shape, and prepare photos the same way where the file is served'
            )
    return steps


def input_size(steps: Sequence[dict]) -> tuple[int, int]:
    """Height and width of what the steps end with, in pixels.

    Raises:
        ValueError: the steps do not fix a size.
    """
    for step in reversed(steps):
        for name in ('resize', 'center_crop'):
            if name in step:
                return tuple(step[name])
    raise ValueError(
        f'the test pipeline does not end with one size: {list(steps)}. Say --shape'
    )


def _pair(size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)


def _resizing(step: dict, transform: dict) -> dict:
    if transform.get('interpolation', 'bilinear') != 'bilinear':
        step['interpolation'] = transform['interpolation']
    if transform.get('backend', 'cv2') != 'pillow':
        step['library'] = 'cv2'
    return step
