"""What a dataset does about photos that cannot be used."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Optional

from mmcv.transforms import LoadImageFromFile as MMCVLoadImageFromFile
from mmengine.logging import print_log
from rich.console import Console
from rich.progress import track

from .photos import BadPhoto
from .transforms.load_photo import LoadImageFromFile

POLICIES = ('error', 'skip')


def find_loader(transforms: Sequence) -> Optional[LoadImageFromFile]:
    """The transform that reads photos; None where no photo is read.

    Raises:
        ValueError: another one than that of mmscpnet, which cannot tell a bad photo.
    """
    for transform in transforms:
        if isinstance(transform, LoadImageFromFile):
            return transform
        if isinstance(transform, MMCVLoadImageFromFile):
            raise ValueError(
                "bad_photos='skip' needs a pipeline that reads photos by "
                "dict(type='mmscpnet.LoadImageFromFile'), found mmcv's"
            )
    return None


def complaints_about(
    paths: Sequence[str],
    read: Callable[[dict], dict],
    title: str,
    threads: Optional[int] = None,
) -> dict[int, str]:
    """Read every photo.

    Decoding leaves Python's lock, so threads use all cores. What is a bad photo depends
    on its bytes alone, so all processes of a run find the same ones.

    Args:
        paths: of the photos.
        read: the transform that reads ``img_path``.
        title: above the progress bar.
        threads: how many at a time; as many as there are cores by default.

    Returns:
        dict[int, str]: position -> what is wrong, of the bad photos. A file that is not
        there is not among them: that is an error in every case.
    """

    def complaint(path: str) -> Optional[str]:
        try:
            read({'img_path': path})
        except BadPhoto as error:
            return str(error)
        except FileNotFoundError:
            pass
        return None

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        found = track(
            pool.map(complaint, paths), title, len(paths), console=Console(stderr=True)
        )
        return {i: text for i, text in enumerate(found) if text}


def leave_out_bad_photos(dataset) -> None:
    """Take the bad photos out of a loaded dataset, and say which.

    The others keep ``position`` and ``sample_idx``.

    Raises:
        ValueError: no photo is left.
    """
    loader = find_loader(dataset.pipeline.transforms)
    if loader is None:
        return
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    bad = complaints_about(paths, loader.transform, f'Photos of {dataset.ann_file}')
    if not bad:
        return
    lines = '\n  '.join(bad.values())
    if len(bad) == len(paths):
        raise ValueError(
            f'{dataset.ann_file}: none of the {len(paths)} photos can be used:\n  '
            + lines
        )
    dataset.get_subset_([i for i in range(len(paths)) if i not in bad])
    print_log(
        f'{dataset.ann_file}: {len(bad)} of {len(paths)} photos are skipped '
        "(bad_photos='skip'): they are not trained on, and no measure counts them:\n  "
        + lines,
        logger='current',
        level=logging.WARNING,
    )
