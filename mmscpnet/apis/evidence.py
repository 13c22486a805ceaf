"""Why a model gives a label: the match of the image, and the label graph.

A head that matches images with label features has ``logit = scale * cos(f, Z*)`` and
maybe a bias. Without its association module (SAM) the label features are those of the
prompts, Z, so the difference of the two logits is what the label graph adds. What a
single neighbour adds is measured by cutting it off the graph.
"""

from collections.abc import Sequence
from typing import NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmscpnet.label_graph import LabelGraph


class Neighbor(NamedTuple):
    """A label that is known to be in the image and is a neighbour in the label graph.

    Attributes:
        label: its index.
        weight: of the graph, from this neighbour to the label in question.
        effect: logits by which the label's score falls if the neighbour is cut off
            (see :func:`cut_label`); None where the graph takes no part in the scores.
    """

    label: int
    weight: float
    effect: Optional[float]


class Evidence(NamedTuple):
    """What speaks for a label of an image.

    Attributes:
        cosine: of image and label feature; None for heads that do not match.
        prompt_logit: the logit without the label graph; None where none takes part.
        neighbors: that are known to be there, the most helpful first.
    """

    cosine: Optional[float] = None
    prompt_logit: Optional[float] = None
    neighbors: tuple[Neighbor, ...] = ()


def cut_label(matrix: Tensor, label: int) -> Tensor:
    """A matrix of a label graph in which nothing listens to one label any more.

    The weight that a row gave to the label goes to the row's own label, so that rows
    keep their sums.

    Args:
        matrix: ``(C, C)``, dense; row c has the weights of the neighbours of c.
        label: column to cut.

    Returns:
        ``(C, C)``; row ``label`` itself is as it was.
    """
    cut = matrix.clone()
    weight = matrix[:, label].clone()
    weight[label] = 0
    cut[:, label] -= weight
    cut.diagonal().add_(weight)
    return cut


class LabelMatch:
    """Label features and graph of a head, in order to explain its scores.

    Args:
        head: head of the model; any, also None. What it lacks is not explained.
    """

    def __init__(self, head: Optional[nn.Module]) -> None:
        self.head = head
        graph = getattr(head, 'label_graph', None)
        #: Label features of the prompts, ``(C, D)``; None for heads without.
        self.prompts: Optional[Tensor] = None
        if hasattr(head, 'refined_label_features'):
            with torch.no_grad():
                self.prompts = head.label_features().float()
        self.association = getattr(head, 'association', None)
        #: ``(C, C)``, row c has the weights of the neighbours of label c, or None.
        self.weights: Optional[Tensor] = None
        if graph is not None:
            with torch.no_grad():
                matrices = graph(self.prompts)
            self.weights = getattr(
                matrices, getattr(self.association, 'matrix', 'normalized')
            )
            if self.weights.is_sparse:
                self.weights = self.weights.to_dense()
        #: Z*, ``(C, D)`` with rows of length 1; None for heads that do not match.
        self.refined: Optional[Tensor] = None
        if self.prompts is not None:
            with torch.no_grad():
                self.refined = self._refine(self.weights)

    @torch.no_grad()
    def explain(
        self,
        features: Optional[Tensor],
        entries: Sequence[tuple[int, int]],
        present: Sequence[Sequence[int]],
    ) -> list[Evidence]:
        """Evidence for labels of images.

        Args:
            features: ``(N, D)`` image features behind the projection, of length 1; None
                for heads that do not match.
            entries: image and label of each.
            present: for each of the N images the labels that are known to be there.

        Returns:
            One for each entry.
        """
        if not entries:
            return []
        neighbors = self._neighbors(features, entries, present)
        if self.prompts is None or features is None:
            return [Evidence(neighbors=found) for found in neighbors]
        cosine = self._cosine(features, entries, self.refined)
        logits: Sequence = [None] * len(entries)
        if self.association is not None:
            unrefined = F.normalize(self.prompts, dim=-1)
            plain = self._cosine(features, entries, unrefined)
            logits = (self._scale() * plain + self._bias(entries)).tolist()
        return list(map(Evidence, cosine.tolist(), logits, neighbors))

    def _neighbors(self, features, entries, present) -> list[tuple[Neighbor, ...]]:
        if self.weights is None:
            return [()] * len(entries)
        weights = self.weights.cpu()
        found = [
            {k: weights[c, k].item() for k in present[i] if k != c and weights[c, k]}
            for i, c in entries
        ]
        effects = [dict.fromkeys(labels) for labels in found]
        if self.association is not None and features is not None:
            effects = self._effects(features, entries, found)
        # Where no effect is known, the weight says most.
        return [
            tuple(
                sorted(
                    (Neighbor(k, labels[k], effect[k]) for k in labels),
                    key=lambda n: (-(n.effect or 0), -n.weight, n.label),
                )
            )
            for labels, effect in zip(found, effects)
        ]

    def _effects(self, features, entries, found) -> list[dict[int, float]]:
        """Logits that each neighbour adds; one pass of SAM for each known label."""
        positions: dict[int, list[int]] = {}
        for position, labels in enumerate(found):
            for label in labels:
                positions.setdefault(label, []).append(position)
        effects: list[dict[int, float]] = [{} for _ in entries]
        for label, where in positions.items():
            without = self._refine(cut_label(self.weights, label))
            chosen = [entries[p] for p in where]
            change = self._cosine(features, chosen, self.refined) - self._cosine(
                features, chosen, without
            )
            for position, effect in zip(where, (self._scale() * change).tolist()):
                effects[position][label] = effect
        return effects

    def _refine(self, matrix: Optional[Tensor]) -> Tensor:
        """Z* with rows of length 1, over a matrix of the label graph."""
        if self.association is None:
            return F.normalize(self.prompts, dim=-1)
        graph = LabelGraph(matrix, matrix)
        return F.normalize(self.association(self.prompts, graph).float(), dim=-1)

    @staticmethod
    def _cosine(features, entries, labels: Tensor) -> Tensor:
        images, classes = torch.tensor(entries).t()
        return (features[images].to(labels.device) * labels[classes]).sum(dim=-1).cpu()

    def _scale(self) -> float:
        return self.head.log_scale.exp().item()

    def _bias(self, entries) -> Tensor:
        bias = self.head.bias
        if bias is None:
            return torch.zeros(len(entries))
        bias = bias.detach().cpu().expand(self.head.num_classes)
        return bias[[c for _, c in entries]]
