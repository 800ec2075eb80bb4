"""The structure of the documentation, from ``nav.toml`` beside its pages."""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from venom_core.ui.markdown import rendered

Language = Literal["en", "pl"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "pl")
FILE: Final = "nav.toml"
#: The page that is made from the OpenAPI document: its titles, and what it is.
OPENAPI: Final = "openapi"
_MADE: Final = {
    "en": ("Every operation", "Every operation of the API, with its shapes and examples."),
    "pl": ("Wszystkie operacje", "Wszystkie operacje API ze strukturami i przykładami."),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page in one language.

    Args:
        path: under ``/docs``, without ``.md``: ``pl/errors``.
        source: its Markdown; empty for the one that is made.
    """

    path: str
    title: str
    summary: str
    source: str


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    pages: tuple[Page, ...]


def sections(root: Path, language: Language) -> tuple[Section, ...]:
    """Return the documentation in a language, in its order; a page that is there in English alone
    is given in English.

    Args:
        root: the folder of the pages.

    Raises:
        FileNotFoundError: a page that ``nav.toml`` names is not there.
    """
    return tuple(
        Section(one[language], tuple(_page(root, name, language) for name in one["pages"]))
        for one in tomllib.loads((root / FILE).read_text("utf-8"))["sections"]
    )


def pages(root: Path, language: Language) -> Iterator[Page]:
    """Yield the pages of every section."""
    for section in sections(root, language):
        yield from section.pages


def _page(root: Path, name: str, language: Language) -> Page:
    path = name if language == "en" else f"pl/{name}"
    if name == OPENAPI:
        return Page(path, *_MADE[language], "")
    if not (root / f"{path}.md").is_file():
        path = name
    source = (root / f"{path}.md").read_text("utf-8")
    # What stands before the first section is enough, and a tenth of the work.
    page = rendered(source.partition("\n## ")[0], lambda target: target)
    return Page(path, page.title, page.summary, source)


def relative(target: str, page: str) -> str:
    """Return the path to a page as seen from another one, both under the root."""
    return posixpath.relpath(target, posixpath.dirname(page) or ".")
