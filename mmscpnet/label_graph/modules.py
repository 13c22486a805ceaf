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
    build_sparse_label_graph,
    check_graph_settings,
    cosine_similarity,
)
from .sources import TextSource

# A sparse product pays, and dense matrices grow large, from here on.
SPARSE_CLASSES = 1024
SPARSE_DENSITY = 1 / 8


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
        temperature: tau' of Eq. 4, or None for the weights of Eq. 3.
        softmax_over: see :func:`build_label_graph`.
        sparse: whether the matrices are used sparse. ``'auto'``: from 1,024 labels
            on, if at most an eighth of the entries is stored.

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
        temperature: Optional[float] = 0.2,
        softmax_over: str = 'nonzero',
        sparse: Union[bool, str] = 'auto',
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        self.classes = list(classes)
        check_graph_settings(len(classes), topk, neighbor_weight, temperature)
        if sparse not in (True, False, 'auto'):
            raise ValueError(
                f"label_graph.sparse must be True, False or 'auto', found {sparse!r}"
            )
        self.sparse = sparse
        self.source = source
        self.settings = dict(
            topk=topk,
            neighbor_weight=neighbor_weight,
            temperature=temperature,
            softmax_over=softmax_over,
        )
        for name in ('indices', 'reweighted', 'normalized'):
            self.register_buffer(name, None)
        # Expanded: takes no memory.
        self._store(torch.ones(1, 1).expand(len(classes), len(classes)))

    def _store(self, similarity: Tensor) -> None:
        self._keep(
            build_sparse_label_graph(similarity, names=self.classes, **self.settings)
        )

    def _keep(self, entries: tuple[Tensor, LabelGraph]) -> None:
        self.indices, (self.reweighted, self.normalized) = entries

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

    def set_classes(self, classes: Sequence[str], text_encoder=None) -> None:
        """Take other labels; nothing changes if that fails.

        The same labels in another order keep the stored graph, permuted. Otherwise it
        is built anew from the texts of all labels. K stays as it was, or becomes the
        number of labels where there are fewer.

        Args:
            classes: label names.
            text_encoder: to ask in place of the one that the source would build.

        Raises:
            ValueError: the graph comes from something else than the labels' texts.
        """
        classes = list(classes)
        if sorted(classes) == sorted(self.classes):
            self._permute([self.classes.index(name) for name in classes])
            self.classes = classes
            return
        source = self.source
        if isinstance(source, dict):
            source = LABEL_SOURCES.build(source)
        if not isinstance(source, TextSource):
            raise ValueError(
                'the label graph was made by '
                f'{type(source).__name__ if source else "no source"} for '
                f'{len(self.classes)} labels, and cannot be made for others '
                f'({describe_difference(classes, self.classes)}). Only a graph from '
                "texts can: label_graph.source=dict(type='TextSource', ...)"
            )
        if text_encoder is not None:
            source = TextSource(text_encoder, source.templates)
        with torch.no_grad():
            similarity = source.similarity(classes).to(self.reweighted.device)
        settings = _clip_topk(self.settings, len(classes))
        entries = build_sparse_label_graph(similarity, names=classes, **settings)
        self.classes, self.settings = classes, settings
        self._keep(entries)

    def _permute(self, old: list[int]) -> None:
        """Rows and columns in another order; ``old[i]`` is the former place of i."""
        new = torch.tensor(old, device=self.indices.device).argsort()
        indices = new[self.indices]
        order = (indices[0] * len(old) + indices[1]).argsort()
        values = LabelGraph(self.reweighted[order], self.normalized[order])
        self._keep((indices[:, order], values))

    def forward(self, label_features: Optional[Tensor] = None) -> LabelGraph:
        """The graph as two ``(C, C)`` matrices; ``label_features`` is not used.

        They are sparse tensors or dense ones, see ``sparse``.
        """
        to_matrix = self._sparse if self.is_sparse else self._dense
        return LabelGraph(to_matrix(self.reweighted), to_matrix(self.normalized))

    @property
    def is_sparse(self) -> bool:
        """Whether :meth:`forward` gives sparse matrices."""
        if self.sparse != 'auto':
            return self.sparse
        size = len(self.classes)
        stored = self.indices.size(1)
        return size >= SPARSE_CLASSES and stored <= SPARSE_DENSITY * size**2

    def _sparse(self, values: Tensor) -> Tensor:
        size = len(self.classes)
        # Sorted and without repetition, as they were stored.
        return torch.sparse_coo_tensor(
            self.indices,
            values,
            (size, size),
            is_coalesced=True,
            check_invariants=False,
        )

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
        temperature: tau' of Eq. 4, or None for the weights of Eq. 3.
        softmax_over: see :func:`build_label_graph`.
        with_grad: whether gradient flows through the graph to the features.
    """

    def __init__(
        self,
        classes: Sequence[str],
        topk: int,
        neighbor_weight: float = 0.2,
        temperature: Optional[float] = 0.2,
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

    def set_classes(self, classes: Sequence[str], text_encoder=None) -> None:
        """Take other labels; K becomes their number where there are fewer."""
        self.classes = list(classes)
        self.settings = _clip_topk(self.settings, len(classes))

    def forward(self, label_features: Tensor) -> LabelGraph:
        """Label features ``(C, D)`` -> the graph as two ``(C, C)`` matrices."""
        features = label_features if self.with_grad else label_features.detach()
        similarity = cosine_similarity(features.float())
        return build_label_graph(similarity, names=self.classes, **self.settings)


def _clip_topk(settings: dict, num_classes: int) -> dict:
    """Settings for another number of labels."""
    return {**settings, 'topk': min(settings['topk'], num_classes)}
