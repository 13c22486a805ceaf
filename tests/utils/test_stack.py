"""The check of the installed stack, on metadata that the tests make up."""

import subprocess
import sys

import pytest

from mmscpnet.utils import stack

MAINTAINED = {
    'onedl-mmengine': '0.10.12',
    'onedl-mmcv': '2.3.6',
    'onedl-mmpretrain': '1.3.6',
}
ORIGINAL = {
    'mmengine': '0.10.7',
    'mmcv-lite': '2.2.0',
    'mmpretrain': '1.2.0',
    'setuptools': '80.9.0',
}


@pytest.fixture
def installed(monkeypatch):
    """Pretend that exactly these distributions and modules are installed."""

    def pretend(distributions, modules=()):
        def version(name):
            if name in distributions:
                return distributions[name]
            raise stack.metadata.PackageNotFoundError(name)

        def find_spec(name):
            return object() if name in modules else None

        monkeypatch.setattr(stack.metadata, 'version', version)
        monkeypatch.setattr(stack.importlib.util, 'find_spec', find_spec)

    return pretend


def failure(installed, distributions, modules=()):
    installed(distributions, modules)
    with pytest.raises(ImportError) as caught:
        stack.check_stack()
    return str(caught.value)


def test_both_builds_are_accepted(installed):
    installed(MAINTAINED)
    stack.check_stack()
    installed(ORIGINAL, ['pkg_resources'])
    stack.check_stack()
    installed({**MAINTAINED, 'transformers': '5.2.0'})
    stack.check_stack()


def test_missing_stack_names_the_command(installed):
    message = failure(installed, {})
    assert 'mmengine, mmcv, mmpretrain' in message
    assert '`pip install "mmscpnet[mm]"`' in message
    assert '`pip install -e ".[mm]"`' in message


def test_incomplete_original_stack_asks_for_originals(installed):
    message = failure(installed, {'mmengine': '0.10.7'}, ['pkg_resources'])
    assert 'mmcv, mmpretrain' in message
    assert '[openmmlab]' in message and '[mm]' not in message


def test_source_folders_on_the_path_are_accepted(installed):
    installed({}, ['mmengine', 'mmcv', 'mmpretrain'])
    stack.check_stack()


def test_two_builds_at_once(installed):
    message = failure(installed, {**MAINTAINED, 'mmengine': '0.10.7'})
    assert "'mmengine' comes from onedl-mmengine 0.10.12 and mmengine 0.10.7" in message
    command = message.split('`')[1]
    assert command.startswith('pip uninstall -y ')
    assert set(command.split()[3:]) == {*MAINTAINED, 'mmengine'}
    assert 'pip install -e ".[mm]"' in message
    assert 'pip install -e ".[openmmlab]"' in message


def test_full_and_lite_mmcv_at_once(installed):
    message = failure(installed, {**ORIGINAL, 'mmcv': '2.2.0'}, ['pkg_resources'])
    assert 'mmcv-lite 2.2.0 and mmcv 2.2.0' in message


@pytest.mark.parametrize(
    'version, accepted',
    [
        ('2.2.9', False),
        ('2.3.0rc1', False),
        ('2.3.0', True),
        ('2.3.10', True),
        ('2.4.0', False),
    ],
)
def test_bounds_of_versions(installed, version, accepted):
    distributions = {**MAINTAINED, 'onedl-mmcv': version}
    if accepted:
        installed(distributions)
        stack.check_stack()
    else:
        message = failure(installed, distributions)
        assert f'onedl-mmcv {version}' in message
        assert '`pip install "onedl-mmcv>=2.3.0,<2.4.0"`' in message


def test_original_mmengine_without_pkg_resources(installed):
    message = failure(installed, {**ORIGINAL, 'setuptools': '84.2.1'})
    assert 'setuptools 84.2.1' in message
    assert '`pip install "setuptools<81"`' in message
    # The maintained build does not need it.
    installed({**MAINTAINED, 'setuptools': '84.2.1'})
    stack.check_stack()


@pytest.mark.parametrize('transformers, accepted', [('4.57.3', True), ('5.0.0', False)])
def test_pycocotools_beside_transformers(installed, transformers, accepted):
    distributions = {
        **MAINTAINED,
        'pycocotools': '2.0.8',
        'transformers': transformers,
    }
    if accepted:
        installed(distributions)
        stack.check_stack()
    else:
        message = failure(installed, distributions)
        assert f'transformers {transformers}' in message
        assert '`pip uninstall -y pycocotools`' in message


def test_extra_requirements():
    assert [r.split('>=')[0] for r in stack.extra_requirements('mm')] == list(
        MAINTAINED
    )
    assert 'setuptools<81' in stack.extra_requirements('openmmlab')
    with pytest.raises(ValueError, match="'text'"):
        stack.extra_requirements('text')


def test_import_is_light():
    """Importing the package loads neither torch nor the stack."""
    heavy = ['torch', 'mmengine', 'mmcv', 'mmpretrain', 'open_clip', 'transformers']
    code = (
        'import sys, mmscpnet, mmscpnet.utils;'
        f'print([name for name in {heavy} if name in sys.modules])'
    )
    out = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == '[]'
