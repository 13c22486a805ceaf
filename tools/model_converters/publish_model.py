"""A checkpoint to give away: ``publish_model.py CHECKPOINT OUT``."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint  # noqa: E402

KEPT_META = ('cfg', 'dataset_meta', 'labels', 'epoch', 'iter', 'mmengine_version')


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Keep the weights that tools/test.py tests and what describes '
        'them; leave out optimiser, schedule, the other set of weights, what training '
        'remembers of its images, and the log. The file is named OUT with the first 8 '
        'digits of its SHA-256.'
    )
    parser.add_argument('checkpoint', help='of a training run')
    parser.add_argument('out', help='name of the file, such as scpnet_coco.pth')
    args = parser.parse_args(argv)
    if not args.out.endswith('.pth'):
        parser.error(f'OUT must end with .pth, found {args.out!r}')
    return args


def published(stored: dict) -> dict:
    """The part of a checkpoint that is given away.

    Raises:
        ValueError: it is not a checkpoint of a training run.
    """
    from mmscpnet.apis.loading import TRAINING_STATE

    state = stored.get('state_dict')
    if not isinstance(state, dict):
        raise ValueError('there is no state_dict: not a checkpoint of a training run')
    meta = stored.get('meta') or {}
    return dict(
        meta={key: meta[key] for key in KEPT_META if key in meta},
        state_dict={
            name: value
            for name, value in state.items()
            if not name.startswith(TRAINING_STATE)
        },
    )


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint.check_whole(args.checkpoint, 'The checkpoint')

    from mmscpnet.utils.conversion import save_hashed

    with checkpoint.explain_refused_checkpoint():
        stored = checkpoint.read_checkpoint(args.checkpoint)
    before = Path(args.checkpoint).stat().st_size
    path = save_hashed(published(stored), args.out)
    size = path.stat().st_size
    print(f'{path}: {size / 2**20:.1f} MiB of {before / 2**20:.1f}')


if __name__ == '__main__':
    main()
