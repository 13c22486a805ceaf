"""Labels that an annotation file knows, to be told apart from predictions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np

from mmscpnet.datasets.formats.provenance import read_traced_labels


class KnownLabels:
    """What an annotation file says of a photo, in the order of a model's labels.

    Args:
        path: OpenMMLab's JSON, or a list file with lines ``name.jpg,3 17``. What a
            completed file calls ``proposed`` is unknown.
        classes: names that a list counts in.

    Attributes:
        path (str): of the file.
        classes (list[str]): its labels.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read; line and image are named.
    """

    def __init__(
        self, path: Union[str, Path], classes: Optional[Sequence[str]] = None
    ) -> None:
        labels = read_traced_labels(path, classes)
        self.path = str(path)
        self.classes = labels.classes
        self._states = labels.states
        self._rows = {
            name.replace('\\', '/'): row for row, name in enumerate(labels.images)
        }

    def check_classes(self, classes: Sequence[str]) -> None:
        """Refuse a file that shares no label with a model.

        Raises:
            ValueError: it does not.
        """
        if not set(classes) & set(self.classes):
            raise ValueError(
                f'{self.path} knows other labels than the model: '
                f'{", ".join(self.classes[:4])} ..., not {", ".join(classes[:4])} ...'
            )

    def find(
        self, photo: Optional[str], classes: Sequence[str]
    ) -> Optional[np.ndarray]:
        """Known labels of a photo.

        Args:
            photo: its path or address; the file may name it by the end of that.
            classes: C labels of the model.

        Returns:
            ``(C,)`` int8 in {1, 0, -1}, -1 for labels that the file does not have; None
            if it does not list the photo.
        """
        if photo is None:
            return None
        if '://' not in photo:
            photo = str(Path(photo).absolute())
        parts = photo.replace('\\', '/').split('/')
        # The longest first: a/1.jpg and b/1.jpg may both be listed beside 1.jpg.
        ends = ('/'.join(parts[start:]) for start in range(len(parts)))
        row = next((self._rows[end] for end in ends if end in self._rows), None)
        if row is None:
            return None
        known = dict(zip(self.classes, self._states[row].tolist()))
        return np.array([known.get(name, -1) for name in classes], dtype=np.int8)
