"""A checkpoint of the released SCPNet code: ``scpnet_release.py SOURCE CONFIG OUT``."""

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
)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Translate a checkpoint of the released SCPNet code (a plain '
        'state dict) for a configs/scpnet/*_release.py. Each weight must be understood '
        'and fit. The token embeddings in the file show whether the class names are '
        'others or in another order, except where two names of the same length, with '
        'no word in common with any other, are exchanged. The label graph comes from '
        'the config.'
    )
    return converter_arguments(parser, 'checkpoint of the released code', argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    import open_clip

    from mmscpnet.models.converters import check_complete, from_released
    from mmscpnet.models.converters.released_scpnet import TABLE

    with checkpoint.explain_refused_checkpoint():
        state = checkpoint.read_checkpoint(args.source)
    state = state.get('state_dict', state)
    model = build_bare_model(args.config, args.cfg_options)
    head = model.head
    head.label_graph.init_weights()
    own = model.state_dict()
    tokenizer = open_clip.SimpleTokenizer(
        context_length=head.prompter.text_encoder.context_length
    )
    names = [name.replace('_', ' ') for name in head.classes]
    converted, unknown = from_released(
        state,
        tokenizer([f'a photo of a {name}.' for name in names]).tolist(),
        len(own[TABLE]),
        head.scale_from_clip,
    )
    # What the released file does not hold: a fixed scale, the graph, pseudo-labels.
    from_config = {
        name
        for name in own
        if name.startswith(('head.label_graph.', 'head.pessl.'))
        or (name == 'head.log_scale' and not head.scale_from_clip)
    }
    check_complete(converted, own, unknown, args.source, from_config)
    for name in own.keys() - converted.keys():
        converted[name] = own[name]
    save_converted(model, converted, args)


if __name__ == '__main__':
    main()
