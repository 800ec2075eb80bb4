"""Printing for people: columns, sizes, and what a terminal may show that a file should not."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import IO, Any

from venom_core.cli.output import raw, styled
from venom_core.sdk.printable import in_json, one_line


def is_terminal(stream: IO[str]) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def interactive() -> bool:
    """Return whether a person can be asked: questions go to stderr, so that pipes stay clean."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def has_colours(stream: IO[str]) -> bool:
    """Return whether colours may be used; see no-color.org."""
    return (
        is_terminal(stream)
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "") != "dumb"
    )


def dim(text: str, stream: IO[str]) -> str:
    return styled(text, 2, stream) if text and has_colours(stream) else text


def bold(text: str, stream: IO[str]) -> str:
    return styled(text, 1, stream) if text and has_colours(stream) else text


def note(text: str) -> None:
    """Print a remark on stderr, so that pipes stay clean."""
    print(dim(text, sys.stderr), file=sys.stderr, flush=True)


def print_json(value: Any, *, reveal: bool = False) -> None:
    """Print a JSON document; ``reveal`` shows the secret in it that was just made."""
    print(as_json(value), flush=True, file=raw(sys.stdout) if reveal else sys.stdout)


def as_json(value: Any) -> str:
    """Return the document that :func:`print_json` prints."""
    return in_json(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns as wide as their content. An empty cell is shown as ``-``."""
    cells = [
        [one_line(str(cell)) if cell not in (None, "") else "-" for cell in row] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    print(bold(_line(headers, widths), sys.stdout))
    for row in cells:
        print(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def size(count: int | None) -> str:
    """Return bytes as people compare them: ``98 MB``, ``0.8 GB``; powers of ten, like file
    managers."""
    if count is None:
        return "?"
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} kB" if count else "0 B"
    return f"{count / 1e9:.1f} GB" if count >= 500_000_000 else f"{count / 1e6:.0f} MB"


def memory(count: int) -> str:
    """Return memory in whole GB, as machines are named."""
    return f"{count / 1e9:.0f} GB"


def ask(question: str, default: bool = False) -> bool:
    """Ask for a yes or no on the terminal. Without one the answer is ``default``; Ctrl-D means
    no."""
    if not interactive():
        return default
    answer = ask_for(f"{question} [{'Y/n' if default else 'y/N'}] ", "y" if default else "n")
    return answer.lower()[:1] == "y"


def ask_for(question: str, default: str = "") -> str:
    """Read a line from the terminal, ``default`` where it is empty. Ctrl-D gives an empty
    string."""
    print(question, end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    return answer.strip() or default if answer else ""
