"""Class-activation maps of a photo, side by side, and one by one."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from .class_activation import overlay
from .drawing import BACKGROUND, TEXT, font_of, wrap_text, write_png

SIZE = 16


class ActivationMap(NamedTuple):
    """The map of a label.

    Attributes:
        label: its name.
        score: the model's, in [0, 1].
        heat: ``(H, W)`` in [0, 1].
    """

    label: str
    score: float
    heat: np.ndarray

    @property
    def caption(self) -> str:
        """Name and score, and a word if there is nothing to see."""
        text = f'{self.label} {self.score:.2f}'
        return text if self.heat.any() else f'{text} (no part raises it)'


def draw_activation(
    photo: np.ndarray, item: ActivationMap, out_file: Path, side: int = 480
) -> Path:
    """Write a PNG of one map over the photo, titled with label and score.

    Args:
        photo: ``(H, W, 3)`` RGB uint8, as the model sees it.
        item: the map.
        out_file: one that is there is replaced.
        side: longer side of the photo in the picture, in pixels.
    """
    return write_png(_tile(overlay(photo, item.heat), item.caption, side), out_file)


def draw_activation_sheet(
    photo: np.ndarray,
    items: Sequence[ActivationMap],
    out_file: Path,
    title: str = '',
    side: int = 240,
    columns: int = 4,
) -> Path:
    """Write a PNG of the photo and all maps, in the order given.

    Args:
        photo, out_file: see :func:`draw_activation`.
        items: at least one.
        title: a line above.
        side: longer side of a photo in pixels.
        columns: pictures a row.
    """
    tiles = [_tile(photo, 'photo', side)]
    tiles += [_tile(overlay(photo, i.heat), i.caption, side) for i in items]
    columns = min(columns, len(tiles))
    gap = 12
    width, height = (max(getattr(t, k) for t in tiles) for k in ('width', 'height'))
    rows = -(-len(tiles) // columns)
    sheet = Image.new('RGB', (columns * (width + gap) + gap, 1), BACKGROUND)
    header = _header(title, sheet.width - 2 * gap)
    total = header.height + rows * (height + gap) + 2 * gap
    sheet = sheet.resize((sheet.width, total))
    sheet.paste(BACKGROUND, (0, 0, *sheet.size))
    sheet.paste(header, (gap, gap))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        x = gap + column * (width + gap)
        sheet.paste(tile, (x, 2 * gap + header.height + row * (height + gap)))
    return write_png(sheet, out_file)


def _tile(pixels: np.ndarray, caption: str, side: int) -> Image.Image:
    picture = Image.fromarray(pixels)
    factor = side / max(picture.size)
    size = tuple(max(1, round(length * factor)) for length in picture.size)
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    font = font_of(SIZE)
    # A narrow photo leaves the caption its room.
    width = max(picture.width, side // 2)
    lines = wrap_text(caption, font, width)
    step = round(SIZE * 1.35)
    tile = Image.new('RGB', (width, step * len(lines) + 4 + size[1]), BACKGROUND)
    draw = ImageDraw.Draw(tile)
    for number, line in enumerate(lines):
        draw.text((0, number * step), line, TEXT, font)
    tile.paste(picture, (0, step * len(lines) + 4))
    return tile


def _header(title: str, width: int) -> Image.Image:
    """Title, and the scale of the colours."""
    from matplotlib import colormaps

    font, step = font_of(SIZE), round(SIZE * 1.5)
    header = Image.new('RGB', (width, 2 * step if title else step), BACKGROUND)
    draw = ImageDraw.Draw(header)
    if title:
        line = wrap_text(title, font_of(SIZE, 'bold'), width, 1)[0]
        draw.text((0, 0), line, TEXT, font_of(SIZE, 'bold'))
    y = header.height - step
    draw.text((0, y), 'none', TEXT, font)
    left = round(font.getlength('none')) + 8
    ramp = colormaps['cividis'](np.linspace(0, 1, 120))[None, :, :3]
    bar = Image.fromarray((255 * ramp).astype(np.uint8)).resize((120, SIZE))
    header.paste(bar, (left, y + 2))
    draw.text((left + 128, y), 'most', TEXT, font)
    return header
