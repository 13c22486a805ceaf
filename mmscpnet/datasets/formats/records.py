"""What every reader of annotations yields."""

from collections.abc import Sequence
from typing import NamedTuple, Optional


class LabelRecord(NamedTuple):
    """An image with its known labels, the arguments of ``AnnotationWriter.add``.

    ``extra`` has whatever else is to be kept of the image.
    """

    img_path: str
    positives: Sequence[int]
    negatives: Sequence[int] = ()
    extra: Optional[dict] = None
