"""OpenAI's and open_clip's names of both towers, and those of an SCPNet."""

from collections.abc import Mapping

from torch import Tensor

IMAGE_TOWER = 'backbone.visual.'
TEXT_TOWER = 'head.prompter.text_encoder.tower.'
SCALE = 'head.log_scale'


def from_clip(
    state: Mapping[str, Tensor], model: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], set[str]]:
    """Weights of a CLIP model by the names of an SCPNet.

    Args:
        state: with ``visual.*``, ``text.*`` and ``logit_scale``, as
            :func:`mmscpnet.models.utils.read_weights` gives them.
        model: state dict of the SCPNet; a tower it does not have is left out.

    Returns:
        The weights, and the names of ``state`` that were not understood.
    """
    towers = {'visual.': IMAGE_TOWER, 'text.': TEXT_TOWER}
    has = {own: any(name.startswith(own) for name in model) for own in towers.values()}
    converted, unknown = {}, set()
    for name, value in state.items():
        if name == 'logit_scale':
            converted[SCALE] = value.float().reshape(())
            continue
        prefix = next((p for p in towers if name.startswith(p)), None)
        if prefix is None:
            unknown.add(name)
        elif has[towers[prefix]]:
            converted[towers[prefix] + name[len(prefix) :]] = value
    return converted, unknown


def to_clip(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The other way: the towers of an SCPNet as a state dict of open_clip's ``CLIP``.

    ``logit_scale`` is the logarithm of the scale that the SCPNet was trained with.
    Prompts, SAM and label graph have no place there.

    Raises:
        ValueError: the model does not have both towers of CLIP.
    """
    converted = {}
    for own, prefix in ((IMAGE_TOWER, 'visual.'), (TEXT_TOWER, '')):
        names = [name for name in state if name.startswith(own)]
        if not names:
            raise ValueError(
                f'the checkpoint has no weights {own}*, so it has not both towers of '
                'CLIP'
            )
        converted.update({prefix + name[len(own) :]: state[name] for name in names})
    converted['logit_scale'] = state[SCALE].reshape(())
    return converted
