"""A photo with the labels that a model gives it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from .drawing import BACKGROUND, TEXT, font_of, wrap_text, write_png

# Of the Okabe-Ito palette; light enough for grey, dark enough for black text.
GIVEN = (0, 114, 178)
OTHER = (190, 190, 190)
PALE = (120, 120, 120)


def shrink_photo(img: np.ndarray, side: int = 480) -> Image.Image:
    """A small copy of a photo to draw.

    Args:
        img: ``(H, W, 3)`` BGR, uint8 or float in the same range.
        side: the longer side in pixels, at most.
    """
    photo = Image.fromarray(np.ascontiguousarray(img[..., ::-1]).astype(np.uint8))
    photo.thumbnail((side, side))
    return photo


def draw_prediction(
    photo: Image.Image,
    classes: Sequence[str],
    scores: np.ndarray,
    decided: np.ndarray,
    out_file: Path,
    title: str = '',
    max_given: int = 12,
    max_others: int = 3,
) -> Path:
    """Draw a photo, and beside it its labels with their scores as bars.

    Labels that are given stand first, in bold, behind a full bar; the next best ones
    follow in grey.

    Args:
        photo: see :func:`shrink_photo`.
        classes: C names.
        scores: ``(C,)`` in [0, 1].
        decided: ``(C,)`` bool, the labels that are given.
        out_file: PNG; one that is there is replaced.
        title: a line above, such as the name of the file.
        max_given: labels drawn at most; how many more there are is said.
        max_others: labels drawn that are not given.

    Returns:
        Path: the file.
    """
    order = np.argsort(-scores, kind='stable')
    given = [i for i in order if decided[i]]
    others = [i for i in order if not decided[i]][:max_others]
    size, gap, column = 15, 16, 260
    step = round(size * 1.9)
    font, bold = font_of(size), font_of(size, 'bold')
    room = column - font.getlength('0.00') - 8
    rows = [(i, True) for i in given[:max_given]] + [(i, False) for i in others]
    names = {
        i: wrap_text(str(classes[i]), bold if yes else font, room) for i, yes in rows
    }
    lines = [step + round(size * 1.2) * (len(names[i]) - 1) for i, _ in rows]
    extra = (not given) + (len(given) > max_given)
    top = step if title else 0
    height = max(photo.height, sum(lines) + step * extra)
    width = photo.width + gap + column
    sheet = Image.new('RGB', (width + 2 * gap, top + height + 2 * gap), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((gap, gap), wrap_text(title, font, width, 1)[0], TEXT, font)
    sheet.paste(photo, (gap, gap + top))
    left, y = gap + photo.width + gap, gap + top
    if not given:
        draw.text((left, y), 'no label', TEXT, bold)
        y += step
    for number, ((index, yes), line) in enumerate(zip(rows, lines), start=1):
        face, colour = (bold, TEXT) if yes else (font, PALE)
        draw.multiline_text((left, y), '\n'.join(names[index]), colour, face, spacing=1)
        draw.text((left + column, y), f'{scores[index]:.2f}', colour, font, anchor='ra')
        y += line
        bar = y - 8
        draw.rectangle((left, bar, left + column, bar + 3), (235, 235, 235))
        length = float(np.clip(scores[index], 0, 1)) * column
        draw.rectangle((left, bar, left + length, bar + 3), GIVEN if yes else OTHER)
        if number == max_given < len(given):
            draw.text((left, y), f'and {len(given) - max_given} more', TEXT, font)
            y += step
    return write_png(sheet, Path(out_file))
