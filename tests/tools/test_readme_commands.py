"""Commands of the README pages: their programs take them, and tests run those."""

import re

import pytest

from tests.readme import PAGES, commands_of
from tests.shared import ROOT

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
def test_a_test_runs_the_program(name):
    stem = re.escape(name.removeprefix('tools/'))
    short = re.escape(name.rsplit('/', 1)[1].removesuffix('.py'))
    calls = re.compile(rf'{stem}|[\'"/ ]{short}(\.py)?[\'"]')
    files = [file for file in (ROOT / 'tests').rglob('test_*.py')]
    assert any(calls.search(file.read_text()) for file in files)


def test_files_that_commands_name_are_there():
    for command in COMMANDS:
        for word in [command.tool, *command.words]:
            if word.startswith(('tools/', 'configs/')) and word.endswith(
                ('.py', '.sh')
            ):
                assert (ROOT / word).is_file(), f'{command.page}: {command.line}'
