"""What a classification loss of this package promises."""

from torch import Tensor, nn


class IncompleteLabelLoss(nn.Module):
    """A loss that knows the three states of a label: 1, 0 and -1 (unknown).

    Heads call it with the epoch (0-based); what it does with -1 stands in the
    docstring of each subclass. The result is summed over images and labels.
    """

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """``(N, C)`` logits and targets -> scalar."""
        raise NotImplementedError
