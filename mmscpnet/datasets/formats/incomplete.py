"""Writing an annotation file whose labels a protocol has thinned."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ..protocols import Protocol
from ..protocols.set_protocols import HELD_OUT, TRAINING, SPMLLargeLoss
from .conversion import summary_table
from .label_file import LabelFile
from .manifest import write_manifest
from .staging import staged_files
from .writer import AnnotationWriter

SHOWN_CLASSES = 40


class IncompleteFiles(NamedTuple):
    """What :func:`write_incomplete` writes; ``holdout`` exists for spml-largeloss."""

    labels: Path
    holdout: Path
    picture: Path
    manifest: Path


def output_files(out: Path) -> IncompleteFiles:
    """The files that go with ``<name>.json``."""
    return IncompleteFiles(
        out,
        out.with_name(f'{out.stem}_holdout.json'),
        out.with_suffix('.png'),
        out.with_suffix('.manifest.json'),
    )


def default_name(ann_file: Path, protocol: Protocol) -> str:
    """``<split>_<protocol>.json``, with the options that differ from their defaults."""
    parts = [ann_file.stem, protocol.name]
    for option, field in protocol.__dataclass_fields__.items():
        value = getattr(protocol, option)
        if value != field.default:
            value = Path(value).stem if isinstance(value, str) else format(value, 'g')
            parts.append(f'{option.replace("_", "-")}-{value}')
    return '_'.join(parts) + '.json'


def write_incomplete(
    source: LabelFile,
    protocol: Protocol,
    ann_file: Path,
    out: Path,
    command: Sequence[str],
    overwrite: bool = False,
) -> dict[str, dict]:
    """Thin the labels of a file, and write them with a manifest and a picture.

    Args:
        source: what ``ann_file`` says.
        protocol: how; it is prepared here.
        ann_file: the file that was read, for the manifest.
        out: the JSON file to write; see :func:`output_files` for the others.
        command: the command line, for the manifest.
        overwrite: replace what an earlier run has written.

    Returns:
        :attr:`AnnotationWriter.statistics` of the input and of the written files, by
        the names of the files.
    """
    from mmscpnet.visualization.thinning import draw_thinning

    table = source.table
    files = output_files(out)
    parts = protocol.parts(table) if isinstance(protocol, SPMLLargeLoss) else None
    targets = [path for path in files if path != files.holdout or parts is not None]
    with staged_files(targets, overwrite) as stage:
        try:
            protocol.prepare(table)
            metainfo = dict(protocol=dict(name=protocol.name, **asdict(protocol)))
            writers = [
                AnnotationWriter(
                    stage / files.labels.name, source.classes, 'unknown', metainfo
                ),
                AnnotationWriter(
                    stage / files.holdout.name, source.classes, source.unlisted
                ),
                # Only counted: what the input has.
                AnnotationWriter(stage / 'before', source.classes, source.unlisted),
            ]
            _write_rows(writers, source, protocol, parts)
        except ValueError as error:
            raise ValueError(f'{ann_file}: {error}') from None
        statistics = {
            ann_file.stem: writers[2].statistics,
            files.labels.stem: writers[0].statistics,
        }
        if parts is not None:
            statistics[files.holdout.stem] = writers[1].statistics
        draw_thinning(
            writers[2].statistics,
            writers[0].statistics,
            stage / files.picture.name,
            f'{ann_file.stem}, {protocol.name}',
        )
        inputs = [ann_file]
        if getattr(protocol, 'ann_file', None):
            inputs.append(Path(protocol.ann_file))
        write_manifest(
            stage / files.manifest.name,
            splits=statistics,
            inputs=inputs,
            command=command,
            protocol=dict(
                name=protocol.name, **asdict(protocol), source=protocol.source
            ),
        )
    return statistics


def _write_rows(writers, source: LabelFile, protocol: Protocol, parts) -> None:
    thinned, holdout, before = writers
    table = source.table
    negatives_listed = source.unlisted == 'unknown'
    progress = track(
        range(len(table)), 'Thinning the labels', console=Console(stderr=True)
    )
    with thinned, holdout, before:
        for index in progress:
            image, row = table.images[index], table.row(index)
            known = (row == 1).nonzero()[0].tolist()
            absent = (row == 0).nonzero()[0].tolist() if negatives_listed else ()
            before.add(image, known, absent)
            if parts is not None and parts[index] != TRAINING:
                if parts[index] == HELD_OUT:
                    holdout.add(image, known, absent)
                continue
            masked = protocol.mask(row, index, image)
            thinned.add(
                image,
                (masked == 1).nonzero()[0].tolist(),
                (masked == 0).nonzero()[0].tolist(),
            )


def print_statistics(statistics: dict[str, dict]) -> None:
    """Totals of all files, and the classes before and after."""
    console = Console()
    console.print(summary_table(statistics, 'Labels before and after'))
    (_, before), (_, after), *_ = statistics.items()
    names = sorted(
        before['per_class'], key=lambda name: after['per_class'][name]['positives']
    )
    shown = names[:SHOWN_CLASSES]
    title = 'Classes by the positives that are left'
    if len(names) > len(shown):
        title = (
            f'The {len(shown)} of {len(names)} classes with the fewest positives left '
            '(all are in the manifest)'
        )
    grid = Table(title=title, box=box.SIMPLE, title_justify='left')
    grid.add_column('class')
    for column in ('positives', 'negatives', 'unknowns'):
        grid.add_column(f'{column} before', justify='right')
        grid.add_column('after', justify='right')
    for name in shown:
        cells = []
        for kind in ('positives', 'negatives', 'unknowns'):
            cells += [
                f'{counts["per_class"][name][kind]:,}' for counts in (before, after)
            ]
        grid.add_row(name, *cells)
    console.print(grid)
