"""YOLO's annotations: a text file an image, a line an object."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Optional, Union

from .own_rows import SourceRow
from .photo_files import photos_in
from .text_lines import read_lines


def read_yolo_folder(
    folder: Union[str, Path],
    photos: Union[str, Path],
    num_classes: Optional[int] = None,
) -> Iterator[SourceRow]:
    """Yield the images that have a text file, sorted by name.

    A line is ``class x y width height``, perhaps with more numbers behind; only the
    class counts. ``classes.txt``, where annotation tools leave it, is not one of them.
    The photo of ``sub/a.txt`` is ``sub/a.jpg``, or has another of the usual endings.

    Args:
        folder: with the text files, in sub-folders too.
        photos: the folder of the photos.
        num_classes: C, where it is known.

    Raises:
        FileNotFoundError: there is no such folder, no text file, or no photo for one.
        ValueError: a line does not start with the index of a class, or it is not below
            C; file and line are named.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no folder at {folder}')
    files = sorted(p for p in folder.rglob('*.txt') if p.name != 'classes.txt')
    if not files:
        raise FileNotFoundError(f'there is no text file in {folder}')
    photo_of = _by_stem(photos_in(photos))
    for path in files:
        stem = path.relative_to(folder).with_suffix('').as_posix()
        if stem not in photo_of:
            raise FileNotFoundError(f'{path}: there is no photo {stem}.* in {photos}')
        labels = set()
        for number, line in read_lines(path):
            fields = line.split()
            if not fields[0].isdigit() or len(fields) < 5:
                raise ValueError(
                    f'{path}:{number}: expected "class x y width height", found '
                    f'{line!r}'
                )
            label = int(fields[0])
            if num_classes is not None and label >= num_classes:
                raise ValueError(
                    f'{path}:{number}: label {label} is outside 0..{num_classes - 1}, '
                    f'there are {num_classes} classes'
                )
            labels.add(label)
        yield SourceRow(str(path), photo_of[stem], sorted(labels))


def _by_stem(photos: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for photo in photos:
        stem = photo.rpartition('.')[0]
        if stem in found:
            raise ValueError(
                f'{found[stem]} and {photo} have the same name: which of them the '
                'labels belong to cannot be told'
            )
        found[stem] = photo
    return found
