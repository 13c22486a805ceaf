"""Label sources as they are named on a command line."""

import argparse
from pathlib import Path

from .sources import load_matrix


def parse_source(words: list[str], option: str) -> tuple[str, dict]:
    """Name and config of a source that was given on the command line.

    Args:
        words: one ``.npy`` or ``.pt`` file (label similarities if it is square, else
            label features), or key=value pairs of a registered source.
        option: named in errors.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: neither a file nor key=value pairs with a type.
    """
    from mmengine.config import Config, DictAction

    if len(words) == 1 and '=' not in words[0]:
        rows, columns = load_matrix(words[0]).shape
        kind = 'SimilarityFile' if rows == columns else 'FeatureFile'
        return Path(words[0]).stem, dict(type=kind, path=words[0])
    keys = [word.partition('=')[0] for word in words if '=' in word]
    if len(keys) < len(words) or 'type' not in keys:
        raise ValueError(
            f'{option}: give one .npy or .pt file, or key=value pairs, type=... among '
            f'them; found {" ".join(words)}'
        )
    parser = argparse.ArgumentParser()
    parser.add_argument('--pairs', nargs='+', action=DictAction)
    source = Config()
    # Takes the dots in the keys for levels.
    source.merge_from_dict(parser.parse_args(['--pairs', *words]).pairs)
    return source_name(source.to_dict()), source.to_dict()


def source_name(source: dict) -> str:
    """What a source is called in titles."""
    encoder = source.get('text_encoder')
    if encoder is not None:
        model = encoder.get('model') or encoder.get('path') or ''
        return f'{encoder["type"]} {model}'.strip()
    return f'{source["type"]} {source.get("path", "")}'.strip()


def graph_settings(graph) -> dict:
    """What of a graph's config goes to ``build_label_graph``."""
    defaults = dict(neighbor_weight=0.2, temperature=0.2, softmax_over='nonzero')
    return dict(
        topk=graph['topk'], **{key: graph.get(key, defaults[key]) for key in defaults}
    )
