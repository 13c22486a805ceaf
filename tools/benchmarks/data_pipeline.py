"""Photos a second of a training pipeline, by stage, beside Pillow and torchvision.

``data_pipeline.py PHOTOS [--config CONFIG]`` runs the pipeline of a config and the same
augmentation written with Pillow and torchvision on the same photos in one process, a
photo by the one and by the other in turn, so that their ratio is steady where the
machine is not. It prints the time of each stage, the ratio, and how alike the images
are that come out.
"""

import argparse
import random
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torchvision import transforms

from mmscpnet.datasets.transforms import LabelMasking
from mmscpnet.evaluation.results_file import write_results
from mmscpnet.registry import TRANSFORMS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/scpnet/scpnet_clip-rn50_1xb128_coco14-spml.py'
SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp')
STAGES = {
    'LoadImageFromFile': 'decode',
    'AntialiasedRandomResizedCrop': 'crop and resize',
    'RandomFlip': 'flip',
    'FixMatchRandAugment': 'RandAugment',
    'RelativeCutout': 'cutout',
    'PackInputs': 'pack',
}


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Speed of a three-view pipeline')
    parser.add_argument('photos', type=Path, help='folder of photos')
    parser.add_argument('--config', type=Path, default=CONFIG)
    parser.add_argument('--max-photos', type=int, default=200)
    parser.add_argument('--repeats', type=int, default=5, help='the median counts')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', help='JSON file for the figures')
    args = parser.parse_args(argv)
    if args.max_photos < 1 or args.repeats < 1:
        parser.error('--max-photos and --repeats must be 1 or more')
    return args


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, stage: str, function):
        """The function, its time added to a stage."""

        def run(*args):
            start = time.perf_counter()
            result = function(*args)
            self.seconds[stage] += time.perf_counter() - start
            return result

        return run


def config_pipeline(cfg: Config, watch: Stopwatch):
    """Path -> the views, by the transforms of the config; labels are left out.

    Raises:
        ValueError: the pipeline has a transform that the comparison does not have.
    """
    dataset = cfg.train_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset

    def build(config: dict):
        transform = TRANSFORMS.build(config)
        name = type(transform).__name__
        if name not in STAGES:
            raise ValueError(
                f'the train pipeline has a {name}, which this benchmark does not know; '
                f'it compares {", ".join(STAGES)}'
            )
        return watch.timed(STAGES[name], transform)

    steps = []
    for step in dataset.pipeline:
        if step.type == 'MultiView':
            views = [Compose([build(t) for t in view]) for view in step.transforms]
            steps.append(partial(make_views, views))
        elif not issubclass(TRANSFORMS.get(step.type), LabelMasking):
            steps.append(build(step))

    def run(path: Path) -> list[torch.Tensor]:
        results = dict(img_path=str(path), gt_label=[0])
        for step in steps:
            results = step(results)
        # mmcv reads BGR
        return [view.flip(0) for view in results['inputs']]

    return run


def make_views(views: list[Compose], results: dict) -> dict:
    """What MultiView does."""
    return {**results, 'img': [view(dict(results))['img'] for view in views]}


def enhance(kind):
    return lambda img, m: kind(img).enhance(0.05 + 0.9 * m)


def affine(img, *matrix):
    return img.transform(img.size, Image.Transform.AFFINE, matrix)


# Image and a magnitude from 0 to 1 -> image: FixMatch's operations and ranges.
OPERATIONS = [
    lambda img, m: ImageOps.autocontrast(img),
    enhance(ImageEnhance.Brightness),
    enhance(ImageEnhance.Color),
    enhance(ImageEnhance.Contrast),
    enhance(ImageEnhance.Sharpness),
    lambda img, m: ImageOps.equalize(img),
    lambda img, m: img,
    lambda img, m: ImageOps.posterize(img, 4 + min(3, int(4 * m))),
    lambda img, m: ImageOps.solarize(img, int(256 * m)),
    lambda img, m: img.rotate(60 * m - 30),
    lambda img, m: affine(img, 1, 0.6 * m - 0.3, 0, 0, 1, 0),
    lambda img, m: affine(img, 1, 0, 0, 0.6 * m - 0.3, 1, 0),
    lambda img, m: affine(img, 1, 0, (0.6 * m - 0.3) * img.width, 0, 1, 0),
    lambda img, m: affine(img, 1, 0, 0, 0, 1, (0.6 * m - 0.3) * img.height),
]


def augment(img: Image.Image) -> Image.Image:
    """Three operations, drawn with repetition."""
    for operation in random.choices(OPERATIONS, k=3):
        img = operation(img, random.random())
    return img


def cut_out(img: Image.Image) -> Image.Image:
    """A grey square of up to half the width."""
    img = img.copy()
    side = random.uniform(0, 0.5) * img.width
    left, top = random.uniform(0, img.width), random.uniform(0, img.height)
    box = (left - side / 2, top - side / 2, left + side / 2, top + side / 2)
    ImageDraw.Draw(img).rectangle(box, fill=(127, 127, 127))
    return img


def pillow_pipeline(size: int, watch: Stopwatch):
    """Path -> the views, as a plain Pillow and torchvision program makes them."""
    decode = watch.timed('decode', lambda path: Image.open(path).convert('RGB'))
    flip = watch.timed('flip', transforms.RandomHorizontalFlip())
    crop = watch.timed('crop and resize', transforms.RandomResizedCrop(size))
    pack = watch.timed('pack', transforms.PILToTensor())
    strong = watch.timed('RandAugment', augment)
    cutout = watch.timed('cutout', cut_out)

    def run(path: Path) -> list[torch.Tensor]:
        photo = decode(path)
        views = [photo, photo, cutout(strong(photo))]
        return [pack(crop(flip(view))) for view in views]

    return run


def describe(views: list[torch.Tensor]) -> np.ndarray:
    """Mean, standard deviation and mean step to the next pixel, of each view."""
    rows = []
    for view in views:
        values = view.float()
        step = (values[:, :, 1:] - values[:, :, :-1]).abs().mean()
        rows.append([values.mean(), values.std(), step])
    return np.array(rows, dtype=float)


def output_size(cfg: Config) -> int:
    """Side of the images that the pipeline makes."""
    for scale in _find_scales(cfg.train_dataloader):
        return scale
    raise ValueError('the train pipeline has no AntialiasedRandomResizedCrop')


def _find_scales(node):
    if isinstance(node, dict):
        if node.get('type') == 'AntialiasedRandomResizedCrop':
            yield node['scale']
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            yield from _find_scales(item)


def main(argv=None) -> int:
    args = parse_args(argv)
    photos = [p for p in sorted(args.photos.glob('*')) if p.suffix.lower() in SUFFIXES]
    if not photos:
        raise FileNotFoundError(f'{args.photos} holds no photos ({SUFFIXES})')
    if args.out and Path(args.out).exists():
        raise FileExistsError(f'--out {args.out} exists. Choose another name')
    photos = photos[:: max(1, len(photos) // args.max_photos)][: args.max_photos]
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    init_default_scope('mmscpnet')
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    cfg = Config.fromfile(args.config)
    watches = dict(mmscpnet=Stopwatch(), pillow=Stopwatch())
    pipelines = dict(
        mmscpnet=config_pipeline(cfg, watches['mmscpnet']),
        pillow=pillow_pipeline(output_size(cfg), watches['pillow']),
    )
    names = list(pipelines)
    stages = {name: defaultdict(list) for name in names}
    totals = {name: [] for name in names}
    looks = {name: [] for name in names}
    for repeat in track(range(-1, args.repeats), 'repeats'):
        spent = dict.fromkeys(names, 0.0)
        for watch in watches.values():
            watch.seconds.clear()
        for number, path in enumerate(photos):
            # Who comes second finds the file in memory: take turns.
            for name in names if (number + repeat) % 2 else names[::-1]:
                start = time.perf_counter()
                views = pipelines[name](path)
                spent[name] += time.perf_counter() - start
                looks[name].append(describe(views))
        if repeat < 0:
            continue  # warm-up
        for name in names:
            totals[name].append(1e3 * spent[name] / len(photos))
            for stage, seconds in watches[name].seconds.items():
                stages[name][stage].append(1e3 * seconds / len(photos))

    figures = {
        name: dict(
            milliseconds={s: median(v) for s, v in stages[name].items()},
            total_milliseconds=median(totals[name]),
            photos_a_second=1e3 / median(totals[name]),
            look=np.mean(looks[name], axis=0).tolist(),
        )
        for name in names
    }
    ratio = median(p / o for p, o in zip(totals['pillow'], totals['mmscpnet']))
    show(figures, ratio, len(photos), args.config.name)
    if args.out:
        record = dict(figures, ratio=ratio, photos=len(photos), config=args.config.name)
        write_results(args.out, record)
    return 0


def show(figures: dict, ratio: float, count: int, config: str) -> None:
    """Print the tables."""
    console = Console()
    ours, theirs = figures['mmscpnet'], figures['pillow']
    table = Table(title=f'Milliseconds a photo, one core ({count} photos, {config})')
    for column in ('stage', 'mmscpnet', 'Pillow + torchvision', 'ratio'):
        table.add_column(column, justify='left' if column == 'stage' else 'right')
    for stage, time_ours in ours['milliseconds'].items():
        reference = theirs['milliseconds'][stage]
        row = f'{time_ours:.2f}', f'{reference:.2f}', f'{reference / time_ours:.2f}'
        table.add_row(stage, *row)
    whole = ours['total_milliseconds'], theirs['total_milliseconds']
    table.add_row('all', *(f'{t:.2f}' for t in whole), f'{ratio:.2f}')
    rates = (f'{f["photos_a_second"]:.0f}' for f in (ours, theirs))
    table.add_row('photos a second', *rates, '')
    console.print(table)
    table = Table(title='What comes out (0 to 255): mean / deviation / step')
    for column in ('view', 'mmscpnet', 'Pillow + torchvision'):
        table.add_column(column, justify='left' if column == 'view' else 'right')
    for view, *rows in zip(
        ('labelled', 'weak', 'strong'), ours['look'], theirs['look']
    ):
        table.add_row(view, *(' / '.join(f'{v:.1f}' for v in row) for row in rows))
    console.print(table)
    slowest = max(ours['milliseconds'], key=ours['milliseconds'].get)
    part = ours['milliseconds'][slowest] / ours['total_milliseconds']
    console.print(f'{ratio:.2f} times as fast; {slowest} takes {100 * part:.0f}%.')


if __name__ == '__main__':
    raise SystemExit(main())
