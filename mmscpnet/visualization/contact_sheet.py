"""A contact sheet: photos with what was predicted and what is true under them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

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

CORRECT = Mark('\u2713', (0, 114, 178), 'predicted, present')
MISSED = Mark('\u25cb', (70, 70, 70), 'missed')
FALSE = Mark('\u2717', (200, 80, 0), 'predicted, absent')
UNKNOWN = Mark('?', (150, 75, 125), 'predicted, truth unknown')
MARKS = (CORRECT, MISSED, FALSE, UNKNOWN)


@dataclass(frozen=True)
class ContactSheetItem:
    """One photo of a sheet.

    Args:
        image (str | Path | numpy.ndarray | None): Path of the photo, or RGB uint8
            of shape ``(H, W, 3)``; what cannot be read becomes a grey tile.
        classes (Sequence[str]): Names of the C classes.
        scores (numpy.ndarray): Predicted scores, shape ``(C,)``.
        targets (numpy.ndarray): Labels, shape ``(C,)``: 1 positive, 0 negative,
            -1 unknown.
        title (str): A line above the labels, such as the file name.
        decisions (numpy.ndarray, optional): Which classes are predicted, shape
            ``(C,)``, where the sheet's threshold or top k does not say.
    """

    image: Union[str, Path, np.ndarray, None]
    classes: Sequence[str]
    scores: np.ndarray
    targets: np.ndarray
    title: str = ''
    decisions: Optional[np.ndarray] = None


def judge_labels(
    item: ContactSheetItem,
    threshold: Optional[float] = 0.5,
    topk: Optional[int] = None,
) -> list[tuple[Mark, str, float]]:
    """Compare the predicted labels of a photo with the true ones.

    Args:
        item (ContactSheetItem): The photo.
        threshold (float, optional): A class is predicted from this score on.
        topk (int, optional): The classes of the k highest scores are predicted.
            Exactly one of the two is given.

    Returns:
        list[tuple[Mark, str, float]]: Mark, class name and score of every class
        that is predicted or present, highest score first.

    Raises:
        ValueError: If the lengths differ, or not exactly one rule is given.
    """
    if (threshold is None) == (topk is None):
        raise ValueError(
            'contact sheet: give one of `threshold` and `topk` and set the other to '
            f'None, found threshold={threshold!r} and topk={topk!r}.'
        )
    scores, targets = np.asarray(item.scores), np.asarray(item.targets)
    shape = (len(item.classes),)
    if scores.shape != shape or targets.shape != shape:
        raise ValueError(
            f'contact sheet: {shape[0]} class names, but scores of shape '
            f'{scores.shape} and targets of shape {targets.shape} '
            f'({item.title or item.image}).'
        )
    # Stable, so that equal scores keep the order of the classes.
    order = np.argsort(-scores, kind='stable')
    predicted = np.zeros(len(scores), dtype=bool)
    if item.decisions is not None:
        predicted = np.asarray(item.decisions)
    elif topk is None:
        predicted = scores >= threshold
    else:
        predicted[order[:topk]] = True
    judged = []
    for index in order:
        if predicted[index]:
            mark = {1: CORRECT, 0: FALSE, -1: UNKNOWN}[int(targets[index])]
        elif targets[index] == 1:
            mark = MISSED
        else:
            continue
        judged.append((mark, str(item.classes[index]), float(scores[index])))
    return judged


def _caption(
    item: ContactSheetItem, judged: list, tile: int, max_labels: int
) -> Image.Image:
    """Draw title, marks, names and scores below each other."""
    size = max(9, tile // 16)
    step = round(size * 1.4)
    font, bold = font_of(size), font_of(size, 'bold')
    symbol_room = round(size * 1.3)
    score_room = font.getlength('0.00') + size * 0.6
    rows = []
    if item.title:
        line = wrap_text(item.title, font, tile, 1)[0]
        rows.append((None, line, None, TEXT, font))
    for mark, name, score in judged[:max_labels]:
        # Weight tells hits from errors where neither colour nor symbol shows.
        face = bold if mark is CORRECT else font
        lines = wrap_text(name, face, tile - symbol_room - score_room)
        rows.append((mark.symbol, lines[0], score, mark.colour, face))
        rows += [('', line, None, mark.colour, face) for line in lines[1:]]
    if len(judged) > max_labels:
        more = f'and {len(judged) - max_labels} more'
        rows.append(('', more, None, TEXT, font))
    if not judged:
        rows.append(('', 'no label', None, TEXT, font))
    picture = Image.new('RGB', (tile, step * len(rows) + 4), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    for number, (symbol, text, score, colour, face) in enumerate(rows):
        y = number * step + 2
        if symbol:
            draw.text((0, y), symbol, colour, bold)
        draw.text((0 if symbol is None else symbol_room, y), text, colour, face)
        if score is not None:
            draw.text((tile, y), f'{score:.2f}', colour, font, anchor='ra')
    return picture


def draw_contact_sheet(
    items: Sequence[ContactSheetItem],
    out_file: Union[str, Path],
    columns: int = 4,
    tile: int = 224,
    threshold: Optional[float] = 0.5,
    topk: Optional[int] = None,
    max_labels: int = 10,
    title: str = '',
) -> Path:
    """Draw photos in a grid, their labels under them, and write a PNG.

    The file is complete or not there at all.

    Args:
        items (Sequence[ContactSheetItem]): The photos, row by row.
        out_file (str | Path): PNG file to write; its folder is made.
        columns (int): Photos a row. Defaults to 4.
        tile (int): Side of a photo in pixels, at least 64. Defaults to 224.
        threshold (float, optional): See :func:`judge_labels`. Defaults to 0.5.
        topk (int, optional): See :func:`judge_labels`. Defaults to None.
        max_labels (int): Labels listed under a photo. Defaults to 10.
        title (str): A line above the sheet.

    Returns:
        Path: The file.

    Raises:
        ValueError: If there is no item, or an argument is out of range.
    """
    if not items:
        raise ValueError('contact sheet: there is no photo to draw.')
    for name, value, low in [
        ('columns', columns, 1),
        ('tile', tile, 64),
        ('max_labels', max_labels, 1),
    ]:
        if value < low:
            raise ValueError(
                f'contact sheet: `{name}` must be at least {low}, found {value}.'
            )
    columns = min(columns, len(items))
    gap = max(8, tile // 14)
    width = columns * tile + (columns - 1) * gap
    judged = [judge_labels(item, threshold, topk) for item in items]
    captions = [
        _caption(item, labels, tile, max_labels) for item, labels in zip(items, judged)
    ]
    starts = range(0, len(items), columns)
    heights = [max(c.height for c in captions[s : s + columns]) for s in starts]
    header = draw_header(title, MARKS, width, max(10, tile // 14))
    height = header.height + sum(tile + 4 + h + gap for h in heights)
    sheet = Image.new('RGB', (width + 2 * gap, height + gap), BACKGROUND)
    sheet.paste(header, (gap, gap))
    y = gap + header.height
    for start, caption_height in zip(starts, heights):
        for column, index in enumerate(range(start, min(start + columns, len(items)))):
            x = gap + column * (tile + gap)
            sheet.paste(photo_tile(items[index].image, tile), (x, y))
            sheet.paste(captions[index], (x, y + tile + 4))
        y += tile + 4 + caption_height + gap
    return write_png(sheet, Path(out_file))
