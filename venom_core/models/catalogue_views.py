"""A catalogue's answers as every surface shows them: API, CLI and page."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from venom_core.models.catalogue import Answer, Entries, Entry
from venom_core.sdk.catalogue import NewsItem, SearchPage
from venom_core.sdk.states import Reason


class EntryView(TypedDict):
    """A model of a source's catalogue; ``size_gb`` counts thousand million bytes."""

    provider: str
    model_name: str
    display_name: str
    size_gb: float | None
    runtime: str | None
    tags: list[str]
    downloads: int | None
    likes: int | None
    reference: str
    size_bytes: int | None
    license: str | None
    gated: bool | None
    updated_at: str | None
    installed: bool


class Trouble(TypedDict):
    """The reason why an answer is old or empty, null where it is neither: ``error`` is the
    sentence."""

    error: str | None
    code: str | None
    fix: str | None
    docs: str | None


class EntryList(Trouble):
    """``stale``: a source did not answer, and what it offered before is shown."""

    success: bool
    models: list[EntryView]
    count: int
    stale: bool


class SearchView(EntryList):
    """``total`` is null where the source does not count."""

    provider: str
    query: str
    total: int | None
    page: int
    limit: int


class NewsEntry(TypedDict):
    """An article or a paper, in its source's own language."""

    title: str
    url: str
    summary: str
    published_at: str | None
    authors: list[str]
    source: str


class NewsView(Trouble):
    """``success`` is false where the source did not answer, old news or none."""

    success: bool
    provider: str
    items: list[NewsEntry]
    count: int
    stale: bool


def entry_view(item: Entry) -> EntryView:
    entry = item.entry
    size = entry.size_bytes
    return {
        "provider": item.provider,
        "model_name": entry.ref,
        "display_name": entry.title or entry.ref,
        "size_gb": None if size is None else round(size / 1e9, 2),
        "runtime": entry.runtime,
        "tags": list(entry.tags),
        "downloads": entry.downloads,
        "likes": entry.likes,
        "reference": f"{item.provider}://{entry.ref}",
        "size_bytes": size,
        "license": entry.license,
        "gated": entry.gated,
        "updated_at": entry.updated_at,
        "installed": item.installed,
    }


def entries_view(found: Entries) -> EntryList:
    """Return a listing; ``success`` is false only where no source ever answered."""
    models = [entry_view(item) for item in found.entries]
    return {
        "success": found.answered,
        "models": models,
        "count": len(models),
        "stale": bool(found.reasons),
        **_why(found.reasons),
    }


def search_view(
    asked: str, name: str, query: str, answer: Answer, page: int, limit: int
) -> SearchView:
    """Return a search; ``provider`` is as it was asked for; ``total`` is null where the source does
    not tell."""
    result: SearchPage = answer.value or SearchPage(())
    models = [entry_view(Entry(name, entry)) for entry in result.entries]
    return {
        "success": answer.value is not None,
        "provider": asked,
        "query": query,
        "models": models,
        "count": len(models),
        "total": result.total,
        "page": page,
        "limit": limit,
        "stale": answer.stale,
        **_why(() if answer.reason is None else (answer.reason,)),
    }


def news_view(asked: str, answer: Answer) -> NewsView:
    items: Sequence[NewsItem] = answer.value or ()
    return {
        # What failed and has only old news says so, as it always did.
        "success": answer.reason is None,
        "provider": asked,
        "items": [
            {
                "title": item.title,
                "url": item.url,
                "summary": item.summary,
                "published_at": item.published_at,
                "authors": list(item.authors),
                "source": item.source,
            }
            for item in items
        ],
        "count": len(items),
        "stale": answer.stale,
        **_why(() if answer.reason is None else (answer.reason,)),
    }


def _why(reasons: Sequence[Reason]) -> Trouble:
    """Return the sentence under ``error``; code and fix of the first where there are several."""
    if not reasons:
        return {"error": None, "code": None, "fix": None, "docs": None}
    first = reasons[0]
    return {
        "error": " ".join(dict.fromkeys(reason.message for reason in reasons)),
        "code": first.code,
        "fix": first.fix,
        "docs": first.docs,
    }
