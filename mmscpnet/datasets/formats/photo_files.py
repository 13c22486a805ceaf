"""Photos on disk: finding them, and whether they open."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Optional, Union

from rich.console import Console
from rich.progress import track

from mmscpnet.datasets.photos import BadPhoto, decode_photo

ENDINGS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.gif')
_NAMED = 10


def photos_in(folder: Union[str, Path]) -> list[str]:
    """Paths of the photos of a folder and its sub-folders, relative to it, sorted.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no folder of photos at {folder}')
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob('*')
        if path.suffix.lower() in ENDINGS and path.is_file()
    )


def verify_photos(
    photos: Sequence[tuple[str, Path]], threads: Optional[int] = None
) -> None:
    """Open and decode every photo.

    Decoding leaves Python's lock, so threads use all cores.

    Args:
        photos: where each is named (``labels.csv:3``), and its path.
        threads: how many at a time; as many as there are cores by default.

    Raises:
        ValueError: photos are missing or do not open; the first ones are named.
    """
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        found = track(
            pool.map(_complaint, photos),
            'Opening the photos',
            len(photos),
            console=Console(stderr=True),
        )
        complaints = [complaint for complaint in found if complaint]
    if complaints:
        more = len(complaints) - _NAMED
        raise ValueError(
            f'{len(complaints)} of {len(photos)} photos are missing or do not open:\n  '
            + '\n  '.join(complaints[:_NAMED])
            + (f'\n  and {more} more' if more > 0 else '')
        )


def _complaint(photo: tuple[str, Path]) -> Optional[str]:
    where, path = photo
    if not path.is_file():
        return f'{where}: there is no photo at {path}'
    try:
        decode_photo(path.read_bytes())
    except BadPhoto as error:
        return f'{where}: {path} does not open: {error}'
    return None
