"""Markdown as the documentation is written in: the one renderer of the server and of the built
site, so that no page can use what one of them does not know."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")
_FENCED = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[ \t]*$)", re.DOTALL | re.MULTILINE)
#: What is for those who write, on lines of its own: no reader sees it.
_REMARK = re.compile(r"<!--.*?-->\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page as HTML.

    Args:
        title: its first heading, or an empty text.
        summary: its first paragraph as plain text, or an empty text.
    """

    title: str
    body: str
    headings: tuple[Heading, ...]
    summary: str


def anchor(heading: str) -> str:
    """Return the fragment of a heading, as code hosts make it: "Two words" is ``two-words``."""
    return _NOT_IN_ANCHOR.sub("", heading.strip().lower()).replace(" ", "-")


def rendered(
    source: str, point: Callable[[str], str], code: Callable[[str, str], str] | None = None
) -> Rendered:
    """Return Markdown as HTML. Raw HTML in it is shown, not interpreted; comments are left out.

    Args:
        point: gets the target of each link and image, returns what a browser can follow.
        code: gets the text of a fenced block and its language, returns the inner HTML of it.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    if code is not None:
        parser.options["highlight"] = lambda text, language, _: code(text, language)
    tokens = parser.parse(without_remarks(source))
    seen: Counter[str] = Counter()
    headings: list[Heading] = []
    summary = ""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            text = _plain(inline)
            opening.attrSet("id", _unlike(anchor(text), seen))
            headings.append(Heading(int(opening.tag[1:]), str(opening.attrs["id"]), text))
        elif opening.type == "paragraph_open" and opening.level == 0:
            summary = summary or _plain(inline)
        for child in inline.children or ():
            for name in ("href", "src"):
                if name in child.attrs:
                    child.attrSet(name, point(str(child.attrs[name])))
    title = next((one.text for one in headings if one.level == 1), "")
    body = parser.renderer.render(tokens, parser.options, {})
    return Rendered(title, body, tuple(headings), summary)


def page_of(target: str, name: str) -> tuple[str, str] | None:
    """Return path and fragment of a link to another page, or None where it leads elsewhere.

    Args:
        target: as written, relative to the page's file: ``../errors.md#code``.
        name: the page that it stands in, its path under the root without ``.md``.

    Returns:
        The path under the root without ``.md``; it begins with ``..`` where it leads out of it.
    """
    page, _, fragment = target.partition("#")
    if not page.endswith(".md") or "://" in page:
        return None
    folder = posixpath.dirname(name)
    return posixpath.normpath(posixpath.join(folder, page.removesuffix(".md"))), fragment


def without_remarks(source: str) -> str:
    """Return Markdown without its comments; what stands in fenced code is no comment."""
    parts = _FENCED.split(source)
    return "".join(one if number % 2 else _REMARK.sub("", one) for number, one in enumerate(parts))


def _plain(inline: Token) -> str:
    """Return the words of a line; a line that goes on is one space."""
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in inline.children or ()
    )


def _unlike(fragment: str, seen: Counter[str]) -> str:
    """Return a fragment that no heading above has, as code hosts count them: ``usage-1``."""
    seen[fragment] += 1
    return fragment if seen[fragment] == 1 else f"{fragment}-{seen[fragment] - 1}"
