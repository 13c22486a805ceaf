"""Instance annotations in the JSON of MS-COCO, as labels of whole images."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Optional, Union

from ..class_names import load_class_names
from .json_file import keep_keys, load_json
from .records import LabelRecord

IMAGES = ('annotated', 'all')
ORDERS = ('images', 'annotations', 'id-string')
_ID = (int, float, str)
_KEYS = frozenset(
    'images annotations categories id image_id category_id file_name name'.split()
)


class CocoInstances:
    """The file ``instances_*.json``: an image has the labels of its objects.

    Crowd regions count as objects. Read with Python's ``json``; nothing else is
    needed.

    Args:
        path: the file.
        classes: names that the label indices are to count in; None takes the file's
            own categories in the order of their ids.

    Attributes:
        classes (list[str]): the C label names.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a file of instances; the entry is named.
    """

    def __init__(
        self, path: Union[str, Path], classes: Optional[Sequence[str]] = None
    ) -> None:
        self.path = Path(path)
        content = load_json(self.path, keep_keys(_KEYS))
        for key in ('images', 'annotations', 'categories'):
            if not isinstance(content, dict) or not isinstance(content.get(key), list):
                raise ValueError(
                    f'{self.path}: there is no list {key!r}; is it a COCO file of '
                    'instances?'
                )
        categories = self._by_id(content['categories'], 'categories', 'name')
        keys = sorted(categories, key=lambda key: (isinstance(key, str), key))
        own = load_class_names(
            [categories[key] for key in keys], f'{self.path}, categories'
        )
        self.classes = own if classes is None else list(classes)
        index_of = {name: index for index, name in enumerate(self.classes)}
        unknown = [name for name in own if name not in index_of]
        if unknown:
            raise ValueError(
                f'{self.path}: category {unknown[0]!r} is not among the '
                f'{len(self.classes)} given classes'
            )
        label_of = {key: index_of[name] for key, name in zip(keys, own)}
        self._names = self._by_id(content['images'], 'images', 'file_name')
        self._labels: dict = {}
        for position, annotation in enumerate(content['annotations']):
            where = f'{self.path}: annotations[{position}]'
            image, category = self._ids(annotation, where)
            if not isinstance(image, _ID) or image not in self._names:
                raise ValueError(f'{where}: there is no image with the id {image}')
            if not isinstance(category, _ID) or category not in label_of:
                raise ValueError(f'{where}: there is no category {category}')
            self._labels.setdefault(image, set()).add(label_of[category])

    def records(
        self, images: str = 'annotated', order: str = 'images'
    ) -> Iterator[LabelRecord]:
        """Yield the images with their positives; what is not listed is absent.

        Args:
            images: ``'annotated'`` leaves out images without any object (COCO 2014:
                82,081 and 40,137), ``'all'`` keeps them (82,783 and 40,504).
            order: ``'images'`` as in the file's list of images; ``'annotations'`` as
                the annotations first mention them, images without any at the end
                (the order of pycocotools' ``imgToAnns``); ``'id-string'`` by the id
                written as a string, as Cole et al. and LargeLoss sort them.
        """
        for name, value, known in (
            ('images', images, IMAGES),
            ('order', order, ORDERS),
        ):
            if value not in known:
                raise ValueError(f'{name} must be one of {known}, found {value!r}')
        keys = list(self._names)
        if order == 'annotations':
            keys = list(self._labels) + [k for k in keys if k not in self._labels]
        elif order == 'id-string':
            keys.sort(key=str)
        for key in keys:
            if images == 'all' or key in self._labels:
                yield LabelRecord(self._names[key], sorted(self._labels.get(key, ())))

    def count(self, images: str = 'annotated') -> int:
        """How many images :meth:`records` yields."""
        return len(self._names if images == 'all' else self._labels)

    def _by_id(self, entries: list, kind: str, key: str) -> dict:
        found = {}
        for position, entry in enumerate(entries):
            where = f'{self.path}: {kind}[{position}]'
            if not isinstance(entry, dict) or 'id' not in entry or key not in entry:
                raise ValueError(f'{where} must have "id" and "{key}", found {entry}')
            if not isinstance(entry['id'], _ID) or not isinstance(entry[key], str):
                raise ValueError(
                    f'{where}: "id" must be a number or a text and "{key}" a text, '
                    f'found {entry["id"]!r} and {entry[key]!r}'
                )
            if entry['id'] in found:
                raise ValueError(f'{where}: the id {entry["id"]} occurs twice')
            found[entry['id']] = entry[key]
        return found

    @staticmethod
    def _ids(annotation: dict, where: str) -> tuple:
        try:
            return annotation['image_id'], annotation['category_id']
        except (KeyError, TypeError):
            raise ValueError(
                f'{where} must have "image_id" and "category_id", found {annotation}'
            ) from None
