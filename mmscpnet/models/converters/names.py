"""Every weight is accounted for: none unknown, none missing, none of another shape."""

from collections.abc import Collection, Mapping

from torch import Tensor

SHOWN = 8
# Counts that a model without training history may leave out.
OPTIONAL = 'num_batches_tracked'


def check_complete(
    converted: Mapping[str, Tensor],
    model: Mapping[str, Tensor],
    unknown: Collection[str],
    source: str,
    may_miss: Collection[str] = (),
) -> None:
    """Refuse weights that do not fit a model exactly.

    Args:
        converted: names of the model -> weights.
        model: state dict of the model.
        unknown: names of the source that were not understood.
        source: where the weights come from, for the message.
        may_miss: names of the model that the source need not have.

    Raises:
        ValueError: with the names, at most eight of a kind.
    """
    missing = {
        name
        for name in model.keys() - converted.keys()
        if name not in may_miss and not name.endswith(OPTIONAL)
    }
    shapes = [
        f'{name} ({tuple(value.shape)} in the file, {tuple(model[name].shape)} in the '
        'model)'
        for name, value in sorted(converted.items())
        if name in model and value.shape != model[name].shape
    ]
    problems = {
        'not known here': sorted({*unknown, *(converted.keys() - model.keys())}),
        'missing': sorted(missing),
        'of another shape': shapes,
    }
    found = [
        f'{len(names)} {what}: {", ".join(names[:SHOWN])}'
        + (', ...' if len(names) > SHOWN else '')
        for what, names in problems.items()
        if names
    ]
    if found:
        raise ValueError(
            f'{source} does not fit the model of the config; {"; ".join(found)}'
        )
