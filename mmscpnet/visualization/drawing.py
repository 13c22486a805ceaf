"""Parts that the picture sheets share: marks, text, tiles and the finished file."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from mmscpnet.datasets.photos import decode_photo

BACKGROUND = 'white'
NO_IMAGE = (205, 205, 205)
TEXT = (40, 40, 40)


@dataclass(frozen=True)
class Mark:
    """How one kind of label is shown: by symbol and by colour.

    The colours are of the Okabe-Ito palette, made to be told apart by the
    colour-blind, some of them darkened to be read on white.
    """

    symbol: str
    colour: tuple[int, int, int]
    meaning: str


@cache
def font_of(size: int, weight: str = 'normal') -> ImageFont.FreeTypeFont:
    """DejaVu Sans in a size in pixels."""
    # matplotlib ships this font, which has the symbols; system fonts may not.
    from matplotlib.font_manager import FontProperties, findfont

    path = findfont(FontProperties(family='DejaVu Sans', weight=weight))
    return ImageFont.truetype(path, size)


def wrap_text(
    text: str, font: ImageFont.FreeTypeFont, width: float, max_lines: int = 2
) -> list[str]:
    """Break a text at spaces, and inside a word only if it must be.

    Args:
        text (str): The text.
        font (ImageFont.FreeTypeFont): Font it is drawn with.
        width (float): Room in pixels.
        max_lines (int): Lines allowed; the last ends in an ellipsis if more would
            follow.

    Returns:
        list[str]: The lines, at least one.
    """
    lines = ['']
    for word in text.split() or ['']:
        candidate = f'{lines[-1]} {word}'.strip()
        if font.getlength(candidate) <= width:
            lines[-1] = candidate
            continue
        if lines[-1]:
            lines.append('')
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width:
                lines.append('')
            lines[-1] += letter
    if len(lines) > max_lines:
        last = lines[max_lines - 1]
        while last and font.getlength(last + '\u2026') > width:
            last = last[:-1]
        lines = [*lines[: max_lines - 1], last + '\u2026']
    return lines


def photo_tile(image, tile: int) -> Image.Image:
    """Fit a photo into a square tile, or say that there is none."""
    try:
        if isinstance(image, np.ndarray):
            photo = Image.fromarray(image).convert('RGB')
        else:
            pixels = decode_photo(Path(image).read_bytes())
            photo = Image.fromarray(pixels[..., ::-1])
    except (OSError, AttributeError, TypeError, ValueError):
        photo = Image.new('RGB', (tile, tile), NO_IMAGE)
        font = font_of(max(9, tile // 14))
        place = (tile / 2, tile / 2)
        ImageDraw.Draw(photo).text(place, 'no image', TEXT, font, anchor='mm')
        return photo
    return ImageOps.pad(photo, (tile, tile), color=(240, 240, 240))


def draw_header(
    title: str, marks: Sequence[Mark], width: int, size: int
) -> Image.Image:
    """Draw the title and the legend, in as many lines as the width asks for."""
    font, bold = font_of(size), font_of(size, 'bold')
    step = round(size * 1.5)
    spots, x, y = [], 0.0, 0
    if title:
        title = wrap_text(title, bold, width, 1)[0]
        y += step
    for mark in marks:
        length = bold.getlength(mark.symbol + ' ') + font.getlength(mark.meaning)
        if x and x + length > width:
            x, y = 0.0, y + step
        spots.append((mark, x, y))
        x += length + size * 1.5
    picture = Image.new('RGB', (width, y + step + size // 2), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    if title:
        draw.text((0, 0), title, TEXT, bold)
    for mark, x, y in spots:
        draw.text((x, y), mark.symbol, mark.colour, bold)
        x += bold.getlength(mark.symbol + ' ')
        draw.text((x, y), mark.meaning, mark.colour, font)
    return picture


def write_png(image: Image.Image, out_file: Path) -> Path:
    """Write a PNG, complete or not at all; one that is there is replaced."""
    with _whole(out_file) as partial:
        image.save(partial, format='PNG')
    return out_file


def save_figure(figure, path: Path, dpi: int = 110) -> None:
    """Write a figure of matplotlib, complete or not at all, and close it.

    Args:
        figure (matplotlib.figure.Figure): of ``pyplot``.
        path: PNG or SVG; one that is there is replaced.
        dpi: pixels an inch.
    """
    import matplotlib.pyplot as plt

    try:
        with _whole(path) as partial:
            figure.savefig(partial, dpi=dpi, format=path.suffix.lstrip('.'))
    finally:
        plt.close(figure)


@contextmanager
def _whole(out_file: Path) -> Iterator[Path]:
    """A file that gets its name at the end of the block, if all went well."""
    out_file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f'.{out_file.name}.', suffix='.partial', dir=out_file.parent
    )
    os.close(handle)
    try:
        yield Path(name)
        # A temporary file is private; the result may be read like its folder.
        os.chmod(name, out_file.parent.stat().st_mode & 0o666)
        os.replace(name, out_file)
    except BaseException:
        os.unlink(name)
        raise
