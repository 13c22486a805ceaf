"""What every reader of annotations yields."""

from collections.abc import Sequence
from typing import NamedTuple


class LabelRecord(NamedTuple):
    """An image with its known labels, the arguments of ``AnnotationWriter.add``."""

    img_path: str
    positives: Sequence[int]
    negatives: Sequence[int] = ()
