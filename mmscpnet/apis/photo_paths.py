"""Where the photos of an annotation file are."""

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from .loading import dataset_photo_folders

_TRIED = 10


def find_photos(folder: Path, images: Sequence[str]) -> list[str]:
    """Paths of photos; backslashes of Windows are understood.

    Addresses, and paths that are not there, stay as they are, for the inferencer to
    report.
    """
    paths = []
    for name in images:
        path = name if '://' in name else str(folder / name)
        if '\\' in name and not Path(path).is_file():
            slashed = folder / name.replace('\\', '/')
            path = str(slashed) if slashed.is_file() else path
        paths.append(path)
    return paths


def find_photo_folder(config: Config, images: Sequence[str], otherwise: Path) -> Path:
    """The first folder of the config's sets that has one of the first photos.

    Args:
        config: of the model.
        images: paths of an annotation file.
        otherwise: what to give if there is none.
    """
    for folder in map(Path, dataset_photo_folders(config)):
        if any(Path(path).is_file() for path in find_photos(folder, images[:_TRIED])):
            return folder
    return otherwise
