"""A folder per class, in which the same photo may be several times."""

from filecmp import cmp
from pathlib import Path
from typing import NamedTuple, Union

from .manifest import file_sha256
from .own_rows import SourceRow
from .photo_files import photos_in


class ClassFolders(NamedTuple):
    """``classes``: names of the folders, sorted. ``rows``: a row a photo."""

    classes: list[str]
    rows: list[SourceRow]


def read_class_folders(root: Union[str, Path], same: str = 'name') -> ClassFolders:
    """Read ``root/<class>/<photo>``; a photo in several folders has all their labels.

    The first of its files, by the name of the folder, stands for the photo.

    Args:
        root: the folder of the class folders.
        same: when two files are one photo: ``'name'``, if they have the same path
            inside their class folder, or ``'content'``, if they have the same bytes.

    Raises:
        FileNotFoundError: there is no such folder, or no class folder with a photo.
        ValueError: files of the same name differ; both are named.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f'there is no folder at {root}')
    folders = sorted(
        path for path in root.iterdir() if path.is_dir() and path.name[0] != '.'
    )
    found: dict[str, tuple[Path, list[str]]] = {}
    for folder in folders:
        for photo in photos_in(folder):
            path = folder / photo
            key = photo if same == 'name' else file_sha256(path)
            first, labels = found.setdefault(key, (path, []))
            if labels and same == 'name' and not cmp(first, path, shallow=False):
                raise ValueError(
                    f'{path} has the name of {first}, but is another photo; --same '
                    'content tells photos by their content'
                )
            if folder.name not in labels:
                labels.append(folder.name)
    if not found:
        raise FileNotFoundError(f'there is no photo in a folder of {root}')
    rows = [
        SourceRow(str(path), path.relative_to(root).as_posix(), labels)
        for path, labels in found.values()
    ]
    return ClassFolders([folder.name for folder in folders], rows)
