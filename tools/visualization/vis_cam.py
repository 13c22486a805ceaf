"""Where a model sees its labels: ``vis_cam.py IMAGE CONFIG CHECKPOINT --out-dir DIR``.

Class-activation maps (pytorch-grad-cam, ``pip install -e ".[cam]"``) of the labels that
a photo is given, or of those named: a picture for each, and ``sheet.png`` with all. For
CNNs, and for ViTs with the layout of their tokens; a model that was trained on a
feature bank is given the photo itself. A map has the scale of its own label, so
brightness does not compare between labels.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402

METHODS = (
    'GradCAM (default), GradCAM++, XGradCAM, HiResCAM, LayerCAM, GradCAMElementWise, '
    'EigenGradCAM, or ScoreCAM, which is slow'
)


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('image', help='path or address of a photo')
    parser.add_argument(
        'config', help='path of the config file, or name of a model of MMPretrain'
    )
    parser.add_argument('checkpoint', help='path or address of the checkpoint')
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--labels', nargs='+', help='names of labels to look for')
    which.add_argument(
        '--top-k', type=int, default=3, help='the k most probable labels (default: 3)'
    )
    parser.add_argument('--method', default='GradCAM', help=METHODS)
    parser.add_argument(
        '--target-layers',
        nargs='+',
        default=[],
        help='names of modules, such as backbone.visual.layer3 (default: the last with '
        'places)',
    )
    parser.add_argument(
        '--eigen-smooth', action='store_true', help='first principal component only'
    )
    parser.add_argument(
        '--aug-smooth', action='store_true', help='average over six augmentations'
    )
    parser.add_argument('--out-dir', required=True, help='folder for the pictures')
    parser.add_argument('--overwrite', action='store_true', help='replace pictures')
    parser.add_argument('--device', help='cpu, cuda:0, ... (default: a GPU if any)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    if args.top_k < 1:
        parser.error('--top-k must be at least 1')
    return args


def file_name(number: int, label: str) -> str:
    """A name that every file system takes."""
    return f'{number:02d}_{re.sub(r"[^A-Za-z0-9._-]+", "_", label)[:60]}.png'


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint.forbid_pickled_code()
    from mmscpnet.visualization.class_activation import load_method

    # Before the model is read, which takes long.
    load_method(args.method)
    import numpy as np

    from mmscpnet.apis import MultiLabelInferencer
    from mmscpnet.apis.inputs import list_inputs
    from mmscpnet.apis.loading import find_config
    from mmscpnet.apis.outputs import scores_of
    from mmscpnet.datasets.class_names import class_indices
    from mmscpnet.visualization.activation_sheet import (
        ActivationMap,
        draw_activation,
        draw_activation_sheet,
    )
    from mmscpnet.visualization.class_activation import class_activation_maps
    from mmscpnet.visualization.report_folder import report_folder

    if Path(args.image).is_dir():
        raise ValueError(f'{args.image} is a folder; one photo is wanted')
    config, _ = find_config(args.config, args.cfg_options)
    with report_folder(Path(args.out_dir), args.overwrite) as folder:
        inferencer = MultiLabelInferencer(config, args.checkpoint, args.device)
        items, _ = list_inputs(args.image)
        data, errors = inferencer.preprocess(list(items))
        if errors:
            raise ValueError(f'{args.image} cannot be used: {errors[0]}')
        scores = scores_of(inferencer.forward(data)[0])
        if args.labels:
            labels = class_indices(args.labels, inferencer.classes, '--labels')
        else:
            labels = np.argsort(-scores, kind='stable')[: args.top_k].tolist()
        inputs = data[0]['inputs']
        batch = inferencer.collate_fn(
            [{k: v for k, v in data[0].items() if k != 'photo'}]
        )
        prepared = inferencer.model.data_preprocessor(batch, False)['inputs']
        heats = class_activation_maps(
            inferencer.model,
            prepared,
            labels,
            args.method,
            args.target_layers,
            args.eigen_smooth,
            args.aug_smooth,
        )
        # As PackInputs leaves it: B, G, R.
        photo = inputs.flip(0).permute(1, 2, 0).clamp(0, 255).byte().numpy()
        maps = [
            ActivationMap(inferencer.classes[label], float(scores[label]), heat)
            for label, heat in zip(labels, heats)
        ]
        for number, item in enumerate(maps, start=1):
            draw_activation(photo, item, folder / file_name(number, item.label))
        title = f'{Path(args.image).name}: {args.method}'
        draw_activation_sheet(photo, maps, folder / 'sheet.png', title)
    for item in maps:
        print(item.caption)
    print(f'written: {args.out_dir}')


if __name__ == '__main__':
    main()
