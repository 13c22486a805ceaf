"""How a feature bank lies on disk: a memory map that is whole, or is not there."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

MANIFEST = 'manifest.json'
FEATURES = 'features.npy'


class FeatureBank:
    """Features ``(N, P, V, D)`` of N images: P kinds of view, V draws of each.

    The folder is named by a hash of everything that determines the features. While it
    is being filled it holds ``chunk-*.npy`` files, each written under another name and
    then moved; an interrupted extraction goes on behind the last of them. Once
    ``manifest.json`` is there the bank is complete.

    Args:
        folder: of this bank.
        key: what determines the features, a flat dict.
        shape: ``(N, P, V, D)``.
        dtype: of the stored features, ``'float16'`` or ``'float32'``.
        chunk_size: images a chunk.
    """

    def __init__(
        self,
        folder: Path,
        key: dict[str, Any],
        shape: tuple[int, int, int, int],
        dtype: str = 'float16',
        chunk_size: int = 256,
    ) -> None:
        self.folder = Path(folder)
        self.key = key
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.chunk_size = chunk_size

    @property
    def complete(self) -> bool:
        """Whether the bank can be read.

        Raises:
            ValueError: the folder holds a bank of other photos, weights or settings.
        """
        path = self.folder / MANIFEST
        if not path.is_file():
            return False
        stored = json.loads(path.read_text())['key']
        changed = sorted(
            name
            for name in {*stored, *self.key}
            if stored.get(name) != self.key.get(name)
        )
        if changed:
            raise ValueError(
                f'the feature bank in {self.folder} is stale: it differs from this '
                f'config in {", ".join(changed)}. Remove the folder, or choose another '
                'root for the bank'
            )
        return True

    def chunks(self) -> list[tuple[int, int, int]]:
        """All chunks as (number, first image, image after the last)."""
        starts = range(0, self.shape[0], self.chunk_size)
        ends = (min(s + self.chunk_size, self.shape[0]) for s in starts)
        return [(i, s, e) for i, (s, e) in enumerate(zip(starts, ends))]

    def chunk_path(self, number: int) -> Path:
        """File of a chunk."""
        return self.folder / f'chunk-{number:06d}.npy'

    def write_chunk(self, number: int, features: np.ndarray) -> None:
        """Store a chunk, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.chunk_path(number)
        partial = path.with_suffix(f'.partial{os.getpid()}')
        with open(partial, 'wb') as file:
            np.save(file, features.astype(self.dtype))
        os.replace(partial, path)

    def assemble(self, information: dict[str, Any]) -> None:
        """Join the chunks into one memory map and declare the bank complete."""
        partial = self.folder / (FEATURES + '.partial')
        whole = np.lib.format.open_memmap(
            partial, mode='w+', dtype=self.dtype, shape=self.shape
        )
        for number, start, end in self.chunks():
            whole[start:end] = np.load(self.chunk_path(number), allow_pickle=False)
        whole.flush()
        del whole
        os.replace(partial, self.folder / FEATURES)
        manifest = dict(key=self.key, shape=list(self.shape), **information)
        partial = self.folder / (MANIFEST + '.partial')
        partial.write_text(json.dumps(manifest, indent=2))
        os.replace(partial, self.folder / MANIFEST)
        for number, _, _ in self.chunks():
            self.chunk_path(number).unlink()

    def open(self) -> np.ndarray:
        """The features, read-only, ``(N, P, V, D)``.

        Raises:
            ValueError: the file does not have the shape that the config asks for.
        """
        features = np.load(self.folder / FEATURES, mmap_mode='r', allow_pickle=False)
        if features.shape != self.shape or features.dtype != self.dtype:
            raise ValueError(
                f'{self.folder / FEATURES} holds {features.dtype} {features.shape}, '
                f'expected {self.dtype} {self.shape}. Remove the folder'
            )
        return features


def fingerprint(value: Any) -> Any:
    """A JSON-able description of a transform, with all its settings.

    Unlike ``repr`` it leaves nothing out: it goes through the attributes.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [fingerprint(item) for item in value]
    if isinstance(value, dict):
        return {str(key): fingerprint(item) for key, item in sorted(value.items())}
    if isinstance(value, (np.ndarray, torch.Tensor)):
        return hashlib.sha256(np.asarray(value).tobytes()).hexdigest()
    if hasattr(value, '__dict__') and not callable_without_state(value):
        return [type(value).__qualname__, fingerprint(vars(value))]
    return repr(value)


def callable_without_state(value: Any) -> bool:
    """Functions and classes are told apart by name, not by their attributes."""
    return isinstance(value, type) or hasattr(value, '__code__')
