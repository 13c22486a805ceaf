"""The model inside its wrapper."""

from mmengine.model import is_model_wrapper
from torch import nn


def bare_model(model: nn.Module) -> nn.Module:
    """The model itself, without DistributedDataParallel or the like around it."""
    return model.module if is_model_wrapper(model) else model
