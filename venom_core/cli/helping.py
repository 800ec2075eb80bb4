"""Helps in the person's language: the same catalogue holds ours and click's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from venom_core.cli.wording import speaks_polish, words

#: What click adds behind the help of an option.
_EXTRA = re.compile(r"(?P<help>.*?)\s*\[(?P<extra>(default|env var|required|x?\d*<)[^\]]*)\]")
#: Defaults that are words and no values.
_SAID = ("everything", "all")


class HelpInWords(click.HelpFormatter):
    """Writes what click gives it, once it is in the person's language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        said = " ".join(map(words, args.split(" ")))
        super().write_usage(prog, said, prefix or f"{words('Usage:')} ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(words(heading))

    def write_text(self, text: str) -> None:
        super().write_text("\n\n".join(map(_block, text.split("\n\n"))))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        super().write_dl([(name, option_help(text)) for name, text in rows], col_max, col_spacing)


class WordsGroup(click.Group):
    """A group that shows the first sentence of each command whole: what click has cut at a length
    is no sentence any more."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, first_sentence(one.help or "")) for name, one in commands if one]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def first_sentence(text: str) -> str:
    joined = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return next(iter(re.split(r"(?<=\.) ", joined)), "")


def option_help(text: str) -> str:
    """Return the help of an option, and what click adds to it: ``[default: 50; required]``."""
    joined = " ".join(text.split())
    found = _EXTRA.fullmatch(joined)
    if found is None:
        return words(joined)
    extra = "; ".join(_extra(part) for part in found["extra"].split("; "))
    return f"{words(found['help'])}  [{extra}]".strip()


def _extra(part: str) -> str:
    label, colon, value = part.partition(": ")
    return f"{words(label)}{colon}{words(value) if value in _SAID else value}"


def _block(block: str) -> str:
    """Return a paragraph; of lines that are to stay as they are, what is known of each column."""
    if not block.lstrip().startswith("\b"):
        return words(" ".join(block.split())) if speaks_polish() else block
    return "\n".join("".join(map(words, re.split(r"(\s{2,})", line))) for line in block.split("\n"))
