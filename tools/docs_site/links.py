"""Every link of a built site leads to a file of it, and to a heading that is there.

It reads the HTML that a browser gets, so that links of the theme, between the languages and in what
was generated count too. Nothing on a page may be fetched from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes that a browser fetches by itself, and the one that a reader follows.
_FETCHED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src")}
_FOLLOWED = ("a", "href")
#: `link` elements that fetch nothing.
_TELLING = {"canonical", "alternate", "prev", "next"}


@dataclass(slots=True)
class _Read:
    """The ids of a page, and its links with whether they are fetched."""

    ids: set[str] = field(default_factory=set)
    links: list[tuple[str, bool]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = _Read()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if name := values.get("id"):
            self.read.ids.add(name)
        for key, value in attrs:
            if value is None or (tag, key) not in _FETCHED | {_FOLLOWED}:
                continue
            telling = tag == "link" and values.get("rel") in _TELLING
            self.read.links.append((value, (tag, key) != _FOLLOWED and not telling))


def broken(site: Path) -> list[str]:
    """Return a sentence for each link that leads nowhere, and for each thing from elsewhere."""
    pages = {file: _page(file) for file in sorted(site.rglob("*.html"))}
    return [
        f"{file.relative_to(site).as_posix()}: {fault}"
        for file, page in pages.items()
        for fault in _faults(file, page, pages, site)
    ]


def _page(file: Path) -> _Read:
    reader = _Reader()
    reader.feed(file.read_text(encoding="utf-8"))
    return reader.read


def _faults(file: Path, page: _Read, pages: dict[Path, _Read], site: Path) -> Iterator[str]:
    for link, fetched in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if fetched and parts.scheme != "data":
                yield f"{link} is fetched from elsewhere"
            continue
        path = unquote(parts.path)
        target = (file.parent / path).resolve() if path else file
        if path.startswith("/") or not target.is_relative_to(site.resolve()):
            yield f"{link} leads out of the site"
        elif not target.is_file():
            yield f"{link} leads to no file"
        elif parts.fragment and unquote(parts.fragment) not in pages.get(target, _Read()).ids:
            yield f"{link} leads to no heading"
