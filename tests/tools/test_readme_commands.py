"""Commands of the README pages: their programs take them, and tests name those.

``end_to_end/test_readme.py`` runs the section from photos to labels as it stands.
"""

import re

import pytest

from tests.readme import PAGES, commands_of, section_of
from tests.shared import ROOT

# Why a test runs the program of a command on something small, not the command.
NOT_AS_IT_STANDS = {
    'it needs a file of the reader': (
        r'CONFIG|CKPT|WORK_DIR|CURVES|GRID\.py|LISTS|FILE|PHOTOS?\b|labels\.csv'
        r'|^(csv|list|coco|voc|yolo|folders|review) '
    ),
    'it needs a download': (
        r'clip-|coco2014|VOCdevkit|voc\.py|nuswide|CUB_200|visual_genome|open_images'
        r'|data/(corel5k|msrc)|corel5k74|msrc_|_msrc|table\d_|paper_or|rn50_'
    ),
    'it takes minutes to hours': (
        r'configs/demo|grids/demo|metric\.py|convert_open_images|-m timeit'
    ),
    'it installs, or is what .ci/run does': r'pip install|-m pytest',
    'it prints': r'--show-names|--check\b',
}
COMMANDS = [command for page in PAGES for command in commands_of(page)]
TOOLS = sorted({command.tool for command in COMMANDS if command.tool})


@pytest.mark.parametrize('name', TOOLS)
def test_arguments_are_those_of_the_program(name, tool, capsys):
    if 'def parse_args' not in (ROOT / name).read_text():
        pytest.skip('it takes its words as they come')
    program = tool(name.removeprefix('tools/'))
    for command in COMMANDS:
        if command.tool != name:
            continue
        try:
            program.parse_args(command.words)
        except FileNotFoundError:
            pass  # the options are right; the reader's data is not here
        except SystemExit as end:
            said = capsys.readouterr().err
            assert not end.code, f'{command.page}: {command.line}\n{said}'


@pytest.mark.parametrize('name', TOOLS)
def test_a_test_names_the_program(name):
    stem = re.escape(name.removeprefix('tools/'))
    short = re.escape(name.rsplit('/', 1)[1].removesuffix('.py'))
    calls = re.compile(rf'{stem}|[\'"/ ]{short}(\.py)?[\'"]')
    files = (ROOT / 'tests').rglob('test_*.py')
    assert any(calls.search(file.read_text()) for file in files)


def test_every_command_is_run_or_said_not_to_be():
    walked = section_of(PAGES[0], 'From a folder of photos to all of their labels')
    for command in COMMANDS:
        why = [w for w, p in NOT_AS_IT_STANDS.items() if re.search(p, command.line)]
        assert why or command.line in walked, f'{command.page}: {command.line}'


def test_files_that_commands_name_are_there():
    for command in COMMANDS:
        for word in [command.tool, *command.words]:
            if word.startswith(('tools/', 'configs/')) and word.endswith(
                ('.py', '.sh')
            ):
                assert (ROOT / word).is_file(), f'{command.page}: {command.line}'
