"""The files that a check looks at."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath


class Tree:
    """A source tree: what git tracks or would track, or every file where there is no git.

    Args:
        root: the folder; file names are relative to it, with forward slashes.
        before: a tree of the same folder, for what it has parsed.
        changed: files that are no longer as they were then.
    """

    def __init__(
        self, root: Path, before: Tree | None = None, changed: Collection[str] = ()
    ) -> None:
        self.root = root
        self._before = before
        self._changed = changed
        self._parsed: dict[str, list[ast.AST]] = {}

    @cached_property
    def files(self) -> list[str]:
        if not (self.root / ".git").exists():
            found = (path for path in self.root.rglob("*") if path.is_file())
            return sorted(path.relative_to(self.root).as_posix() for path in found)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, capture_output=True, check=True, text=True,
        )  # fmt: skip
        names = {name for name in listed.stdout.split("\0") if name}
        # A file deleted but not yet committed is still listed.
        return sorted(name for name in names if (self.root / name).is_file())

    def matching(self, *suffixes: str, under: str = "") -> Iterator[str]:
        """Names that end in one of the suffixes, below a folder."""
        prefix = f"{under}/" if under else ""
        for name in self.files:
            if name.startswith(prefix) and PurePosixPath(name).suffix in suffixes:
                yield name

    def text(self, name: str) -> str:
        """The file's text; bytes that are no UTF-8 are replaced, since checks only search it."""
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def nodes(self, name: str) -> list[ast.AST]:
        """Every node of a Python file; parsed once for all checks."""
        if self._before is not None and name not in self._changed:
            return self._before.nodes(name)
        if name not in self._parsed:
            self._parsed[name] = list(ast.walk(ast.parse(self.text(name), filename=name)))
        return self._parsed[name]

    def has(self, name: str) -> bool:
        return (self.root / name).is_file()
