"""Write a trained model as a file to serve: ``export.py CONFIG CHECKPOINT``."""

import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402

# Largest difference of a probability that is taken for the same.
TOLERANCE = {False: 1e-4, True: 1e-2}


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    from mmscpnet.deployment import FORMATS

    parser = argparse.ArgumentParser(
        description='Export image tower and label matrix as one file, check it on '
        'photos, and time it beside PyTorch. Input: RGB photos, float32 (N, 3, H, W) '
        'from 0 to 255; output: probabilities (N, C). Preparation of photos and label '
        'names are in the metadata "mmscpnet" of the file.'
    )
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('checkpoint', help='path of the checkpoint')
    parser.add_argument('--format', choices=list(FORMATS), default='onnx')
    parser.add_argument(
        '--out', help='file to write (default: the checkpoint, with another ending)'
    )
    parser.add_argument(
        '--shape',
        type=int,
        nargs='+',
        help='height and width of the input (default: what the test pipeline gives)',
    )
    parser.add_argument(
        '--dynamic', action='store_true', help='any number of images a batch'
    )
    parser.add_argument(
        '--fp16', action='store_true', help='half precision inside; half the size'
    )
    parser.add_argument(
        '--photos',
        nargs='+',
        help='photos to check the file on (default: the first of the test set)',
    )
    parser.add_argument(
        '--num-photos', type=int, default=16, help='of the test set (default: 16)'
    )
    parser.add_argument(
        '--thresholds', help='file of choose_thresholds.py to put into the metadata'
    )
    parser.add_argument('--overwrite', action='store_true', help='replace the file')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    suffix = FORMATS[args.format]
    if args.out is None:
        args.out = str(Path(args.checkpoint).with_suffix(suffix))
    if not args.out.endswith(suffix):
        parser.error(f'--out must end with {suffix} for {args.format}: {args.out!r}')
    if args.shape is not None and (len(args.shape) > 2 or min(args.shape) < 1):
        parser.error(f'--shape takes one or two positive numbers, got {args.shape}')
    if args.num_photos < 1:
        parser.error(f'--num-photos must be 1 or more, found {args.num_photos}')
    return args


def load_config(args: argparse.Namespace):
    from mmengine.registry import init_default_scope

    from mmscpnet.apis.loading import find_config

    if Path(args.out).exists() and not args.overwrite:
        raise ValueError(
            f'{args.out!r} exists already. Replace it by --overwrite, or name another '
            'file by --out.'
        )
    cfg, _ = find_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmscpnet'))
    return cfg


def photos_of(args, dataset_cfg) -> list[str]:
    """Paths of the photos that the file is checked on."""
    from mmscpnet.registry import DATASETS

    if args.photos:
        for path in args.photos:
            checkpoint.check_file(path, '--photos:')
        return args.photos
    try:
        dataset = DATASETS.build(dataset_cfg)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'{error}. The exported file is checked on photos; name some by --photos'
        ) from error
    count = min(args.num_photos, len(dataset))
    return [dataset.get_data_info(i)['img_path'] for i in range(count)]


def read_photos(photos: list[str], pipeline, size: tuple[int, int]) -> list:
    """What the test pipeline makes of the photos, each ``(3, H, W)``, B, G, R.

    Raises:
        ValueError: it gives another size than that of the export.
    """
    from mmengine.dataset import Compose

    compose = Compose(pipeline)
    images = [compose(dict(img_path=path))['inputs'] for path in photos]
    for path, image in zip(photos, images):
        if tuple(image.shape[1:]) != size:
            raise ValueError(
                f'the test pipeline makes {tuple(image.shape[1:])} (height x width) of '
                f'{path}, but the file is to take {size}. Change --shape or the '
                'pipeline'
            )
    return images


def compare(model, run, images: list, dynamic: bool) -> float:
    """Largest difference of a probability between PyTorch and the file."""
    import numpy as np
    import torch

    largest = 0.0
    for image in images:
        data = dict(inputs=image[None], data_samples=None)
        with torch.no_grad():
            expected = model.test_step(data)[0].pred_score.float().cpu().numpy()
        rgb = image.flip(0).float().numpy()[None]
        found = run(np.repeat(rgb, 3, axis=0) if dynamic else rgb)
        largest = max(largest, float(np.abs(found - expected).max()))
    return largest


def milliseconds(call, rounds: int = 15) -> float:
    """Median time of a call."""
    import numpy as np

    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def main(argv=None) -> None:
    args = parse_args(argv)
    cfg = load_config(args)
    import numpy as np
    import torch
    from rich.console import Console
    from rich.table import Table

    from mmscpnet.apis.loading import (
        build_model,
        find_classes,
        find_test_dataset,
        read_weights,
    )
    from mmscpnet.deployment import (
        ExportedModel,
        ExportSettings,
        describe_preprocessing,
        export_model,
        open_exported,
    )
    from mmscpnet.deployment.preprocessing import input_size
    from mmscpnet.evaluation import load_decisions
    from mmscpnet.version import __version__

    dataset_cfg = find_test_dataset(cfg)
    steps = None
    if args.shape is None:
        steps = describe_preprocessing(dataset_cfg.pipeline)
        size = input_size(steps)
    else:
        size = (args.shape[0], args.shape[-1])
    images = read_photos(photos_of(args, dataset_cfg), dataset_cfg.pipeline, size)

    weights = read_weights(args.checkpoint)
    model = build_model(cfg, weights)
    classes = find_classes(cfg, model, weights)
    metadata = dict(
        classes=classes,
        input='RGB, float32 (N, 3, H, W), 0 to 255',
        output='probabilities (N, C)',
        size=list(size),
        preprocessing=steps,
        config=Path(args.config).name,
        checkpoint=Path(args.checkpoint).name,
        mmscpnet=__version__,
    )
    if args.thresholds:
        load_decisions(args.thresholds).check_classes(classes, 'the model')
        metadata['decisions'] = json.loads(Path(args.thresholds).read_text())
    settings = ExportSettings(args.format, size, args.dynamic, args.fp16)
    export_model(ExportedModel(model), args.out, settings, metadata)

    run, _ = open_exported(args.out)
    difference = compare(model, run, images, args.dynamic)
    console = Console()
    image = torch.rand(1, 3, *size) * 255
    array = image.numpy().astype(np.float32)
    data = dict(inputs=image, data_samples=None)
    with torch.no_grad():
        rows = [
            (
                'PyTorch',
                Path(args.checkpoint),
                milliseconds(lambda: model.test_step(data)),
            ),
            (args.format, Path(args.out), milliseconds(lambda: run(array))),
        ]
    table = Table('form', 'MiB', 'milliseconds an image', 'ratio')
    for name, path, time_taken in rows:
        table.add_row(
            name,
            f'{path.stat().st_size / 2**20:.1f}',
            f'{time_taken:.1f}',
            f'{time_taken / rows[0][2]:.2f}',
        )
    console.print(table)
    console.print(
        f'{args.out}: largest difference on {len(images)} photos {difference:.1e}'
    )
    if not difference < TOLERANCE[args.fp16]:
        raise SystemExit(
            f'the file differs from the model by {difference:.1e}, more than '
            f'{TOLERANCE[args.fp16]:.0e}: do not serve it'
        )


if __name__ == '__main__':
    main()
