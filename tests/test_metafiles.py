"""Model-zoo files name configs and pages that exist, and leave none out."""

import pytest
import yaml

from tests.shared import ROOT
from tests.shrunken_configs import CONFIGS

METAFILES = sorted((ROOT / 'configs').glob('*/metafile.yml'))


def test_every_folder_has_one():
    folders = {name.split('/')[0] for name in CONFIGS}
    assert folders == {file.parent.name for file in METAFILES}


@pytest.mark.parametrize('file', METAFILES, ids=lambda file: file.parent.name)
def test_entries(file):
    content = yaml.safe_load(file.read_text())
    collections = {entry['Name'] for entry in content['Collections']}
    for entry in content['Collections']:
        assert (ROOT / entry['README']).is_file()
    listed = {entry['Config'] for entry in content['Models']}
    folder = file.parent.relative_to(ROOT).as_posix()
    assert listed == {
        f'configs/{name}'
        for name in CONFIGS
        if f'configs/{name}'.startswith(f'{folder}/')
    }
    for entry in content['Models']:
        assert entry['In Collection'] in collections
        assert entry['Config'] == f'{folder}/{entry["Name"]}.py'
