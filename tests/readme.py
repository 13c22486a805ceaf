"""Commands of the README pages."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from tests.shared import ROOT

PAGES = [
    ROOT / 'README.md',
    *sorted((ROOT / 'configs').rglob('README.md')),
    *sorted((ROOT / 'tools').rglob('README.md')),
]
BLOCK = re.compile(r'^```[a-z]*\n(.*?)^```', re.MULTILINE | re.DOTALL)
# In tables and sentences: programs whose folder the page names once, and from_files.py.
INLINE = re.compile(r'`((?:\w+\.py|csv|list|coco|voc|yolo|folders|review) [^`]+)`')
# What stands for a file of the reader's.
PLACES = {'CONFIG': 'config.py', 'CKPT': 'best.pth', 'GRID.py': 'grid.py', 'N': '2'}
PROGRAMS = {path.name: path for path in sorted((ROOT / 'tools').rglob('*.py'))}


class Command(NamedTuple):
    """A line that a reader would copy.

    Attributes:
        page: Where it stands, from the top folder.
        line: As it stands there.
        tool: Path of the program of ``tools/``; empty if it is another.
        words: Arguments of it.
    """

    page: str
    line: str
    tool: str
    words: list[str]


def commands_of(page: Path) -> list[Command]:
    """All commands of a page, optional parts included."""
    text = page.read_text()
    name = page.relative_to(ROOT).as_posix()
    lines = [
        part.strip()
        for block in BLOCK.findall(text)
        for line in block.splitlines()
        if line.startswith(('python ', 'bash ', 'pip '))
        for part in line.split('&&')
    ]
    found = [Command(name, line, *_arguments(line)) for line in lines]
    for line in INLINE.findall(BLOCK.sub('', text)):
        program, _, rest = line.partition(' ')
        if not program.endswith('.py'):
            program, rest = 'from_files.py', line
        tool = PROGRAMS[program].relative_to(ROOT).as_posix()
        found.append(Command(name, line, *_arguments(f'python {tool} {rest}')))
    return found


def section_of(page: Path, title: str) -> str:
    """The text of a page from a heading to the next one."""
    _, _, rest = page.read_text().partition(f'## {title}\n')
    assert rest, f'{page} has no section {title!r}'
    return rest.partition('\n## ')[0]


def _arguments(line: str) -> tuple[str, list[str]]:
    words = shlex.split(line.translate(str.maketrans('[]', '  ')), comments=True)
    words = [PLACES.get(word, word) for word in words if word != '...']
    if words[0] == 'python' and words[1].startswith('tools/'):
        return words[1], words[2:]
    return '', words
