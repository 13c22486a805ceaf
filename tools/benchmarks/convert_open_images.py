"""Time and memory of ``open_images.py`` on a generated list of rows.

``convert_open_images.py [--images 1000000] [--classes 600]`` writes rows like those of
Open Images to a temporary folder, converts them in a process of its own, and prints how
long that took and the most memory it held, beside what importing alone takes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
CONVERTER = ROOT / 'tools' / 'dataset_converters' / 'open_images.py'
ROWS_AN_IMAGE = 5
IMAGES_AT_A_TIME = 50_000


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time and memory of converting a generated Open Images list'
    )
    parser.add_argument('--images', type=int, default=1_000_000)
    parser.add_argument('--classes', type=int, default=600)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--sort', action='store_true', help='convert with --sort, rows shuffled'
    )
    args = parser.parse_args(argv)
    if args.images < 1 or args.classes < 2 * ROWS_AN_IMAGE:
        parser.error(f'at least 1 image and {2 * ROWS_AN_IMAGE} classes')
    return args


def generate(folder: Path, images: int, classes: int, seed: int, shuffle: bool) -> int:
    """Write the CSV files; gives the number of rows.

    An image has one to nine rows, five on average as in the training part of Open
    Images V4, of different classes.
    """
    rng = np.random.default_rng(seed)
    names = [f'/m/{index:06x}' for index in range(classes)]
    with open(folder / 'class-descriptions.csv', 'w') as file:
        file.writelines(f'{name},Class {name[3:]}\n' for name in names)
    total = 0
    path = folder / 'train-annotations-human-imagelabels.csv'
    with open(path, 'w') as file:
        file.write('ImageID,Source,LabelName,Confidence\n')
        for first in range(0, images, IMAGES_AT_A_TIME):
            number = min(IMAGES_AT_A_TIME, images - first)
            counts = rng.integers(1, 2 * ROWS_AN_IMAGE, number)
            # Neighbouring classes from a random one on: all different.
            starts = rng.integers(0, classes, number)
            verdicts = rng.integers(0, 2, counts.sum()).tolist()
            rows = [
                f'{first + i:016x},verification,{names[(start + j) % classes]},'
                f'{verdicts.pop()}\n'
                for i, (count, start) in enumerate(zip(counts, starts))
                for j in range(count)
            ]
            if shuffle:
                rng.shuffle(rows)
            file.writelines(rows)
            total += len(rows)
    return total


class Usage(NamedTuple):
    """Seconds by the clock and of the processor, and peak memory in MB."""

    clock: float
    processor: float
    memory: float


def measure(command: list[str]) -> Usage:
    """What a process takes.

    Raises:
        RuntimeError: the process failed.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f'{command} failed with status {process.returncode}')
    # Kilobytes, but on macOS bytes.
    unit = 1 if sys.platform == 'darwin' else 1024
    return Usage(
        time.perf_counter() - start,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * unit / 1e6,
    )


def main(argv=None) -> None:
    """Generate, convert, report."""
    args = parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows = generate(root, args.images, args.classes, args.seed, args.sort)
        size = (root / 'train-annotations-human-imagelabels.csv').stat().st_size
        converter = [sys.executable, str(CONVERTER)]
        idle = measure([*converter, '--help'])
        options = ['--version', 'v5', '--splits', 'train']
        options += ['--sort'] if args.sort else []
        found = measure([*converter, str(root), *options])
        written = (root / 'multilabel' / 'train.json').stat().st_size
    rate = rows / (found.processor - idle.processor)
    print(
        f'{args.images:,} images, {rows:,} rows of {args.classes:,} classes '
        f'({size / 1e6:,.0f} MB, written {written / 1e6:,.0f} MB)\n'
        f'{"":12} {"whole":>10} {"imports":>10}\n'
        f'{"clock":12} {found.clock:>8.1f} s {idle.clock:>8.1f} s\n'
        f'{"processor":12} {found.processor:>8.1f} s {idle.processor:>8.1f} s\n'
        f'{"peak memory":12} {found.memory:>7,.0f} MB {idle.memory:>7,.0f} MB\n'
        f'{rate:,.0f} rows a processor second, imports left out'
    )


if __name__ == '__main__':
    main()
