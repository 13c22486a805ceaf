"""The lines of a grid file, for errors that are about them."""

import ast
from pathlib import Path


class GridSource:
    """Finds the lines of the grid file that an error is about."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names: list[tuple[int, str]] = []
        words: list[tuple[int, str]] = []
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            # strings, variables, keywords
            for field in ('value', 'id', 'arg'):
                word = getattr(node, field, None)
                if isinstance(word, str):
                    words.append((node.lineno, word))
            if isinstance(node, ast.keyword) and node.arg == 'name':
                name = getattr(node.value, 'value', None)
                if isinstance(name, str):
                    names.append((node.lineno, name))
        # Of rows and columns first, which other places name too.
        self.words = [*sorted(names), *sorted(words)]

    def at(self, *texts: str, occurrence: int = 1) -> str:
        """``file:line`` of the first text that is in the file.

        Of texts that are put together there, the line of the last one's longest part;
        the file alone if there is none.
        """
        for text in texts:
            lines = [line for line, word in self.words if word == text]
            if len(lines) >= occurrence:
                return f'{self.path}:{lines[occurrence - 1]}'
        for text in reversed(texts):
            parts = [(len(w), line) for line, w in self.words if w in text and w[1:]]
            if parts:
                return f'{self.path}:{max(parts)[1]}'
        return str(self.path)

    def check_keys(self, found: dict, allowed: set, what: str, needed=()) -> None:
        for key in found:
            if key not in allowed and not key.startswith('_'):
                raise ValueError(
                    f'{self.at(key)}: {what} has an unknown key {key!r}; known are '
                    f'{sorted(allowed)}'
                )
        for key in needed:
            if key not in found:
                raise ValueError(f'{self.path}: {what} has no {key}: {dict(found)}')

    def check_unique(self, names: list[str], what: str) -> None:
        for i, name in enumerate(names):
            if name in names[:i]:
                raise ValueError(
                    f'{self.at(name, occurrence=2)}: {what} {name!r} occurs twice'
                )
