"""A user's own files in any of the formats, as rows with class names."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

from .class_folders import read_class_folders
from .coco_json import CocoInstances
from .csv_labels import read_csv
from .list_labels import read_list
from .own_rows import SourceRow
from .review import read_review
from .voc_xml import read_voc_folder, voc_class_names, voc_files
from .yolo_txt import read_yolo_folder


class OwnSource(NamedTuple):
    """What a reader found.

    ``classes``: the names, if the format has an order of its own for them; ``states``:
    whether the rows say of each label if it is absent or unknown; ``files``: what was
    read, for the check sums; ``extra``: what else is to be kept of images, by path.
    """

    rows: list[SourceRow]
    classes: Optional[list[str]]
    states: bool
    files: list[Path]
    extra: Mapping[str, dict] = {}


def from_csv(path: Path, photos: Path, classes, **options) -> OwnSource:
    """See :func:`read_csv`."""
    table = read_csv(path, **options)
    return OwnSource(table.rows, table.classes, table.classes is not None, [path])


def from_list(path: Path, photos: Path, classes, **options) -> OwnSource:
    """See :func:`read_list`."""
    return OwnSource(list(read_list(path, **options)), None, False, [path])


def from_coco(path: Path, photos: Path, classes) -> OwnSource:
    """See :class:`CocoInstances`."""
    coco = CocoInstances(path, classes)
    rows = [
        SourceRow(f'{path}: image {record.img_path}', *record)
        for record in coco.records('all')
    ]
    return OwnSource(rows, coco.classes, False, [path])


def from_voc(folder: Path, photos: Path, classes, difficult: str) -> OwnSource:
    """See :func:`read_voc_folder`."""
    files = voc_files(folder)
    classes = classes or voc_class_names(folder)
    records = read_voc_folder(folder, classes, difficult)
    rows = [SourceRow(str(path), *record) for path, record in zip(files, records)]
    return OwnSource(rows, list(classes), difficult == 'ignore', files)


def from_yolo(folder: Path, photos: Path, classes) -> OwnSource:
    """See :func:`read_yolo_folder`."""
    rows = list(read_yolo_folder(folder, photos, classes and len(classes)))
    return OwnSource(rows, None, False, [Path(row.where) for row in rows])


def from_folders(root: Path, photos: Path, classes, same: str) -> OwnSource:
    """See :func:`read_class_folders`. The photos are not summed up."""
    found = read_class_folders(root, same)
    return OwnSource(found.rows, found.classes, False, [])


def from_review(path: Path, photos: Path, classes, ann: Path, unlisted) -> OwnSource:
    """See :func:`merge_decisions`."""
    names, rows, extra = read_review(path, ann, classes, unlisted)
    return OwnSource(rows, names, True, [path, ann], extra)


#: Readers by the name of the format.
READERS: dict[str, Callable[..., OwnSource]] = dict(
    csv=from_csv,
    list=from_list,
    coco=from_coco,
    voc=from_voc,
    yolo=from_yolo,
    folders=from_folders,
    review=from_review,
)


def photo_folder(kind: str, source: Path) -> Path:
    """Where the photos of a source usually are.

    Beside a file; of VOC in ``JPEGImages`` beside ``Annotations``, where that is; of
    YOLO in the folder with ``images`` in place of ``labels``; of class folders there.

    Raises:
        ValueError: the folder of a YOLO set is not called ``labels``.
    """
    if kind == 'folders':
        return source
    if kind == 'voc':
        usual = source.parent / 'JPEGImages'
        return usual if usual.is_dir() else source
    if kind == 'yolo':
        parts = list(source.parts)
        if 'labels' not in parts:
            raise ValueError(f'{source}: say where the photos are with --images')
        parts[len(parts) - 1 - parts[::-1].index('labels')] = 'images'
        return Path(*parts)
    return source.parent


def config_lines(out: Path, photos: dict[str, Path], unlisted: str) -> list[str]:
    """What a config needs to use the files that were written.

    Args:
        out: folder of the files.
        photos: the folder of the photos by split.
        unlisted: what labels are that the files do not list.
    """
    lines = [
        f'classes = {(out / "classes.txt").as_posix()!r}',
        'model = dict(head=dict(classes=classes))',
    ]
    for split, folder in photos.items():
        file = (out / f'{split}.json').as_posix()
        lines.append(
            f"{split}_dataloader = dict(dataset=dict(type='IncompleteMultiLabelDataset'"
            f", data_root='', ann_file={file!r}, data_prefix={folder.as_posix()!r}, "
            f'classes=classes, unlisted={unlisted!r}))'
        )
    if 'val' in photos:
        lines.append('test_dataloader = val_dataloader')
    return lines


def common_classes(sources: Sequence[OwnSource]) -> Optional[list[str]]:
    """The class names of several sources whose formats have an order for them.

    Raises:
        ValueError: they differ.
    """
    first = sources[0].classes
    for source in sources[1:]:
        if source.classes != first:
            raise ValueError(
                'the two sources have different classes: '
                f'{first} and {source.classes}; give --classes a file with all names'
            )
    return first
