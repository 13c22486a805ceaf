"""PASCAL VOC's annotation files, an XML file an image, as labels of whole images."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Union

from .records import LabelRecord

DIFFICULT = ('ignore', 'negative', 'positive')


class VocImage(NamedTuple):
    """What an XML file says: the photo, and its objects with their difficult flag."""

    filename: str
    objects: list[tuple[str, bool]]


def read_voc_file(path: Union[str, Path]) -> VocImage:
    """Read one XML file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not XML, or an object has no name; file and line or object
            are named.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no annotation at {path}')
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f'{path}:{error.position[0]}: not XML: {error.msg}') from None
    filename = (root.findtext('filename') or '').strip()
    if not filename:
        raise ValueError(f'{path}: there is no <filename> in <annotation>')
    objects = []
    # Only the direct children: the parts of a person have names too.
    for number, element in enumerate(root.findall('object'), start=1):
        name = (element.findtext('name') or '').strip()
        if not name:
            raise ValueError(f'{path}: object {number} has no <name>')
        flag = (element.findtext('difficult') or '0').strip()
        if flag not in ('0', '1'):
            raise ValueError(
                f'{path}: object {number} ({name}): <difficult> must be 0 or 1, found '
                f'{flag!r}'
            )
        objects.append((name, flag == '1'))
    return VocImage(filename, objects)


def voc_class_names(folder: Union[str, Path]) -> list[str]:
    """The names that occur in the XML files of a folder, sorted."""
    found = set()
    for path in voc_files(folder):
        found.update(name for name, _ in read_voc_file(path).objects)
    return sorted(found)


def voc_files(
    folder: Union[str, Path], stems: Optional[Sequence[str]] = None
) -> list[Path]:
    """The XML files of a folder: all, sorted, or those of ``stems`` in that order.

    Raises:
        FileNotFoundError: there is no such folder, or no XML file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no folder of annotations at {folder}')
    if stems is not None:
        return [folder / f'{stem}.xml' for stem in stems]
    files = sorted(folder.glob('*.xml'))
    if not files:
        raise FileNotFoundError(f'there is no XML file in {folder}')
    return files


def read_voc_folder(
    folder: Union[str, Path],
    classes: Sequence[str],
    difficult: str = 'negative',
    stems: Optional[Sequence[str]] = None,
) -> Iterator[LabelRecord]:
    """Yield the images of a folder of XML files.

    Args:
        folder: the folder.
        classes: the C label names.
        difficult: what a label is whose objects in the image are all marked
            difficult: ``'negative'`` and ``'positive'`` say so; ``'ignore'`` leaves
            it unknown, as VOC's own evaluation does, and then the negatives are
            listed, so the file must be written with ``unlisted='unknown'``.
        stems: names without ``.xml``, in the order wanted; None takes all, sorted.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a name is not among ``classes``; file and object are named.
    """
    if difficult not in DIFFICULT:
        raise ValueError(f'difficult must be one of {DIFFICULT}, found {difficult!r}')
    index_of = {name: index for index, name in enumerate(classes)}
    for path in voc_files(folder, stems):
        image = read_voc_file(path)
        # Whether the label has an object that is not difficult.
        plain: dict[int, bool] = {}
        for number, (name, flag) in enumerate(image.objects, start=1):
            if name not in index_of:
                raise ValueError(
                    f'{path}: object {number} is {name!r}, which is not among the '
                    f'{len(index_of)} classes'
                )
            label = index_of[name]
            plain[label] = plain.get(label, False) or not flag
        positives = sorted(
            label for label, seen in plain.items() if seen or difficult == 'positive'
        )
        negatives = (
            [label for label in range(len(classes)) if label not in plain]
            if difficult == 'ignore'
            else []
        )
        yield LabelRecord(image.filename, positives, negatives)
