"""All protocols by name."""

import dataclasses

from . import image_protocols as image
from . import set_protocols as whole
from .base import Protocol

PROTOCOLS: dict[str, type[Protocol]] = {
    protocol.name: protocol
    for protocol in (
        image.SPMLUniform,
        whole.SPMLLargeLoss,
        image.Listed,
        image.KeepPositives,
        image.Partial,
        whole.PartialSARB,
        whole.PartialDualCoOp,
        image.PartialPerImage,
        whole.FewShot,
        whole.Biased,
        image.Noisy,
        image.AtLeastOne,
    )
}


def protocol_options(name: str) -> dict[str, dataclasses.Field]:
    """The options that a protocol takes, by name.

    Raises:
        ValueError: there is no such protocol.
    """
    if name not in PROTOCOLS:
        raise ValueError(f'protocol must be one of {list(PROTOCOLS)}, found {name!r}')
    return {field.name: field for field in dataclasses.fields(PROTOCOLS[name])}


def build_protocol(name: str, **options) -> Protocol:
    """Make a protocol.

    Args:
        name: one of :data:`PROTOCOLS`.
        **options: its options, without those that keep their default.

    Raises:
        ValueError: there is no such protocol, it does not take an option, or one that
            it must have is missing.
    """
    known = protocol_options(name)
    for option in options:
        if option not in known:
            raise ValueError(
                f'protocol {name} does not take {option!r}; its options are '
                f'{list(known)}'
            )
    for option, field in known.items():
        if field.default is dataclasses.MISSING and option not in options:
            raise ValueError(f'protocol {name} needs {option!r}')
    return PROTOCOLS[name](**options)
