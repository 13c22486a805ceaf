"""From what a dataloader yields to what :class:`SCPNet` takes."""

from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmengine.model import BaseDataPreprocessor
from mmpretrain.structures import DataSample
from torch import Tensor

from mmscpnet.registry import MODELS


@MODELS.register_module()
class MultiViewDataPreprocessor(BaseDataPreprocessor):
    """Stack, convert to RGB and normalise batches of one or several views.

    ``inputs`` may be

    - one view: ``(N, 3, H, W)``, or a list of N ``(3, H, W)``;
    - V views: a list of V ``(N, 3, H, W)`` (``default_collate``), or a list of N lists
      of V ``(3, H, W)`` (``pseudo_collate``);
    - features of a feature bank in place of images: ``(N, D)`` or a list of V such;
      they are left as they are.

    Anything else is refused. (mmpretrain's ``ClsDataPreprocessor`` takes a list of
    views for a list of images.)

    Args:
        mean: of R, G, B, on the scale 0-255; None for no normalisation.
        std: likewise.
        to_rgb: whether images come as BGR, as mmcv reads them.
        non_blocking: whether copies to the device overlap.

    Attributes:
        normalizes (bool): whether mean and std were given.
    """

    def __init__(
        self,
        mean: Optional[Sequence[float]] = None,
        std: Optional[Sequence[float]] = None,
        to_rgb: bool = False,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking)
        if (mean is None) != (std is None):
            raise ValueError('data_preprocessor: give both mean and std, or neither')
        self.to_rgb = to_rgb
        self.normalizes = mean is not None
        if self.normalizes:
            for name, value in (('mean', mean), ('std', std)):
                if len(value) != 3:
                    raise ValueError(
                        f'data_preprocessor.{name} needs 3 values (R, G, B), '
                        f'found {len(value)}'
                    )
                tensor = torch.tensor(value, dtype=torch.float32).view(3, 1, 1)
                self.register_buffer(name, tensor, persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs`` as above and ``data_samples``, a list of N.
            training: not used, labels and images are treated alike.

        Returns:
            dict: ``inputs``, a tensor for one view or a list of V tensors;
            ``data_samples``, on the same device.

        Raises:
            ValueError: inputs of another form, or images of different size.
        """
        data = self.cast_data(data)
        samples = data.get('data_samples')
        views = stack_views(data['inputs'], samples)
        if isinstance(views, list):
            inputs: Union[Tensor, list[Tensor]] = [self._prepare(v) for v in views]
        else:
            inputs = self._prepare(views)
        return {'inputs': inputs, 'data_samples': samples}

    def cast_data(self, data):
        """Move a batch to the device; on a CPU it is there, and is not copied."""
        return data if self.device.type == 'cpu' else super().cast_data(data)

    def describe(self) -> str:
        """All that this module does to pixels, as text."""
        values = [self.mean.flatten(), self.std.flatten()] if self.normalizes else []
        return f'to_rgb={self.to_rgb} ' + ' '.join(str(v.tolist()) for v in values)

    def _prepare(self, view: Tensor) -> Tensor:
        if view.dim() == 2:
            return view.float()
        if view.size(1) != 3:
            raise ValueError(
                f'an image has 3 channels here, found {view.size(1)}; read grey images '
                "with LoadImageFromFile(color_type='color')"
            )
        if self.to_rgb:
            view = view.flip(1)
        view = view.float()
        return (view - self.mean) / self.std if self.normalizes else view


def stack_views(
    inputs, data_samples: Optional[Sequence[DataSample]] = None
) -> Union[Tensor, list[Tensor]]:
    """Bring the accepted forms of ``inputs`` to a batch, or a list of V batches.

    Raises:
        ValueError: another form, or images that differ in size.
    """
    if isinstance(inputs, Tensor):
        if inputs.dim() in (2, 4):
            return inputs
    elif isinstance(inputs, (list, tuple)) and inputs:
        if all(isinstance(item, Tensor) for item in inputs):
            dims = {item.dim() for item in inputs}
            if dims <= {1} or dims <= {3}:
                return _stack(inputs, data_samples)
            if dims <= {2} or dims <= {4}:
                if len({item.shape for item in inputs}) > 1:
                    raise ValueError(
                        'the views of a batch differ in shape: '
                        f'{[tuple(item.shape) for item in inputs]}. They go through '
                        'the backbone together and need one size'
                    )
                return list(inputs)
        if all(isinstance(item, (list, tuple)) for item in inputs):
            counts = {len(item) for item in inputs}
            if len(counts) == 1 and counts != {0}:
                return stack_views(
                    [_stack(view, data_samples) for view in zip(*inputs)]
                )
    raise ValueError(
        'inputs must be a batch (N, 3, H, W), a list of images (3, H, W), a list of '
        'views (N, 3, H, W), a list of such lists, or features (N, D); found '
        + _describe(inputs)
    )


def _stack(images, data_samples) -> Tensor:
    shapes = [tuple(image.shape) for image in images]
    if len(set(shapes)) > 1:
        odd = next(i for i, shape in enumerate(shapes) if shape != shapes[0])
        path = ''
        if data_samples is not None and len(data_samples) == len(shapes):
            path = f' ({data_samples[odd].metainfo.get("img_path", "path unknown")})'
        raise ValueError(
            f'images of a batch differ in size: image 0 is {shapes[0]}, image {odd} is '
            f'{shapes[odd]}{path}. End the pipeline with a crop or a resize to one size'
        )
    return torch.stack(list(images))


def _describe(inputs) -> str:
    if isinstance(inputs, Tensor):
        return f'a tensor of shape {tuple(inputs.shape)}'
    if isinstance(inputs, (list, tuple)):
        parts = [
            str(tuple(i.shape)) if isinstance(i, Tensor) else type(i).__name__
            for i in inputs[:4]
        ]
        return f'a list of {len(inputs)}: {", ".join(parts)}'
    return type(inputs).__name__
