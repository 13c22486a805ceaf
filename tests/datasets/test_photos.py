"""Photos of every kind: read correctly, or refused by name; never a substitute."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmscpnet.datasets.photos import BadPhoto, decode_photo, read_jpeg_header
from mmscpnet.registry import TRANSFORMS
from tests.shared import ROOT

WIDTH, HEIGHT = 48, 32
# A picture whose values, sides and corners are all told apart.
COLUMNS, ROWS = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
RGB = np.stack([COLUMNS * 5, ROWS * 7, 255 - COLUMNS * 2 - ROWS], 2).astype(np.uint8)
GREY16 = (COLUMNS * 1365 + ROWS * 40).astype(np.uint16)
CONFIGS = [
    'scpnet/scpnet_clip-rn50_1xb128_coco14-spml.py',
    'baselines/linear_rn50_1xb16_coco14-largeloss-an.py',
]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmscpnet')


def encoded(img, kind='PNG', **options):
    buffer = io.BytesIO()
    (img if isinstance(img, Image.Image) else Image.fromarray(img)).save(
        buffer, kind, **options
    )
    return buffer.getvalue()


def opencv(img, ending):
    return cv2.imencode(ending, img[..., ::-1])[1].tobytes()


def alpha_ramp():
    return np.dstack([RGB, np.linspace(0, 255, RGB.size // 3).reshape(HEIGHT, WIDTH)])


def over(background):
    rgba = alpha_ramp().astype(np.uint8).astype(float)
    part = rgba[..., 3:] / 255
    return rgba[..., :3] * part + np.array(background, float) * (1 - part)


def palette(transparent=None):
    img = Image.fromarray(RGB).quantize(16)
    return encoded(img, 'GIF', **({} if transparent is None else transparent))


def see_through_palette():
    """Index 0 is transparent, its hidden colour is red; index 1 is blue."""
    img = Image.new('P', (WIDTH, HEIGHT), 1)
    img.putpalette([255, 0, 0, 0, 0, 255])
    img.paste(0, (0, 0, WIDTH // 2, HEIGHT))
    return encoded(img, 'PNG', transparency=0)


def white_and_blue():
    want = np.full((HEIGHT, WIDTH, 3), 255)
    want[:, WIDTH // 2 :, :2] = 0
    return want


def frames(kind, **options):
    """Two frames, the second one black."""
    black = [Image.new('RGB', (WIDTH, HEIGHT))]
    return encoded(
        Image.fromarray(RGB), kind, save_all=True, append_images=black, **options
    )


def oriented(kind, orientation):
    """What is stored is turned; upright it is RGB."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    quarters = {3: 2, 6: 1, 8: 3}[orientation]  # against the clock
    turned = np.ascontiguousarray(np.rot90(RGB, quarters))
    return encoded(turned, kind, exif=exif, **LOSSLESS[kind])


LOSSLESS = dict(
    JPEG=dict(quality=100, subsampling=0), WEBP=dict(lossless=True), PNG={}, TIFF={}
)
JPEG = encoded(RGB, 'JPEG', **LOSSLESS['JPEG'])


def with_thumbnail(cut=None):
    """A JPEG in whose header another, complete one lies."""
    thumbnail = encoded(RGB[:8, :8], 'JPEG')
    body = b'Exif\0\0' + thumbnail
    segment = b'\xff\xe1' + struct.pack('>H', len(body) + 2) + body
    return (JPEG[:2] + segment + JPEG[2:])[:cut]


def huge_png(width, height):
    """The header of a PNG is all that is read of one that is too large."""

    def chunk(kind, body):
        return (
            struct.pack('>I', len(body))
            + kind
            + body
            + struct.pack('>I', zlib.crc32(kind + body))
        )

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', b'') * 2


# kind -> bytes, R G B that must come out, largest difference
GOOD = {
    'jpeg': (JPEG, RGB, 4),
    'jpeg progressive': (
        encoded(RGB, 'JPEG', progressive=True, **LOSSLESS['JPEG']),
        RGB,
        4,
    ),
    'jpeg with a thumbnail': (with_thumbnail(), RGB, 4),
    'jpeg with bytes behind its end': (JPEG + b'camera notes', RGB, 4),
    'png': (encoded(RGB), RGB, 0),
    'bmp': (encoded(RGB, 'BMP'), RGB, 0),
    'tiff': (encoded(RGB, 'TIFF'), RGB, 0),
    'webp': (encoded(RGB, 'WEBP', lossless=True), RGB, 0),
    'grey png': (encoded(RGB[..., 0]), RGB[..., [0, 0, 0]], 0),
    'grey jpeg': (encoded(RGB[..., 0], 'JPEG', quality=100), RGB[..., [0, 0, 0]], 2),
    'grey, transparent': (
        encoded(Image.fromarray(RGB[..., 0]).convert('LA')),
        RGB[..., [0, 0, 0]],
        0,
    ),
    'one bit': (
        encoded(Image.fromarray(RGB[..., 0] > 99)),
        255 * np.dstack([RGB[..., 0] > 99] * 3).astype(int),
        0,
    ),
    '16-bit grey png': (encoded(GREY16), np.dstack([GREY16 / 257] * 3), 0.5),
    '16-bit grey tiff': (encoded(GREY16, 'TIFF'), np.dstack([GREY16 / 257] * 3), 0.5),
    '16-bit colour png': (opencv(RGB.astype(np.uint16) * 257, '.png'), RGB, 1),
    '16-bit colour tiff': (opencv(RGB.astype(np.uint16) * 257, '.tiff'), RGB, 1),
    'cmyk jpeg': (
        encoded(Image.fromarray(RGB).convert('CMYK'), 'JPEG', **LOSSLESS['JPEG']),
        RGB,
        6,
    ),
    'cmyk tiff': (encoded(Image.fromarray(RGB).convert('CMYK'), 'TIFF'), RGB, 1),
    'rgba png': (encoded(alpha_ramp().astype(np.uint8)), over((255, 255, 255)), 1),
    'rgba webp': (
        encoded(alpha_ramp().astype(np.uint8), 'WEBP', lossless=True, exact=True),
        over((255, 255, 255)),
        1,
    ),
    'palette gif': (
        palette(),
        np.asarray(Image.open(io.BytesIO(palette())).convert('RGB')),
        0,
    ),
    'palette png, transparent': (see_through_palette(), white_and_blue(), 0),
    'animated png': (frames('PNG'), RGB, 0),
    'animated webp': (frames('WEBP', lossless=True), RGB, 0),
    'animated tiff': (frames('TIFF'), RGB, 0),
    'animated gif': (
        frames('GIF'),
        np.asarray(Image.open(io.BytesIO(encoded(RGB, 'GIF'))).convert('RGB')),
        40,
    ),
    **{
        f'{kind.lower()}, exif {orientation}': (
            oriented(kind, orientation),
            RGB,
            4 if kind == 'JPEG' else 0,
        )
        for kind in ('JPEG', 'PNG', 'WEBP', 'TIFF')
        for orientation in (3, 6, 8)
    },
    '1 x 1': (encoded(RGB[:1, 5:6]), RGB[:1, 5:6], 0),
    '1 x 1 jpeg': (encoded(RGB[:1, 5:6], 'JPEG', quality=100), RGB[:1, 5:6], 4),
}

# kind -> bytes, words of the reason
BAD = {
    'zero bytes': (b'', 'the file is empty'),
    'text': (b'not a photo', 'no image format'),
    'html in place of a jpeg': (b'<html>404</html>', 'no image format'),
    'only the start of a jpeg': (JPEG[:2], 'no image format'),
    'jpeg, header cut': (JPEG[:100], ''),
    'jpeg, cut at half': (JPEG[: len(JPEG) // 2], 'truncated'),
    'jpeg, last bytes missing': (JPEG[:-20], 'truncated'),
    'jpeg, filled up with zeros': (JPEG[:-200] + bytes(200), 'truncated'),
    'jpeg, cut, with a thumbnail': (with_thumbnail(-200), 'truncated'),
    **{
        f'{kind.lower()}, cut at {part}': (
            encoded(
                np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), kind
            )[: -(1 << part)],
            '',
        )
        for kind in ('PNG', 'BMP', 'TIFF', 'WEBP', 'GIF')
        for part in (9, 11)
    },
    '32-bit float': (encoded(np.ones((4, 4), np.float32), 'TIFF'), '32-bit numbers'),
    '30,000 pixels wide, 20 high': (
        encoded(Image.new('L', (30_000, 20))),
        '30000 x 20 pixels: one side is more than 200 times',
    ),
    '30,000 x 30,000 png': (huge_png(30_000, 30_000), 'exceeds limit|are more than'),
    '12,000 x 10,000 png': (huge_png(12_000, 10_000), r'12000 x 10000 pixels are more'),
}


@pytest.mark.parametrize('kind', GOOD)
def test_read_correctly(kind):
    content, want, tolerance = GOOD[kind]
    got = decode_photo(content)
    assert got.dtype == np.uint8 and got.flags['C_CONTIGUOUS']
    assert got.shape == want.shape
    assert np.abs(got[..., ::-1].astype(float) - want).max() <= tolerance


@pytest.mark.parametrize('kind', BAD)
@pytest.mark.filterwarnings('ignore::PIL.Image.DecompressionBombWarning')
def test_refused(kind):
    content, reason = BAD[kind]
    with pytest.raises(BadPhoto, match=reason or '.') as error:
        decode_photo(content)
    assert str(error.value)


def test_an_ordinary_jpeg_is_as_mmcv_reads_it(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(JPEG)
    ours, theirs = (
        TRANSFORMS.build(dict(type=f'{scope}.LoadImageFromFile'))
        for scope in ('mmscpnet', 'mmengine')
    )
    assert type(ours) is not type(theirs)
    want = theirs({'img_path': str(tmp_path / 'a.jpg')})
    got = ours({'img_path': str(tmp_path / 'a.jpg')})
    assert np.array_equal(got.pop('img'), want.pop('img')) and got == want


def test_options_of_the_transform(tmp_path):
    (tmp_path / 'a.png').write_bytes(GOOD['rgba png'][0])
    load = TRANSFORMS.build(
        dict(type='LoadImageFromFile', background=(10, 20, 30), to_float32=True)
    )
    img = load({'img_path': str(tmp_path / 'a.png')})['img']
    assert img.dtype == np.float32
    assert np.abs(img[..., ::-1] - over((10, 20, 30))).max() <= 1
    with pytest.raises(FileNotFoundError, match='none.png'):
        load({'img_path': str(tmp_path / 'none.png')})
    with pytest.raises(ValueError, match='background must be R, G, B from 0 to 255'):
        TRANSFORMS.build(dict(type='LoadImageFromFile', background=(0, 0, 256)))


@pytest.mark.parametrize('orientation', [1, 6])
def test_a_huge_jpeg_is_decoded_small(monkeypatch, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = Image.fromarray(RGB).resize((960, 640), Image.Resampling.BICUBIC)
    content = encoded(photo, 'JPEG', quality=100, exif=exif)
    want = photo.resize((240, 160), Image.Resampling.BOX)
    if orientation == 6:
        want = want.transpose(Image.Transpose.ROTATE_270)
    # The limit is Pillow's, which users know how to change.
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 240 * 160)
    got = decode_photo(content)
    assert np.abs(got[..., ::-1].astype(float) - np.asarray(want)).max() < 8
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', None)
    assert decode_photo(content).size == 960 * 640 * 3


def test_irregular_segments_are_left_to_pillow():
    assert read_jpeg_header(JPEG) == (WIDTH, HEIGHT, 3, True)
    assert read_jpeg_header(with_thumbnail(-200)) == (WIDTH, HEIGHT, 3, False)
    for content in (
        JPEG[:2] + b'\0\0' + JPEG[2:],
        JPEG[:2],
        JPEG[:50],
        b'\xff\xd8\xff',
    ):
        assert read_jpeg_header(content) is None
    # Fill bytes before a marker are allowed.
    assert read_jpeg_header(JPEG[:2] + b'\xff\xff' + JPEG[2:]).complete


def config_pipelines():
    for name in CONFIGS:
        config = Config.fromfile(ROOT / 'configs' / name)
        for key in ('train_dataloader', 'test_dataloader'):
            dataset = config[key].dataset
            while 'dataset' in dataset:
                dataset = dataset.dataset
            steps = [t for t in dataset.pipeline if not is_masking(t)]
            yield pytest.param(steps, id=f'{name.split("/")[0]}-{key}')


def is_masking(transform):
    return 'Label' in transform.type


ODD_SHAPES = {
    '1 x 1': GOOD['1 x 1'][0],
    '1 x 100': encoded(np.full((100, 1, 3), 9, np.uint8)),
    '30,000 x 200': encoded(Image.new('RGB', (30_000, 200), 'red'), 'JPEG'),
    'grey': GOOD['grey jpeg'][0],
    'rgba': GOOD['rgba png'][0],
}


@pytest.mark.parametrize('steps', list(config_pipelines()))
@pytest.mark.parametrize('kind', ODD_SHAPES)
def test_pipelines_take_every_shape(tmp_path, steps, kind):
    (tmp_path / 'photo').write_bytes(ODD_SHAPES[kind])
    results = dict(img_path=str(tmp_path / 'photo'), gt_label=[0])
    for step in steps:
        results = TRANSFORMS.build(step)(results)
    views = (
        results['inputs']
        if isinstance(results['inputs'], list)
        else [results['inputs']]
    )
    for view in views:
        assert view.dtype == torch.uint8 and view.shape[0] == 3 and view.shape[1] >= 224
