"""CLIP's weights for an SCPNet, or back: ``clip_weights.py SOURCE CONFIG OUT``."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint  # noqa: E402
from mmscpnet.utils.conversion import (  # noqa: E402
    build_bare_model,
    converter_arguments,
    save_converted,
    save_whole,
)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Write OpenAI's or open_clip's weights as a checkpoint for a "
        'config (for load_from), or with --back the towers of a trained SCPNet as a '
        'state dict that open_clip loads.'
    )
    parser.add_argument(
        '--back', action='store_true', help='SOURCE is a checkpoint of this project'
    )
    return converter_arguments(parser, "CLIP's weights, or a checkpoint", argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    from mmscpnet.models.converters import check_complete, from_clip, to_clip
    from mmscpnet.models.converters.clip_names import IMAGE_TOWER, SCALE, TEXT_TOWER
    from mmscpnet.models.utils.open_clip_weights import read_weights

    model = build_bare_model(args.config, args.cfg_options)
    own = model.state_dict()
    if args.back:
        with checkpoint.explain_refused_checkpoint():
            state = checkpoint.read_checkpoint(args.source)
        state = state.get('state_dict', state)
        check_complete(state, own, [], args.source, [n for n in own if 'extra' in n])
        save_whole(to_clip(state), args.out)
        print(f'{args.out}: a state dict for open_clip')
        return
    towers = {n for n in own if n.startswith((IMAGE_TOWER, TEXT_TOWER))}
    if not towers:
        raise ValueError(f'{args.config}: the model has no tower of CLIP')
    converted, unknown = from_clip(read_weights(Path(args.source)), own)
    if not model.head.scale_from_clip:
        converted.pop(SCALE, None)
    wanted = {name: own[name] for name in towers | {SCALE}}
    check_complete(converted, wanted, unknown, args.source, [SCALE])
    save_converted(model, converted, args)


if __name__ == '__main__':
    main()
