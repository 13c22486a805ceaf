"""From the bytes of any photo to pixels that can be trusted, or a reason why not."""

import io
from typing import NamedTuple, Optional

import cv2
import numpy as np
from PIL import Image, ImageOps

# Beyond this the short side, resized as usual, gives an image of gigabytes.
MAX_ASPECT_RATIO = 200
# What a viewer shows behind a transparent picture.
WHITE = (255, 255, 255)
# OpenCV's reduced decoding, which needs memory for the reduced image only.
REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
# Their readers give 16-bit grey as 32-bit whole numbers.
WIDE_GREY = ('PNG', 'PPM')
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA


class BadPhoto(ValueError):  # noqa: N818 - what it is, as mmengine users see it
    """A photo whose bytes do not make an image."""


class JPEGHeader(NamedTuple):
    """What the segments of a JPEG file say.

    Attributes:
        width: in pixels.
        height: in pixels.
        channels: 1 grey, 3 colour, 4 CMYK.
        complete: whether the end of the image is there.
    """

    width: int
    height: int
    channels: int
    complete: bool


def decode_photo(
    content: bytes, background: tuple[int, int, int] = WHITE
) -> np.ndarray:
    """Decode a photo of any kind to 8-bit BGR, upright.

    Grey becomes three equal channels; 16 bits are scaled, not clipped; CMYK and
    palettes are converted; what is transparent lies on ``background``; of an animation
    the first frame is taken; the orientation of EXIF is applied. A JPEG of more than
    ``PIL.Image.MAX_IMAGE_PIXELS`` (89 million) pixels is decoded at a half, a quarter
    or an eighth of its size, which bounds the memory.

    Args:
        content: the bytes of the file.
        background: R, G, B.

    Returns:
        numpy.ndarray: ``(H, W, 3)`` uint8, contiguous.

    Raises:
        BadPhoto: the file is empty, truncated or damaged, of no known format, too
            large to decode in bounded memory, or extremely long and narrow.
    """
    if not content:
        raise BadPhoto('the file is empty')
    img = _decode_jpeg(content) if content[:2] == b'\xff\xd8' else None
    return _decode_any(content, background) if img is None else img


def read_jpeg_header(content: bytes) -> Optional[JPEGHeader]:
    """Go through the segments up to the pixels; None where they are irregular.

    Thumbnails lie within segments, so their end is not taken for the image's.
    """
    position, frame = 2, None
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in _STANDALONE:
            position += 2
            continue
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4], 'big')
        if marker in _FRAMES and position + 10 <= len(content):
            height = int.from_bytes(content[position + 5 : position + 7], 'big')
            width = int.from_bytes(content[position + 7 : position + 9], 'big')
            frame = width, height, content[position + 9]
        if marker == _SCAN:
            # Within coded pixels 0xFF is followed by 0 or a restart marker.
            last = b'\xff\xd9'
            complete = content.endswith(last) or content.find(last, end) >= 0
            return JPEGHeader(*frame, complete) if frame and all(frame) else None
        position = end
    return None


def _decode_jpeg(content: bytes) -> Optional[np.ndarray]:
    """OpenCV's decoding, twice as fast as Pillow's; None leaves it to Pillow."""
    header = read_jpeg_header(content)
    if header is None or header.channels not in (1, 3):
        return None
    if not header.complete:
        # OpenCV 4 would fill the rest with grey and say nothing.
        raise BadPhoto('the JPEG file is truncated')
    _check_shape(header.width, header.height)
    pixels = header.width * header.height
    for factor, flag in REDUCED.items():
        if pixels <= _max_pixels() * factor**2:
            return cv2.imdecode(np.frombuffer(content, np.uint8), flag)
    return None


def _decode_any(content: bytes, background: tuple[int, int, int]) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content)) as img:
            _check_shape(*img.size)
            if img.width * img.height > _max_pixels():
                raise BadPhoto(
                    f'{img.width} x {img.height} pixels are more than the '
                    f'{_max_pixels():,} that are decoded. Store it smaller, or as JPEG'
                )
            img.load()
            return pillow_to_bgr(img, background)
    except (BadPhoto, MemoryError):
        raise
    # Pillow's readers raise whatever a broken file leads them to.
    except Exception as error:
        if isinstance(error, Image.UnidentifiedImageError):
            raise BadPhoto('it is of no image format that is known') from error
        raise BadPhoto(str(error) or type(error).__name__) from error


def pillow_to_bgr(
    img: Image.Image, background: tuple[int, int, int] = WHITE
) -> np.ndarray:
    """A picture of Pillow to 8-bit BGR, upright; see :func:`decode_photo`.

    Raises:
        BadPhoto: its pixels are 32-bit numbers.
    """
    rgb = _as_rgb(ImageOps.exif_transpose(img), background)
    return cv2.cvtColor(np.asarray(rgb), cv2.COLOR_RGB2BGR)


def _as_rgb(img: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if img.mode.startswith('I;16') or (img.mode == 'I' and img.format in WIDE_GREY):
        return _scaled_grey(img).convert('RGB')
    if img.mode in ('I', 'F'):
        raise BadPhoto(
            'its pixels are 32-bit numbers, whose range is not known. Convert it to 8 '
            'or 16 bits'
        )
    if 'transparency' in img.info or img.mode in ('RGBA', 'LA', 'PA', 'La', 'RGBa'):
        front = img.convert('RGBA')
        canvas = Image.new('RGBA', front.size, (*background, 255))
        return Image.alpha_composite(canvas, front).convert('RGB')
    return img.convert('RGB')


def _scaled_grey(img: Image.Image) -> Image.Image:
    """0 ... 65,535 to 0 ... 255, rounded; Pillow's own conversion clips."""
    values = np.asarray(img).astype(np.int64)
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _check_shape(width: int, height: int) -> None:
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise BadPhoto(
            f'{width} x {height} pixels: one side is more than {MAX_ASPECT_RATIO} '
            'times the other. Cut it into parts'
        )


def _max_pixels() -> int:
    # None is Pillow's way to say no limit.
    return Image.MAX_IMAGE_PIXELS or 1 << 62
