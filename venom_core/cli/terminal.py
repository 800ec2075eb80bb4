"""Printing for people: columns, sizes, and what a terminal may show that a file should not."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import IO, Any

from venom_core.cli.output import raw, styled
from venom_core.cli.tables import cells, laid_out, wrapped
from venom_core.cli.wording import speaks_polish, words
from venom_core.sdk.printable import in_json, one_line, printable

#: Cells that a text needs beside its label; with fewer it stands below.
LEAST_BESIDE = 24


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
    """Print a remark of ours on stderr, so that pipes stay clean."""
    print(dim(words(text), sys.stderr), file=sys.stderr, flush=True)


def print_json(value: Any, *, reveal: bool = False) -> None:
    """Print a JSON document; ``reveal`` shows the secret in it that was just made."""
    print(as_json(value), flush=True, file=raw(sys.stdout) if reveal else sys.stdout)


def as_json(value: Any) -> str:
    """Return the document that :func:`print_json` prints."""
    return in_json(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns within the terminal's width; where none looks, each row is one whole line. An
    empty cell is shown as ``-``."""
    shown = [
        [one_line(str(cell)) if cell not in (None, "") else "-" for cell in row] for row in rows
    ]
    for line in laid_out([words(header) for header in headers], shown, width_of(sys.stdout)):
        print(bold(line.text, sys.stdout) if line.strong else line.text)


def say(text: str = "") -> None:
    """Print a text of ours on stdout in the person's language, wrapped at the terminal's width."""
    print_beside("", words(text))


def print_beside(label: str, text: str) -> None:
    """Print a text behind a label, wrapped so that it stays behind it; below it where a terminal
    has no room for that. Both are printed as they are given."""
    width, behind = width_of(sys.stdout), cells(label)
    if width is None:
        print(f"{label}{text}", flush=True)
        return
    if width - behind < LEAST_BESIDE and label.strip():
        print(label.rstrip())
        label, behind = "  ", 2
    parts = printable(text).split("\n")
    first, *rest = [line for part in parts for line in wrapped(part, width - behind, fold=False)]
    print("\n".join([f"{label}{first}", *(" " * behind + line for line in rest)]), flush=True)


def short(identifier: str) -> str:
    """Return an ID as a person types it: its first letters are enough. Whole where nobody looks."""
    return identifier if width_of(sys.stdout) is None else identifier[:8]


def width_of(stream: IO[str]) -> int | None:
    """Return the cells of a terminal's line; None for a file, a pipe, or a width of zero."""
    if not is_terminal(stream):
        return None
    return shutil.get_terminal_size((80, 24)).columns or None


def size(count: int | None) -> str:
    """Return bytes as people compare them: ``98 MB``, ``0.8 GB``; powers of ten, like file
    managers."""
    if count is None:
        return "?"
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} kB" if count else "0 B"
    if count < 500_000_000:
        return f"{count / 1e6:.0f} MB"
    amount = f"{count / 1e9:.1f} GB"
    return amount.replace(".", ",") if speaks_polish() else amount


def memory(count: int) -> str:
    """Return memory in whole GB, as machines are named."""
    return f"{count / 1e9:.0f} GB"


def ask(question: str, default: bool = False) -> bool:
    """Ask for a yes or no on the terminal. Without one the answer is ``default``; Ctrl-D means
    no."""
    if not interactive():
        return default
    choice = words("[Y/n]" if default else "[y/N]")
    answer = ask_for(f"{words(question)} {choice} ", "y" if default else "n").lower()
    return answer[:1] == "y" or (speaks_polish() and answer[:1] == "t")


def ask_for(question: str, default: str = "") -> str:
    """Read a line from the terminal, ``default`` where it is empty. Ctrl-D gives an empty
    string."""
    print(words(question), end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    return answer.strip() or default if answer else ""
