"""What a labelling protocol is: options, perhaps a look at the whole set, a mask."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .label_table import LabelTable
from .masking import sample_rng


class Protocol:
    """Base of the protocols; subclasses are dataclasses whose fields are the options.

    The pure functions of this package do the work; a protocol binds them to options,
    to a name and to a source. It is used in the same way to write a file and in a
    pipeline, so both give the same labels:

    .. code-block:: python

        protocol.prepare(table)                     # of the whole annotation file
        masked = protocol.mask(table.row(i), i, path)

    ``i`` is the position in the annotation file, so what an image keeps does not depend
    on workers, on their order, or on which images are used.
    """

    name: ClassVar[str]
    #: Where the protocol comes from.
    source: ClassVar[str]
    #: Whether :meth:`prepare` must have been called.
    whole_set: ClassVar[bool] = False

    def prepare(self, table: LabelTable) -> None:
        """Look at the labels of the whole set; most protocols need not."""

    def mask(self, score: np.ndarray, index: int, image: str) -> np.ndarray:
        """Thin the labels of one image.

        Args:
            score: ``(C,)`` int8 in {1, 0, -1}; not changed.
            index: position in the annotation file.
            image: its path, for protocols that go by name.

        Returns:
            ``(C,)``.
        """
        raise NotImplementedError

    def _check_share(self, *options: str) -> None:
        for option in options:
            value = getattr(self, option)
            if not 0 <= value <= 1:
                raise ValueError(
                    f'{self.name}: {option} must lie in [0, 1], found {value}'
                )


@dataclass
class SeededProtocol(Protocol):
    """A protocol whose draw for an image depends on (seed, index) alone."""

    seed: int = 0

    def mask(self, score: np.ndarray, index: int, image: str) -> np.ndarray:
        """See :meth:`Protocol.mask`."""
        return self.draw(score, sample_rng(self.seed, index))

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The labels that stay, with the random numbers of this image."""
        raise NotImplementedError
