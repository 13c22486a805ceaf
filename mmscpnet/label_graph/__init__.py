"""From label features to the structured prior of SCPNet (Eq. 1-4)."""

from .control_sources import Cooccurrence, PermutedSource
from .graph import (
    LabelGraph,
    build_label_graph,
    build_sparse_label_graph,
    cosine_similarity,
    graph_product,
    normalize_graph,
    reweight_graph,
    topk_mask,
)
from .modules import DynamicLabelGraph, StaticLabelGraph
from .sources import (
    FeatureFile,
    SimilarityFile,
    TextSource,
    average_features_per_label,
)

__all__ = [
    'Cooccurrence',
    'DynamicLabelGraph',
    'FeatureFile',
    'LabelGraph',
    'PermutedSource',
    'SimilarityFile',
    'StaticLabelGraph',
    'TextSource',
    'average_features_per_label',
    'build_label_graph',
    'build_sparse_label_graph',
    'cosine_similarity',
    'graph_product',
    'normalize_graph',
    'reweight_graph',
    'topk_mask',
]
