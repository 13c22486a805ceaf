"""Label similarities to hold a prior against: one knows less, one knows more."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmscpnet.datasets.label_statistics import read_split
from mmscpnet.registry import DATASETS, LABEL_SOURCES


@LABEL_SOURCES.register_module()
class PermutedSource:
    """Another source's similarities, given to the wrong labels.

    The graph has the same weights and as many neighbours, but no meaning. What a prior
    gains over it is gained by its content.

    Args:
        source: config of the other source.
        seed: of the permutation.
    """

    def __init__(self, source: dict, seed: int = 0) -> None:
        self.source = source
        self.seed = seed

    def similarity(self, classes: Sequence[str]) -> Tensor:
        """``(C, C)`` float32."""
        matrix = LABEL_SOURCES.build(self.source).similarity(classes)
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(len(matrix), generator=generator)
        return matrix[order][:, order]


@LABEL_SOURCES.register_module()
class Cooccurrence:
    """How often labels occur together in a dataset: cosine of their columns.

    With the full labels of the training images it is an oracle, which no method that
    sees incomplete labels has; with a file of ``tools/complete_labels.py`` it is what
    another model's pseudo-labels say.

    Args:
        dataset: config of a dataset of mmscpnet; its pipeline is not run, so no label
            is masked and no photo is read.
    """

    def __init__(self, dataset: dict) -> None:
        self.dataset = dataset

    def similarity(self, classes: Sequence[str]) -> Tensor:
        """``(C, C)`` float32, ``N_ij / sqrt(N_i N_j)``; unknown labels do not count.

        Raises:
            ValueError: the dataset has other classes, or one never occurs.
        """
        dataset = DATASETS.build({**self.dataset, 'pipeline': []})
        if list(dataset.CLASSES) != list(classes):
            raise ValueError(
                f'Cooccurrence: the dataset has the classes {dataset.CLASSES[:3]}..., '
                f'the model {list(classes)[:3]}...'
            )
        statistics = read_split('Cooccurrence', dataset).observed
        together = torch.from_numpy(statistics.cooccurrence.toarray()).double()
        counts = together.diagonal()
        if (counts == 0).any():
            name = classes[int((counts == 0).nonzero()[0])]
            raise ValueError(f'Cooccurrence: {name!r} never occurs in the dataset')
        return (together / (counts[:, None] * counts).sqrt()).float()
