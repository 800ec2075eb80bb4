"""News of the Hub: its blog's feed, and the papers of a month as its community chose them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree as ET

from venom_core.sdk.catalogue import SUMMARY_CHARACTERS, NewsItem
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.utc import utc_text
from venom_hf.client import HuggingFaceClient
from venom_hf.hub_model import moment

FEED = "/blog/feed.xml"
PAPERS = "/api/daily_papers"
_TAG = re.compile(r"<[^>]*>")


def blog(client: HuggingFaceClient, month: str | None, limit: int) -> tuple[NewsItem, ...]:
    """Return entries of the blog's feed; it holds the newest only, so an old month may be empty."""
    items = sorted(_entries(client.text(FEED)), key=_published, reverse=True)
    return tuple(item for item in items if month is None or _published(item)[:7] == month)[:limit]


def papers(client: HuggingFaceClient, month: str | None, limit: int) -> tuple[NewsItem, ...]:
    """Return papers of a month, the present one where none is named, most wanted first."""
    asked = month or datetime.now(UTC).strftime("%Y-%m")
    rows = client.rows(PAPERS, {"month": asked, "limit": limit, "sort": "trending"})[:limit]
    found = [item for row in rows if (item := _paper(client.endpoint, row)) is not None]
    if rows and not found:
        raise _not_understood()
    return tuple(found)


def _paper(endpoint: str, row: object) -> NewsItem | None:
    """Return the paper of a row; None for a row that is none, which hides no other."""
    if not isinstance(row, Mapping):
        return None
    paper = row.get("paper")
    told = {**row, **paper} if isinstance(paper, Mapping) else row
    number, title, summary = (_words(told.get(name)) for name in ("id", "title", "summary"))
    if not number:
        return None
    authors = told.get("authors")
    names = [
        _words(one.get("name"))
        for one in (authors if isinstance(authors, list) else ())
        if isinstance(one, Mapping)
    ]
    return NewsItem(
        title=plain(title or number),
        url=f"{endpoint}/papers/{number}",
        summary=shortened(summary),
        published_at=moment(told.get("publishedAt"), "hub.paper.publishedAt"),
        authors=tuple(filter(None, names)),
        source="Hugging Face Papers",
    )


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""


def _entries(feed: str) -> Iterator[NewsItem]:
    # Entities are how a small feed becomes a large one; an honest feed declares none.
    if "<!DOCTYPE" in feed or "<!ENTITY" in feed:
        raise _not_understood()
    try:
        root = ET.fromstring(feed)  # noqa: S314 - bounded, and without entities
    except ET.ParseError as error:
        raise _not_understood() from error
    for item in root.iter("item"):
        title, link = _text(item, "title"), _text(item, "link")
        if title and link.startswith(("https://", "http://")):
            yield NewsItem(
                title=plain(title),
                url=link,
                summary=shortened(_text(item, "description")),
                published_at=_moment(_text(item, "pubDate")),
                authors=tuple(filter(None, (_text(item, "author"), _creator(item)))),
                source="Hugging Face Blog",
            )


def _text(item: Any, name: str) -> str:
    return (item.findtext(name) or "").strip()


def _creator(item: Any) -> str:
    return _text(item, "{http://purl.org/dc/elements/1.1/}creator")


def _moment(text: str) -> str | None:
    try:
        return utc_text(parsedate_to_datetime(text), "seconds")
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _published(item: NewsItem) -> str:
    return item.published_at or ""


def plain(text: str) -> str:
    """Return text without markup and without line breaks."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def shortened(text: str, characters: int = SUMMARY_CHARACTERS) -> str:
    """Return plain text of at most so many characters, cut between words where it can be."""
    whole = plain(text)
    if len(whole) <= characters:
        return whole
    cut = whole[: characters - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[characters // 2 :] else cut}…"


def _not_understood() -> UpstreamError:
    return UpstreamError(
        "Hugging Face's news are not understood.",
        fix="Check HF_ENDPOINT: a mirror may have none.",
    )


def news_of(
    client: HuggingFaceClient, kind: str, month: str | None, limit: int
) -> Sequence[NewsItem]:
    return (papers if kind == "papers" else blog)(client, month, limit)
