"""A sheet of what a model is fed: the views of each photo and its labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np
from PIL import Image, ImageDraw

from .drawing import (
    BACKGROUND,
    TEXT,
    Mark,
    draw_header,
    font_of,
    photo_tile,
    wrap_text,
    write_png,
)

POSITIVE = Mark('\u2713', (0, 114, 178), 'known positive')
NEGATIVE = Mark('\u2717', (200, 80, 0), 'known negative')
UNKNOWN = Mark('?', (150, 75, 125), 'unknown')
HIDDEN = Mark('\u25cb', (0, 120, 88), 'unknown here, in truth positive')
WRONG = Mark('\u2260', (140, 90, 0), 'known here, in truth the opposite')
FED = (POSITIVE, NEGATIVE, UNKNOWN)

# How many lines of names a kind of label may take under a photo.
MAX_LINES = {POSITIVE: 24, NEGATIVE: 3, UNKNOWN: 0, HIDDEN: 24, WRONG: 6}


@dataclass(frozen=True)
class ViewSheetItem:
    """One photo of a sheet.

    Args:
        views (Sequence[numpy.ndarray]): RGB uint8, each of shape ``(H, W, 3)``.
        scores (numpy.ndarray): Labels as the model gets them, shape ``(C,)``:
            1 positive, 0 negative, -1 unknown.
        full (numpy.ndarray, optional): Labels before some were hidden, shape
            ``(C,)``; None if the truth is not to be shown.
        title (str): A line above the labels.
    """

    views: Sequence[np.ndarray]
    scores: np.ndarray
    full: Optional[np.ndarray] = None
    title: str = ''


class LabelGroup(NamedTuple):
    """The labels of a photo that are of one kind."""

    mark: Mark
    names: list[str]


def group_labels(item: ViewSheetItem, classes: Sequence[str]) -> list[LabelGroup]:
    """Sort the labels of a photo by what is known of them.

    Args:
        item (ViewSheetItem): The photo.
        classes (Sequence[str]): C names.

    Returns:
        list[LabelGroup]: Positives, negatives and unknowns, empty ones too; with
        ``full`` also what is hidden, and what is wrong if anything is.

    Raises:
        ValueError: If the lengths differ, or a label is not 1, 0 or -1.
    """
    scores = np.asarray(item.scores)
    full = None if item.full is None else np.asarray(item.full)
    for name, labels in (('scores', scores), ('full', full)):
        if labels is not None and labels.shape != (len(classes),):
            raise ValueError(
                f'view sheet: {len(classes)} class names, but {name} of shape '
                f'{labels.shape} ({item.title})'
            )
    if not np.isin(scores, (1, 0, -1)).all():
        raise ValueError(f'view sheet: a label is not 1, 0 or -1 ({item.title})')

    def named(chosen: np.ndarray) -> list[str]:
        return [str(classes[index]) for index in np.flatnonzero(chosen)]

    groups = [
        LabelGroup(POSITIVE, named(scores == 1)),
        LabelGroup(NEGATIVE, named(scores == 0)),
        LabelGroup(UNKNOWN, named(scores == -1)),
    ]
    if full is not None:
        groups.append(LabelGroup(HIDDEN, named((scores == -1) & (full == 1))))
        wrong = named((scores != -1) & (full != -1) & (scores != full))
        if wrong:
            groups.append(LabelGroup(WRONG, wrong))
    return groups


def _caption(
    item: ViewSheetItem, classes: Sequence[str], width: int, size: int
) -> Image.Image:
    """Draw title, counts and names below each other."""
    step = round(size * 1.4)
    font, bold = font_of(size), font_of(size, 'bold')
    indent = round(size * 1.3)
    rows = [('', wrap_text(item.title, font, width, 1)[0], TEXT, font, 0)]
    complete = not (np.asarray(item.scores) == -1).any()
    for mark, names in group_labels(item, classes):
        face = bold if mark is POSITIVE else font
        text = str(len(names))
        # Of a completely labelled photo the negatives are all the others.
        if names and MAX_LINES[mark] and not (complete and mark is NEGATIVE):
            text += f': {", ".join(names)}'
        lines = wrap_text(text, face, width - indent, max(1, MAX_LINES[mark]))
        rows.append((mark.symbol, lines[0], mark.colour, face, indent))
        rows += [('', line, mark.colour, face, indent) for line in lines[1:]]
    picture = Image.new('RGB', (width, step * len(rows) + 4), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    for number, (symbol, text, colour, face, x) in enumerate(rows):
        draw.text((0, number * step + 2), symbol, colour, bold)
        draw.text((x, number * step + 2), text, colour, face)
    return picture


def _block(
    item: ViewSheetItem, classes: Sequence[str], tile: int, width: int
) -> Image.Image:
    """The views of a photo side by side, its caption under them."""
    caption = _caption(item, classes, width, max(10, tile // 15))
    block = Image.new('RGB', (width, tile + 4 + caption.height), BACKGROUND)
    for number, view in enumerate(item.views):
        block.paste(photo_tile(view, tile), (number * (tile + 4), 0))
    block.paste(caption, (0, tile + 4))
    return block


def _notes(notes: Sequence[str], width: int, size: int) -> Image.Image:
    font = font_of(size)
    step = round(size * 1.4)
    lines = [line for note in notes for line in wrap_text(note, font, width, 4)]
    picture = Image.new('RGB', (width, step * len(lines) + size), BACKGROUND)
    for number, line in enumerate(lines):
        ImageDraw.Draw(picture).text((0, number * step), line, TEXT, font)
    return picture


def draw_view_sheet(
    items: Sequence[ViewSheetItem],
    classes: Sequence[str],
    out_file: Union[str, Path],
    columns: int = 2,
    tile: int = 192,
    title: str = '',
    notes: Sequence[str] = (),
) -> Path:
    """Draw photos with all their views and labels, and write a PNG.

    Every photo shows how many labels are known positive, known negative and unknown;
    it names the positives and as many negatives as there is room for. What a label
    is in truth is shown for items that have ``full``.

    Args:
        items (Sequence[ViewSheetItem]): The photos, row by row.
        classes (Sequence[str]): C names.
        out_file (str | Path): PNG file to write, whole or not at all.
        columns (int): Photos a row. Defaults to 2.
        tile (int): Side of a view in pixels, at least 64. Defaults to 192.
        title (str): A line above the sheet.
        notes (Sequence[str]): Further lines above the sheet.

    Returns:
        Path: The file.

    Raises:
        ValueError: If there is no photo, or an argument is out of range.
    """
    if not items:
        raise ValueError('view sheet: there is no photo to draw')
    for name, value, low in [('columns', columns, 1), ('tile', tile, 64)]:
        if value < low:
            raise ValueError(
                f'view sheet: `{name}` must be at least {low}, found {value}'
            )
    columns = min(columns, len(items))
    gap = max(12, tile // 10)
    most = max(len(item.views) for item in items)
    # One view is too narrow for the names of its labels.
    block_width = max(most * (tile + 4) - 4, tile * 3 // 2)
    width = columns * block_width + (columns - 1) * gap
    blocks = [_block(item, classes, tile, block_width) for item in items]
    rows = [blocks[s : s + columns] for s in range(0, len(blocks), columns)]
    with_truth = any(item.full is not None for item in items)
    marks = (*FED, HIDDEN, WRONG) if with_truth else FED
    size = max(11, tile // 14)
    parts = [draw_header(title, marks, width, size), _notes(notes, width, size)]
    height = sum(part.height for part in parts)
    height += sum(max(block.height for block in row) + gap for row in rows)
    sheet = Image.new('RGB', (width + 2 * gap, height + 2 * gap), BACKGROUND)
    y = gap
    for part in parts:
        sheet.paste(part, (gap, y))
        y += part.height
    for row in rows:
        for column, block in enumerate(row):
            sheet.paste(block, (gap + column * (block_width + gap), y))
        y += max(block.height for block in row) + gap
    return write_png(sheet, Path(out_file))
