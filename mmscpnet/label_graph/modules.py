"""Where the model keeps its label graph: fixed in the checkpoint, or learnt."""

import json
from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmscpnet.datasets.class_names import describe_difference
from mmscpnet.registry import LABEL_SOURCES, MODELS

from .graph import (
    LabelGraph,
    build_label_graph,
    check_graph_settings,
    cosine_similarity,
)


@MODELS.register_module()
class StaticLabelGraph(BaseModule):
    """A label graph that is derived once and stored, sparse, in the checkpoint.

    Until :meth:`init_weights` has asked the source, or a checkpoint is loaded, all
    labels count as equally similar (the graph's random initialisation, so to say).

    Args:
        source: config of a label source (``LABEL_SOURCES``), its instance, or None
            for a graph that is to come from a checkpoint.
        classes: C label names.
        topk: K of Eq. 2, the label itself included.
        neighbor_weight: s of Eq. 3.
        temperature: tau' of Eq. 4.
        softmax_over: see :func:`build_label_graph`.

    The state dict has ``indices`` ``(2, E)``, ``reweighted`` and ``normalized``
    ``(E,)`` for the E stored entries, and the label names and settings as JSON
    bytes. Loading the graph of other labels is refused.
    """

    def __init__(
        self,
        source: Union[dict, object, None],
        classes: Sequence[str],
        topk: int,
        neighbor_weight: float = 0.2,
        temperature: float = 0.2,
        softmax_over: str = 'nonzero',
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        self.classes = list(classes)
        check_graph_settings(len(classes), topk, neighbor_weight, temperature)
        self.source = source
        self.settings = dict(
            topk=topk,
            neighbor_weight=neighbor_weight,
            temperature=temperature,
            softmax_over=softmax_over,
        )
        for name in ('indices', 'reweighted', 'normalized'):
            self.register_buffer(name, None)
        self._store(torch.ones(len(classes), len(classes)))

    def _store(self, similarity: Tensor) -> None:
        graph = build_label_graph(similarity, names=self.classes, **self.settings)
        entries = (graph.reweighted != 0) | (graph.normalized != 0)
        self.indices = entries.nonzero().t().contiguous()
        self.reweighted = graph.reweighted[entries]
        self.normalized = graph.normalized[entries]

    def init_weights(self) -> None:
        """Ask the source for the similarities and build the graph from them."""
        super().init_weights()
        if self.source is None:
            return
        source = self.source
        if isinstance(source, dict):
            source = LABEL_SOURCES.build(source)
        with torch.no_grad():
            similarity = source.similarity(self.classes)
        self._store(similarity.to(self.reweighted.device))

    def forward(self, label_features: Optional[Tensor] = None) -> LabelGraph:
        """The graph as two ``(C, C)`` matrices; ``label_features`` is not used."""
        return LabelGraph(self._dense(self.reweighted), self._dense(self.normalized))

    def _dense(self, values: Tensor) -> Tensor:
        size = len(self.classes)
        dense = values.new_zeros(size, size)
        return dense.index_put((self.indices[0], self.indices[1]), values)

    def get_extra_state(self) -> Tensor:
        """Names, settings and source as JSON bytes (mmengine saves tensors only)."""
        source = self.source if isinstance(self.source, dict) else repr(self.source)
        text = json.dumps(
            dict(classes=self.classes, source=source, **self.settings), default=repr
        )
        return torch.tensor(list(text.encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Check that a stored graph is of these labels, and take its settings.

        Raises:
            ValueError: the labels differ; the first difference is shown.
        """
        stored = json.loads(bytes(state.cpu().tolist()).decode())
        if stored['classes'] != self.classes:
            raise ValueError(
                'the checkpoint holds the label graph of other labels: '
                + describe_difference(stored['classes'], self.classes)
            )
        self.settings = {key: stored[key] for key in self.settings}

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs) -> None:
        # A stored graph may have another number of entries than the present one.
        for name in ('indices', 'reweighted', 'normalized'):
            value = state_dict.get(prefix + name)
            if value is not None:
                setattr(self, name, torch.empty_like(value, device=self.indices.device))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


@MODELS.register_module()
class DynamicLabelGraph(BaseModule):
    """A label graph recomputed at each step from the learnt label features.

    Table 4 of the paper, "dynamic": Eq. 1 is taken of the prompter's output.

    Args:
        classes: C label names, for the messages.
        topk: K of Eq. 2.
        neighbor_weight: s of Eq. 3.
        temperature: tau' of Eq. 4.
        softmax_over: see :func:`build_label_graph`.
        with_grad: whether gradient flows through the graph to the features.
    """

    def __init__(
        self,
        classes: Sequence[str],
        topk: int,
        neighbor_weight: float = 0.2,
        temperature: float = 0.2,
        softmax_over: str = 'nonzero',
        with_grad: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        check_graph_settings(len(classes), topk, neighbor_weight, temperature)
        self.classes = list(classes)
        self.with_grad = with_grad
        self.settings = dict(
            topk=topk,
            neighbor_weight=neighbor_weight,
            temperature=temperature,
            softmax_over=softmax_over,
        )

    def forward(self, label_features: Tensor) -> LabelGraph:
        """Label features ``(C, D)`` -> the graph as two ``(C, C)`` matrices."""
        features = label_features if self.with_grad else label_features.detach()
        similarity = cosine_similarity(features.float())
        return build_label_graph(similarity, names=self.classes, **self.settings)
