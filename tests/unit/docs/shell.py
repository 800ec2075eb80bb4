"""The blocks of commands that a page of the documentation shows, and what is said of each.

A block is run by ``tests/integration/test_documented_commands.py``, unless the comment above it
says otherwise: ``<!-- not run: why -->``, or ``<!-- run by: PATH -->`` with a test or a stage of
`tools/ci.py` (``make run``) that does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.unit.docs.pages import DOCS, ROOT
from tools.ci import STAGES

_BLOCK = re.compile(
    r"^(?:<!--\s*(?P<remark>[^>]*?)\s*-->\s*\n\s*)?"
    r"^(?P<indent> *)```(?:bash|sh|shell|console)\b[^\n]*\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_REMARK = re.compile(r"(not run|run by): (\S.*)", re.DOTALL)
_COMMENT = re.compile(r"(^|\s+)#\s.*$", re.MULTILINE)
_WORDS = re.compile(r'"[^"\n]*"')
#: Less is no reason.
_SHORTEST = 15


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page.

    Args:
        remark: the comment above it, or an empty text.
    """

    page: str
    line: int
    text: str
    remark: str

    @property
    def is_run(self) -> bool:
        """Return whether nothing says that it is not run as it stands."""
        return not _REMARK.fullmatch(self.remark)

    @property
    def bare(self) -> str:
        """The commands without comments and quoted words: the same in every language."""
        return _WORDS.sub('""', _COMMENT.sub("", self.text))


def pages() -> list[Path]:
    """Return every page that people read, in both languages."""
    found = [path for path in DOCS.rglob("*.md") if not {"adr", "_done"} & set(path.parts)]
    return [ROOT / "README.md", ROOT / "README_PL.md", *sorted(found)]


def blocks(page: Path, root: Path = ROOT) -> list[Block]:
    """Return the blocks of commands of a page, in order."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(root).as_posix()
    found = []
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        found.append(Block(name, line, match["text"], match["remark"] or ""))
    return found


def faults(block: Block, root: Path = ROOT) -> Iterator[str]:
    """Yield what is wrong with what a page says of a block."""
    where = f"{block.page}:{block.line}"
    found = _REMARK.fullmatch(block.remark)
    if found is None:
        if block.remark.startswith(("not run", "run by")):
            yield f"{where}: write <!-- not run: why --> or <!-- run by: PATH -->"
        return
    kind, words = found[1], found[2]
    if kind == "not run" and len(words) < _SHORTEST:
        yield f"{where}: say why it is not run"
    if kind == "run by" and not _runs(words.split()[0], words, root):
        yield f"{where}: {words} is neither a file of this repository nor a stage of tools/ci.py"


def _runs(first: str, words: str, root: Path) -> bool:
    if first == "make":
        return words.removeprefix("make ") in {stage.name for stage in STAGES}
    return (root / first).is_file()
