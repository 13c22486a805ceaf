"""One run of a converter: split files, class names and manifest, all or none."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Optional, Union

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from .manifest import check_counts, write_manifest
from .records import LabelRecord
from .staging import staging_folder
from .writer import AnnotationWriter

MANIFEST = 'manifest.json'


class Conversion:
    """Writes ``<split>.json`` for each split, the class names and ``manifest.json``.

    Everything is written to a hidden folder beside ``out`` and moved into ``out`` by
    :meth:`finish`, so that a run that fails, is interrupted, or does not find the
    published counts leaves nothing.

    .. code-block:: python

        with Conversion('multilabel', classes, command=['coco2014.py', ...]) as run:
            run.write('train2014', records)
            run.finish(inputs=[annotation_file], expected=PUBLISHED)

    Args:
        out: the folder; it must be empty or absent unless ``overwrite``.
        classes: the C label names.
        command: the command line, for the manifest.
        unlisted: see :class:`AnnotationWriter`.
        metainfo: see :class:`AnnotationWriter`.
        overwrite: replace the files of an earlier run; other files in ``out`` stay.
        classes_file: name of the file of class names.

    Raises:
        ValueError: ``out`` is a file, or is not empty and may not be overwritten.
    """

    def __init__(
        self,
        out: Union[str, Path],
        classes: Sequence[str],
        command: Sequence[str],
        *,
        unlisted: str = 'negative',
        metainfo: Optional[dict] = None,
        overwrite: bool = False,
        classes_file: str = 'classes.txt',
    ) -> None:
        self.out = Path(out)
        refuse_used_folder(self.out, overwrite)
        self.classes = list(classes)
        self.command = list(command)
        self.unlisted = unlisted
        self.metainfo = metainfo
        self.classes_file = classes_file
        self.splits: dict[str, dict] = {}
        self._stage: Optional[Path] = None

    def __enter__(self) -> 'Conversion':
        self._context = staging_folder(self.out)
        self._stage = self._context.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._context.__exit__(*error)
        self._stage = None

    def write(
        self,
        split: str,
        records: Iterable[LabelRecord],
        total: Optional[int] = None,
        bar: bool = True,
        extra: Optional[Mapping[str, dict]] = None,
    ) -> None:
        """Write a split.

        Args:
            split: its name, which becomes that of the file.
            records: its images.
            total: how many they are, where that is known.
            bar: show the progress; not needed where the reader does.
            extra: further entries of images, by their path.
        """
        progress = track(
            records,
            f'Writing {split}',
            total,
            console=Console(stderr=True),
            disable=not bar,
        )
        with AnnotationWriter(
            self._stage / f'{split}.json', self.classes, self.unlisted, self.metainfo
        ) as writer:
            for record in progress:
                writer.add(*record, extra=extra and extra.get(record.img_path))
        self.splits[split] = writer.statistics

    def finish(
        self,
        inputs: Sequence[Path],
        expected: Optional[Mapping[str, Mapping[str, int]]] = None,
        found: Optional[Mapping[str, Mapping]] = None,
        allow_mismatch: bool = False,
        check: bool = False,
        **extra,
    ) -> None:
        """Compare the counts, write the manifest and move everything into place.

        Args:
            inputs: the annotation files that were read.
            expected: the published counts by split.
            found: what to compare them with, if not the statistics of the splits.
            allow_mismatch: go on where a count differs.
            check: show the comparison also where nothing differs.
            **extra: further entries of the manifest.

        Raises:
            ValueError: a count differs and ``allow_mismatch`` is false.
        """
        if expected:
            found = self.splits if found is None else found
            check_counts(expected, found, allow_mismatch, quiet=not check)
        elif check:
            Console().print('There are no published counts to compare with.')
        names = '\n'.join(self.classes) + '\n'
        (self._stage / self.classes_file).write_text(
            names, encoding='utf-8', newline='\n'
        )
        write_manifest(
            self._stage / MANIFEST,
            splits=self.splits,
            inputs=inputs,
            command=self.command,
            **extra,
        )
        self.out.mkdir(parents=True, exist_ok=True)
        # The manifest goes first and comes last: it never vouches for other files.
        (self.out / MANIFEST).unlink(missing_ok=True)
        for path in sorted(self._stage.iterdir(), key=lambda p: p.name == MANIFEST):
            os.replace(path, self.out / path.name)
        Console().print(summary_table(self.splits, f'Written to {self.out}'))


def refuse_used_folder(out: Path, overwrite: bool) -> None:
    """Raise ``ValueError`` unless ``out`` is absent or empty, or ``overwrite``."""
    if out.exists() and not out.is_dir():
        raise ValueError(f'--out: {out} is a file, a folder is wanted')
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise ValueError(
            f'--out: {out} is not empty; choose another folder, or give --overwrite '
            'to replace what an earlier run has written there'
        )


def summary_table(splits: Mapping[str, dict], title: str) -> Table:
    """The totals of :attr:`AnnotationWriter.statistics`, a column a split."""
    table = Table(title=title, box=box.SIMPLE, title_justify='left')
    table.add_column()
    for split in splits:
        table.add_column(split, justify='right', overflow='fold')
    for name in (
        'images',
        'labels',
        'positives',
        'negatives',
        'unknowns',
        'label_cardinality',
        'images_without_positive',
    ):
        form = ',.3f' if name == 'label_cardinality' else ','
        numbers = (format(counts[name], form) for counts in splits.values())
        table.add_row(name.replace('_', ' '), *numbers)
    return table
