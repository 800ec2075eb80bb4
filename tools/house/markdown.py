"""Markdown as the checks need it: headings with their anchors, sections, links."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
EXPLICIT = re.compile(r"\s*\{#([\w.:-]+)\}\s*$")
FENCE = re.compile(r"^\s*(```+|~~~+)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)[^)]*\)")
SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it, up to the next heading of any level.

    Args:
        anchor: what a link's `#` names: the explicit `{#anchor}`, else made from the title.
        fixed: the anchor is the same in every language: explicit, or the title is one code span.
        prose: the lines outside fenced code.
    """

    level: int
    title: str
    anchor: str
    fixed: bool
    line: int
    prose: str

    @property
    def spans(self) -> list[str]:
        """The code spans of the title: `VENOM_PORT`, `venom run`."""
        return SPAN.findall(self.title)


def sections(text: str) -> list[Section]:
    """The sections of a page, in order; what stands before the first heading belongs to none."""
    found: list[Section] = []
    heading: tuple[int, re.Match[str]] | None = None
    prose: list[str] = []
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if mark := FENCE.match(line):
            fence = "" if fence and mark.group(1).startswith(fence) else fence or mark.group(1)
        elif fence:
            continue
        elif match := HEADING.match(line):
            if heading is not None:
                found.append(_section(*heading, prose))
            heading, prose = (number, match), []
        else:
            prose.append(line)
    if heading is not None:
        found.append(_section(*heading, prose))
    return found


def _section(line: int, match: re.Match[str], prose: list[str]) -> Section:
    title = match.group(2)
    explicit = EXPLICIT.search(title)
    if explicit:
        title = title[: explicit.start()]
    one_span = re.fullmatch(r"`[^`]+`", title) is not None
    return Section(
        level=len(match.group(1)),
        title=title,
        anchor=explicit.group(1) if explicit else slug(title),
        fixed=bool(explicit) or one_span,
        line=line,
        prose="\n".join(prose).strip(),
    )


def slug(title: str) -> str:
    """A heading's anchor as the usual renderers make it: lower case, words joined by hyphens."""
    kept = re.sub(r"[^\w\s-]", "", re.sub(r"`|\*", "", title)).strip().lower()
    return re.sub(r"\s", "-", kept)


def links(text: str) -> list[tuple[int, str]]:
    """Line and target of each link outside fenced code."""
    found = []
    fence = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            fence = not fence
        elif not fence:
            found += [(number, target) for target in LINK.findall(SPAN.sub("", line))]
    return found
