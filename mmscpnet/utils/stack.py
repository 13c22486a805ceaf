"""Which OpenMMLab stack is installed, and whether mmscpnet can run on it.

Two builds of the stack share the import names ``mmengine``, ``mmcv`` and
``mmpretrain``: the maintained one (``onedl-*``, extra ``[mm]``) and the original
one (extra ``[openmmlab]``). Installed together they overwrite each other's files,
which shows up far from its cause; hence a check at import. It reads package
metadata only and imports none of the packages.

``setup.py`` takes the requirements of both extras from here, so this file must
import nothing but the standard library at module level.
"""

import importlib.util
from dataclasses import dataclass
from importlib import metadata
from typing import Optional


@dataclass(frozen=True)
class Provider:
    """A distribution that installs one of the stack's import names.

    Attributes:
        name (str): Name of the distribution.
        minimum (str): First version that is accepted.
        maximum (str): First version that is not accepted any more.
    """

    name: str
    minimum: str
    maximum: str

    @property
    def requirement(self) -> str:
        return f'{self.name}>={self.minimum},<{self.maximum}'


# Import name -> what can provide it. The upper bound of mmcv is mmpretrain's own.
MAINTAINED = {
    'mmengine': (Provider('onedl-mmengine', '0.10.8', '1.0.0'),),
    'mmcv': (Provider('onedl-mmcv', '2.3.0', '2.4.0'),),
    'mmpretrain': (Provider('onedl-mmpretrain', '1.3.0', '2.0.0'),),
}
ORIGINAL = {
    'mmengine': (
        Provider('mmengine', '0.10.0', '1.0.0'),
        Provider('mmengine-lite', '0.10.0', '1.0.0'),
    ),
    # mmcv-lite first: the only one with a wheel for every Python and torch.
    'mmcv': (
        Provider('mmcv-lite', '2.1.0', '2.4.0'),
        Provider('mmcv', '2.1.0', '2.4.0'),
    ),
    'mmpretrain': (Provider('mmpretrain', '1.2.0', '2.0.0'),),
}
# The original mmengine reads versions through pkg_resources, which setuptools
# 81 dropped.
PKG_RESOURCES_REQUIREMENT = 'setuptools<81'

INSTALL_MM = (
    '`pip install "mmscpnet[mm]"` (in a checkout of mmscpnet: `pip install -e ".[mm]"`)'
)
INSTALL_ORIGINAL = (
    '`pip install "mmscpnet[openmmlab]"` (in a checkout of mmscpnet: '
    '`pip install -e ".[openmmlab]"`)'
)


def extra_requirements(extra: str) -> list:
    """The requirements of the extra ``mm`` or ``openmmlab``.

    Args:
        extra (str): Name of the extra.

    Returns:
        list[str]: One requirement for each import name of the stack.

    Raises:
        ValueError: If the extra is neither of the two.
    """
    if extra == 'mm':
        return [providers[0].requirement for providers in MAINTAINED.values()]
    if extra == 'openmmlab':
        stack = [providers[0].requirement for providers in ORIGINAL.values()]
        return [*stack, PKG_RESOURCES_REQUIREMENT]
    raise ValueError(f"extra must be 'mm' or 'openmmlab', got {extra!r}.")


def installed_version(distribution: str) -> Optional[str]:
    """The installed version of a distribution, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def check_stack() -> None:
    """Check that one usable OpenMMLab stack is installed.

    A package that is importable without metadata (a source folder on
    ``PYTHONPATH``) is accepted as it is.

    Raises:
        ImportError: If an import name has no provider or two, if a version is out
            of range, or if packages beside the stack are known to break it. The
            message gives the command that repairs it.
    """
    found = {
        module: {
            provider: version
            for provider in (*MAINTAINED[module], *ORIGINAL[module])
            for version in [installed_version(provider.name)]
            if version is not None
        }
        for module in MAINTAINED
    }
    _check_unique(found)
    _check_present(found)
    _check_versions(found)
    _check_pkg_resources(found)
    _check_multimodal(found)


def _check_unique(found: dict) -> None:
    double = [module for module, providers in found.items() if len(providers) > 1]
    if not double:
        return
    clash = '; '.join(
        f'{module!r} comes from '
        + ' and '.join(f'{p.name} {version}' for p, version in found[module].items())
        for module in double
    )
    # All of the stack goes: removing one of two distributions deletes files of
    # the other, so that the rest would be broken too.
    every = ' '.join(p.name for providers in found.values() for p in providers)
    raise ImportError(
        'Two builds of the OpenMMLab stack are installed at once and overwrite '
        f'each other: {clash}. Remove all of them with `pip uninstall -y {every}`, '
        f'then install one: the maintained build with {INSTALL_MM}, or the '
        f'original one with {INSTALL_ORIGINAL}.'
    )


def _check_present(found: dict) -> None:
    missing = [
        module
        for module, providers in found.items()
        if not providers and importlib.util.find_spec(module) is None
    ]
    if not missing:
        return
    # Who has part of the originals must not be sent to the other build.
    original = any(
        provider in ORIGINAL[module]
        for module, providers in found.items()
        for provider in providers
    )
    install = INSTALL_ORIGINAL if original else INSTALL_MM
    raise ImportError(
        f'mmscpnet needs {", ".join(missing)} of the OpenMMLab stack, which '
        f'{"is" if len(missing) == 1 else "are"} not installed. Run {install}.'
    )


def _check_versions(found: dict) -> None:
    from packaging.version import Version

    wrong = {
        provider: version
        for providers in found.values()
        for provider, version in providers.items()
        if not Version(provider.minimum) <= Version(version) < Version(provider.maximum)
    }
    if not wrong:
        return
    have = ', '.join(f'{p.name} {version}' for p, version in wrong.items())
    need = ', '.join(p.requirement for p in wrong)
    command = ' '.join(f'"{p.requirement}"' for p in wrong)
    raise ImportError(
        f'mmscpnet does not work with {have}; it needs {need}. '
        f'Run `pip install {command}`.'
    )


def _check_pkg_resources(found: dict) -> None:
    original = [p for p in found['mmengine'] if p in ORIGINAL['mmengine']]
    if original and importlib.util.find_spec('pkg_resources') is None:
        have = installed_version('setuptools')
        have = f'setuptools {have} lacks it' if have else 'setuptools is missing'
        raise ImportError(
            f'The original {original[0].name} needs the module pkg_resources, and '
            f'{have}. Run `pip install "{PKG_RESOURCES_REQUIREMENT}"`, or change to '
            'the maintained build of the stack.'
        )


def _check_multimodal(found: dict) -> None:
    """Refuse pycocotools beside transformers 5.

    With both installed mmpretrain imports its multi-modal models, which are written
    for transformers 4, and fails with a TypeError about a base class.
    """
    from packaging.version import Version

    # The last releases known to do so; a later one is given the benefit of doubt.
    last = {'onedl-mmpretrain': '1.3.6', 'mmpretrain': '1.2.0'}
    transformers = installed_version('transformers')
    if transformers is None or installed_version('pycocotools') is None:
        return
    for provider, version in found['mmpretrain'].items():
        if Version(version) <= Version(last[provider.name]) and Version(
            transformers
        ) >= Version('5'):
            raise ImportError(
                f'{provider.name} {version} cannot be imported with pycocotools and '
                f'transformers {transformers} both installed. mmscpnet reads COCO '
                'annotations without pycocotools: run `pip uninstall -y pycocotools`, '
                'or, where pycocotools is needed, `pip install "transformers<5"`.'
            )
