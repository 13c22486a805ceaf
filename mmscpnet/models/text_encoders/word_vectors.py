"""Word vectors (GloVe, word2vec) as a text encoder."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import BaseTextEncoder

_SEPARATORS = re.compile(r'[\s_-]+')


@MODELS.register_module()
class WordVectors(BaseTextEncoder):
    """Average the vectors of the words of a name.

    A name that the file has as a whole takes that vector; else its words, which spaces,
    ``-`` and ``_`` separate, are averaged. The file is streamed: only the words that
    are asked for stay in memory.

    Args:
        file: Text, a line a word: ``word v1 v2 ...`` (GloVe; word2vec with a first line
            of two numbers), or ``.npy`` with a ``(V, D)`` array.
        names: For ``.npy``: the V words, or a text file with one a line.
        lowercase: Look names up in lower case. Say False for cased vectors.
    """

    supports_prompts = False

    def __init__(
        self,
        file: str,
        names: Union[str, Sequence[str], None] = None,
        lowercase: bool = True,
    ) -> None:
        super().__init__()
        self.file = Path(file).expanduser()
        self.lowercase = lowercase
        self._found: dict[str, np.ndarray] = {}
        if not self.file.is_file():
            raise FileNotFoundError(f'WordVectors: there is no file {self.file}')
        if (self.file.suffix == '.npy') != (names is not None):
            raise ValueError(
                f'WordVectors: names is for .npy files, and they need it; file is '
                f'{self.file}, names is {names!r}'
            )
        if names is None:
            self._names: Optional[list[str]] = None
            self.embed_dims = _text_dims(self.file)
        else:
            self._names = _read_names(names)
            self.embed_dims = _array(self.file, len(self._names)).shape[1]

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Features ``(len(texts), D)``, float32.

        Raises:
            ValueError: A text has a word without a vector; or a line of the file is
                malformed.
        """
        keys = [self._key(text) for text in texts]
        words = [[word for word in _SEPARATORS.split(key) if word] for key in keys]
        self._look_up({*keys, *(word for group in words for word in group)})
        rows = []
        for text, key, group in zip(texts, keys, words):
            group = [key] if key in self._found else group
            missing = [word for word in group if word not in self._found]
            if missing or not group:
                raise ValueError(
                    f'WordVectors: the label {text!r} has no vector: {self.file} lacks '
                    f'{missing}. Rename the label in words that the file has; with '
                    "word vectors the template should be '{}'"
                )
            rows.append(np.mean([self._found[word] for word in group], axis=0))
        features = np.asarray(rows, dtype=np.float32).reshape(-1, self.embed_dims)
        return torch.from_numpy(features)

    def _key(self, text: str) -> str:
        text = text.strip()
        return text.lower() if self.lowercase else text

    def _look_up(self, words: set[str]) -> None:
        needed = words - self._found.keys()
        if not needed:
            return
        if self._names is None:
            self._found.update(_stream(self.file, needed, self.embed_dims))
            return
        array = _array(self.file, len(self._names))
        for index, name in enumerate(self._names):
            key = self._key(name)
            if key in needed and key not in self._found:
                self._found[key] = np.array(array[index], dtype=np.float32)


def _stream(path: Path, needed: set[str], dims: int) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with path.open(encoding='utf-8', errors='replace') as lines:
        for number, line in enumerate(lines, start=1):
            line = line.rstrip()
            if not line or (number == 1 and _header(line) is not None):
                continue
            if line.count(' ') < dims:
                raise _malformed(path, number, line, dims)
            # Parse only what is asked for; a file has millions of lines.
            if line[: line.index(' ')] not in needed:
                continue
            # From the right: some files have words with spaces in them.
            word, *values = line.rsplit(' ', dims)
            if word not in needed or word in found:
                continue
            try:
                vector = np.array(values, dtype=np.float32)
            except ValueError as error:
                raise _malformed(path, number, line, dims) from error
            if not np.isfinite(vector).all():
                raise _malformed(path, number, line, dims)
            found[word] = vector
            if len(found) == len(needed):
                break
    return found


def _header(line: str) -> Optional[int]:
    """Number of dimensions, if the line is word2vec's header."""
    fields = line.split()
    if len(fields) == 2 and all(field.isdecimal() for field in fields):
        return int(fields[1])
    return None


def _text_dims(path: Path) -> int:
    with path.open(encoding='utf-8', errors='replace') as lines:
        first = lines.readline().rstrip()
    dims = _header(first)
    if dims is None:
        dims = first.count(' ')
    if dims < 1:
        raise _malformed(path, 1, first, 1)
    return dims


def _malformed(path: Path, number: int, line: str, dims: int) -> ValueError:
    return ValueError(
        f'{path}, line {number}: expected a word and {dims} finite numbers, separated '
        f'by single spaces, found {line[:60]!r}'
    )


def _array(path: Path, rows: int) -> np.ndarray:
    array = np.load(path, mmap_mode='r', allow_pickle=False)
    if array.ndim != 2 or len(array) != rows:
        raise ValueError(
            f'WordVectors: {path} should hold a ({rows}, D) array, as there are {rows} '
            f'names; found {array.shape}'
        )
    return array


def _read_names(names: Union[str, Iterable[str]]) -> list[str]:
    if not isinstance(names, str):
        return list(names)
    path = Path(names).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'WordVectors: names: there is no file {path}')
    return path.read_text(encoding='utf-8').rstrip().splitlines()
