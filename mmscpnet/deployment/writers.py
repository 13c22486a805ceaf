"""Write an exported model, and open it again."""

import copy
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from .exported_model import ExportedModel

FORMATS = {'onnx': '.onnx', 'torch-export': '.pt2'}
METADATA = 'mmscpnet'


class ExportSettings(NamedTuple):
    """What a user chooses.

    Attributes:
        format: ``'onnx'`` or ``'torch-export'``.
        size: height and width of the input in pixels.
        dynamic: whether the batch may have any size; else one image.
        fp16: whether weights are stored, and where possible multiplied, as float16.
            Input and output stay float32.
    """

    format: str
    size: tuple[int, int]
    dynamic: bool = False
    fp16: bool = False


def export_model(
    model: ExportedModel, path: str, settings: ExportSettings, metadata: dict[str, Any]
) -> None:
    """Write the file, whole or not at all.

    Args:
        model: on the CPU.
        path: of the file.
        settings: of the export.
        metadata: JSON-able; read again by :func:`open_exported`.

    Raises:
        ImportError: the packages of ``[export]`` are not installed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(metadata, ensure_ascii=False)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix='.export-') as folder:
        partial = Path(folder, path.name)
        write = _write_onnx if settings.format == 'onnx' else _write_torch
        with torch.no_grad():
            write(HalfModel(model) if settings.fp16 else model, partial, settings, text)
        os.replace(partial, path)


def _example(settings: ExportSettings) -> Tensor:
    # A batch of one would be taken for a constant.
    return torch.rand(2 if settings.dynamic else 1, 3, *settings.size) * 255


def _dynamic_shapes(settings: ExportSettings):
    return {'images': {0: torch.export.Dim('batch')}} if settings.dynamic else None


def _write_onnx(
    model: nn.Module, path: Path, settings: ExportSettings, text: str
) -> None:
    try:
        import onnx
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'{error.name} is missing: pip install -e ".[export]"'
        ) from error
    torch.onnx.export(
        model,
        (_example(settings),),
        str(path),
        input_names=['images'],
        output_names=['scores'],
        dynamo=True,
        external_data=False,
        dynamic_shapes=_dynamic_shapes(settings),
        verbose=False,
    )
    stored = onnx.load(str(path))
    onnx.helper.set_model_props(stored, {METADATA: text})
    onnx.checker.check_model(stored)
    onnx.save(stored, str(path))


def _write_torch(
    model: nn.Module, path: Path, settings: ExportSettings, text: str
) -> None:
    program = torch.export.export(
        model, (_example(settings),), dynamic_shapes=_dynamic_shapes(settings)
    )
    torch.export.save(program, str(path), extra_files={METADATA: text})


class HalfModel(nn.Module):
    """An exported model with float16 inside.

    Args:
        model: is left as it is; a copy is converted.
    """

    def __init__(self, model: ExportedModel) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).half()

    def forward(self, images: Tensor) -> Tensor:
        """As :class:`ExportedModel`."""
        return self.model(images.half()).float()


def open_exported(path: str) -> tuple[Callable[[np.ndarray], np.ndarray], dict]:
    """Read an exported file.

    Args:
        path: ``.onnx`` or ``.pt2``.

    Returns:
        A function from RGB ``(N, 3, H, W)`` float32, 0 to 255, to probabilities
        ``(N, C)``, and the metadata.

    Raises:
        ValueError: the file was not written by mmscpnet.
    """
    if str(path).endswith(FORMATS['onnx']):
        import onnxruntime

        session = onnxruntime.InferenceSession(
            str(path), providers=['CPUExecutionProvider']
        )
        text = session.get_modelmeta().custom_metadata_map.get(METADATA)

        def run(images: np.ndarray) -> np.ndarray:
            return session.run(None, {'images': images})[0]
    else:
        extra = {METADATA: ''}
        program = torch.export.load(str(path), extra_files=extra).module()
        text = extra[METADATA]

        def run(images: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                return program(torch.from_numpy(images)).numpy()

    if not text:
        raise ValueError(f'{path} was not written by tools/export.py: no metadata')
    return run, json.loads(text)
