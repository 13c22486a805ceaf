"""A photo with the labels that a model gives it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np
from PIL import Image, ImageDraw

from .drawing import (
    BACKGROUND,
    TEXT,
    Mark,
    draw_header,
    font_of,
    wrap_text,
    write_png,
)

# Of the Okabe-Ito palette; light enough for grey, dark enough for black text.
GIVEN = (0, 114, 178)
OTHER = (190, 190, 190)
PALE = (120, 120, 120)

# What is known of a label and what the model makes of it.
PRESENT = Mark('\u2713', (0, 114, 178), 'known present')
PROPOSED = Mark('+', (0, 120, 88), 'unknown, proposed')
ABSENT = Mark('\u2717', (200, 80, 0), 'known absent')
REJECTED = Mark('\u2013', (120, 120, 120), 'unknown, rejected')
MARKS = (PRESENT, PROPOSED, ABSENT, REJECTED)
# Behind a known label that the model decides otherwise.
DOUBT = {PRESENT: ' (model: no)', ABSENT: ' (model: yes)'}
MAX_ABSENT = 5


class Section(NamedTuple):
    """Labels that are drawn alike.

    Attributes:
        labels: indices, in the order they are drawn in.
        more: how many are left out.
        mark: in front of each; None for none.
        colour: of the names.
        bar: of the bars.
        bold: whether names are.
    """

    labels: list[int]
    more: int
    mark: Optional[Mark]
    colour: tuple[int, int, int]
    bar: tuple[int, int, int]
    bold: bool


def shrink_photo(img: np.ndarray, side: int = 480) -> Image.Image:
    """A small copy of a photo to draw.

    Args:
        img: ``(H, W, 3)`` BGR, uint8 or float in the same range.
        side: the longer side in pixels, at most.
    """
    photo = Image.fromarray(np.ascontiguousarray(img[..., ::-1]).astype(np.uint8))
    photo.thumbnail((side, side))
    return photo


def sort_labels(
    scores: np.ndarray,
    decided: np.ndarray,
    known: Optional[np.ndarray] = None,
    max_given: int = 12,
    max_others: int = 3,
) -> list[Section]:
    """Which labels are drawn, and how; arguments see :func:`draw_prediction`."""
    order = np.argsort(-scores, kind='stable').tolist()
    given = [i for i in order if decided[i]]
    others = [i for i in order if not decided[i]][:max_others]
    if known is None:
        return [
            _section(given, max_given, None, TEXT, GIVEN, True),
            _section(others, max_others, None, PALE, OTHER, False),
        ]
    limits = {
        PRESENT: max_given,
        PROPOSED: max_given,
        ABSENT: MAX_ABSENT,
        REJECTED: max_others,
    }
    labels = {
        PRESENT: [i for i in order if known[i] == 1],
        PROPOSED: [i for i in given if known[i] == -1],
        # First those that the model would give.
        ABSENT: [i for i in order if known[i] == 0],
        REJECTED: [i for i in order if known[i] == -1 and not decided[i]][:max_others],
    }
    labels[ABSENT].sort(key=lambda i: not decided[i])
    return [
        _section(labels[m], limits[m], m, m.colour, m.colour, m in (PRESENT, PROPOSED))
        for m in MARKS
    ]


def _section(labels: list[int], most: int, *style) -> Section:
    return Section(labels[:most], max(0, len(labels) - most), *style)


def draw_prediction(
    photo: Image.Image,
    classes: Sequence[str],
    scores: np.ndarray,
    decided: np.ndarray,
    out_file: Path,
    title: str = '',
    max_given: int = 12,
    max_others: int = 3,
    known: Optional[np.ndarray] = None,
) -> Path:
    """Draw a photo, and beside it its labels with their scores as bars.

    Labels that are given stand first, in bold, behind a full bar; the next best ones
    follow in grey. With ``known`` they are told apart by sign and colour, and a legend
    says how: known present, unknown and proposed, known absent, unknown and rejected.
    Where the model decides otherwise than is known, its word stands behind the name.

    Args:
        photo: see :func:`shrink_photo`.
        classes: C names.
        scores: ``(C,)`` in [0, 1].
        decided: ``(C,)`` bool, the labels that are given.
        out_file: PNG; one that is there is replaced.
        title: a line above, such as the name of the file.
        max_given: labels drawn at most; how many more there are is said.
        max_others: labels drawn that are not given.
        known: ``(C,)`` in {1, 0, -1}, labels of the photo that are known.

    Returns:
        Path: the file.
    """
    sections = sort_labels(scores, decided, known, max_given, max_others)
    size, gap, column = 15, 16, 260
    step = round(size * 1.9)
    font, bold = font_of(size), font_of(size, 'bold')
    indent = 0 if known is None else round(size * 1.3)
    room = column - font.getlength('0.00') - 8 - indent
    names = {
        i: wrap_text(
            str(classes[i]) + _doubt(section.mark, decided[i]),
            bold if section.bold else font,
            room,
        )
        for section in sections
        for i in section.labels
    }
    lines = {i: step + round(size * 1.2) * (len(name) - 1) for i, name in names.items()}
    nothing = known is None and not decided.any()
    extra = nothing + sum(section.more > 0 for section in sections)
    width = photo.width + gap + column
    top = step if title else 0
    legend = None if known is None else draw_header('', MARKS, width, size)
    top += legend.height if legend else 0
    height = max(photo.height, sum(lines.values()) + step * extra)
    sheet = Image.new('RGB', (width + 2 * gap, top + height + 2 * gap), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((gap, gap), wrap_text(title, font, width, 1)[0], TEXT, font)
    if legend:
        sheet.paste(legend, (gap, gap + (step if title else 0)))
    sheet.paste(photo, (gap, gap + top))
    left, y = gap + photo.width + gap, gap + top
    if nothing:
        draw.text((left, y), 'no label', TEXT, bold)
        y += step
    for section in sections:
        face = bold if section.bold else font
        for i in section.labels:
            if section.mark:
                draw.text((left, y), section.mark.symbol, section.colour, bold)
            place = (left + indent, y)
            text = '\n'.join(names[i])
            draw.multiline_text(place, text, section.colour, face, spacing=1)
            score = f'{scores[i]:.2f}'
            draw.text((left + column, y), score, section.colour, font, anchor='ra')
            y += lines[i]
            bar = y - 8
            draw.rectangle((left, bar, left + column, bar + 3), (235, 235, 235))
            length = float(np.clip(scores[i], 0, 1)) * column
            draw.rectangle((left, bar, left + length, bar + 3), section.bar)
        if section.more:
            kind = '' if section.mark is None else f' {section.mark.meaning}'
            draw.text((left, y), f'and {section.more} more{kind}', TEXT, font)
            y += step
    return write_png(sheet, Path(out_file))


def _doubt(mark: Optional[Mark], decided: bool) -> str:
    if mark is PRESENT and not decided or mark is ABSENT and decided:
        return DOUBT[mark]
    return ''
