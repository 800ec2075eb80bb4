"""Laying out a table: every column as wide as its content and, where there is a terminal, the whole
within its width. Nothing is cut: what is too long is wrapped, and where the columns would be too
narrow to read each row becomes a block of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2
#: Cells that a column of several words keeps, and those up to which one word is not taken apart.
LEAST_COLUMN, WHOLE_WORD = 12, 24


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table; ``strong`` ones are headings."""

    text: str
    strong: bool = False


def laid_out(
    headers: Sequence[str], rows: Sequence[Sequence[str]], width: int | None
) -> list[Line]:
    """Return the lines of a table.

    Args:
        width: cells of the terminal; None where the reader is a program or a file.
    """
    columns = list(zip(headers, *rows, strict=True))
    natural = [max(map(cells, column)) for column in columns]
    widths = natural if width is None else fitted(natural, columns, width)
    if widths is None:
        return _blocks(headers, rows, width or 0)
    lines = [Line(line, True) for line in _row(headers, widths)]
    return [*lines, *(Line(line) for row in rows for line in _row(row, widths))]


def fitted(
    natural: Sequence[int], columns: Sequence[Sequence[str]], width: int
) -> Sequence[int] | None:
    """Return widths that fit, the widest column giving way first; None where none are readable."""
    room = width - GAP * (len(natural) - 1)
    least = [_least(*pair) for pair in zip(natural, columns, strict=True)]
    if sum(least) > room:
        return None
    widths = list(natural)
    while sum(widths) > room:
        giving = [place for place, wide in enumerate(widths) if wide > least[place]]
        widths[max(giving, key=widths.__getitem__)] -= 1
    return widths


def _least(natural: int, column: Sequence[str]) -> int:
    longest = max(cells(word) for cell in column for word in cell.split(" "))
    return min(natural, max(LEAST_COLUMN, min(longest, WHOLE_WORD)))


def _row(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    parts = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    gap = " " * GAP
    return [
        gap.join(
            padded(part[line] if line < len(part) else "", width)
            for part, width in zip(parts, widths, strict=True)
        ).rstrip()
        for line in range(max(map(len, parts)))
    ]


def _blocks(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Line]:
    """Return each row as its first cell and a line for every other that says something."""
    label = max(map(cells, headers[1:]), default=0)
    room = width - label - 2 * GAP
    lines: list[Line] = []
    for row in rows:
        lines += [Line(line, True) for line in wrapped(row[0], width)]
        for header, cell in zip(headers[1:], row[1:], strict=True):
            first, *rest = wrapped(cell, room)
            lines.append(Line(f"{' ' * GAP}{padded(header, label)}{' ' * GAP}{first}".rstrip()))
            lines += [Line(" " * (label + 2 * GAP) + line) for line in rest]
    return lines


def wrapped(text: str, width: int, *, fold: bool = True) -> list[str]:
    """Return a text as lines of at most so many cells, broken between words where that is
    possible. Spaces before it stand before each line.

    Args:
        fold: break a word that is longer too; a path that is to be copied is better left whole.
    """
    from rich.cells import chop_cells

    bare = text.lstrip(" ")
    if indent := len(text) - len(bare):
        return [" " * indent + line for line in wrapped(bare, width - indent, fold=fold)]
    width = max(width, 2)  # a wide character takes two
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = chop_cells(word, width) if fold and cells(word) > width else [word]
        lines += whole
    return [*lines, line]


def padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: a Chinese letter takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
