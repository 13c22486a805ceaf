"""NUS-WIDE's lists of photos and its ground truth, a file a concept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..class_sets import NUS81
from .text_lines import read_lines


def read_concepts(root: Union[str, Path]) -> list[str]:
    """The concepts in the order of their indices.

    Those of ``ConceptsList/Concepts81.txt`` where the download has it; the file is an
    archive of its own.
    """
    for path in (
        Path(root, 'ConceptsList/Concepts81.txt'),
        Path(root, 'Concepts81.txt'),
    ):
        if path.is_file():
            return [line.strip() for _, line in read_lines(path)]
    return list(NUS81)


def read_image_list(path: Union[str, Path]) -> list[str]:
    r"""Photos of ``Imagelist.txt`` and the like, ``actor\0001_2124494179.jpg``.

    The backslashes become slashes.
    """
    return [line.strip().replace('\\', '/') for _, line in read_lines(path)]


def read_ground_truth(
    root: Union[str, Path], concepts: Sequence[str], part: Optional[str] = None
) -> np.ndarray:
    """The labels of all photos of a list.

    Args:
        root: folder with ``Groundtruth``.
        concepts: the C concepts.
        part: ``'Train'`` or ``'Test'`` for ``TrainTestLabels``, None for
            ``AllLabels``.

    Returns:
        ``(N, C)`` bool, in the order of the image list.

    Raises:
        FileNotFoundError: there is no file for a concept.
        ValueError: a line is not 0 or 1, or the files differ in length.
    """
    folder = Path(root, 'Groundtruth', 'TrainTestLabels' if part else 'AllLabels')
    matrix: Optional[np.ndarray] = None
    for column, concept in enumerate(concepts):
        name = f'Labels_{concept}_{part}.txt' if part else f'Labels_{concept}.txt'
        values = _read_binary_column(folder / name)
        if matrix is None:
            matrix = np.zeros((len(values), len(concepts)), dtype=bool)
        elif len(values) != len(matrix):
            raise ValueError(
                f'{folder / name} has {len(values):,} lines, the concepts before it '
                f'have {len(matrix):,}'
            )
        matrix[:, column] = values
    return matrix


def ground_truth_files(
    root: Union[str, Path], concepts: Sequence[str], part: Optional[str] = None
) -> list[Path]:
    """The files that :func:`read_ground_truth` reads."""
    folder = Path(root, 'Groundtruth', 'TrainTestLabels' if part else 'AllLabels')
    ending = f'_{part}.txt' if part else '.txt'
    return [folder / f'Labels_{concept}{ending}' for concept in concepts]


def _read_binary_column(path: Path) -> np.ndarray:
    """Lines ``0`` and ``1`` as ``(N,)`` bool, without a Python object for each."""
    if not path.is_file():
        raise FileNotFoundError(
            f'there is no ground truth at {path}; unpack NUS-WIDE\'s "Groundtruth" '
            'archive so that this file is there'
        )
    text = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    digits = text[(text != ord('\n')) & (text != ord('\r')) & (text != ord(' '))]
    valid = (digits == ord('0')) | (digits == ord('1'))
    lines = np.count_nonzero(text == ord('\n')) + (text.size and text[-1] != ord('\n'))
    if not valid.all() or len(digits) != lines:
        for number, line in enumerate(path.read_text(errors='replace').split('\n'), 1):
            if line.strip() not in ('0', '1'):
                raise ValueError(f'{path}:{number}: expected 0 or 1, found {line!r}')
    return digits == ord('1')


def flickr_id(name: str) -> str:
    """Flickr's id of a photo: ``0001_2124494179.jpg`` and ``7_2124494179_02a_m.jpg``.

    The crawls name their files differently, but this number comes second in all.

    Raises:
        ValueError: the name has no such part.
    """
    parts = Path(name).stem.split('_')
    if len(parts) < 2 or not parts[1].isdigit():
        raise ValueError(
            f'{name!r} is not named like a photo of NUS-WIDE, number_flickrid.jpg'
        )
    return parts[1]
