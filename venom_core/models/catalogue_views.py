"""A catalogue's answers as every surface shows them: API, CLI and page."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from venom_core.models.catalogue import Answer, Entries, Entry
from venom_core.sdk.catalogue import NewsItem, RepositoryCard, RepositoryFile, SearchPage
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


class CardFile(TypedDict):
    """A file of a repository: ``fetched`` where a pull of this card's model takes it, ``why_not``
    says why none ever would."""

    name: str
    size_bytes: int | None
    sha256: str | None
    fetched: bool
    why_not: str | None


class CardChoice(TypedDict):
    """One of several models of a repository: ``label`` is its quantization where it has one."""

    label: str
    reference: str
    size_bytes: int | None
    chosen: bool


class CardView(Trouble):
    """A model as its source describes it before it is fetched, null and empty where the source did
    not answer. ``commit`` is what a pull fetches now; ``choices`` are the models to choose from,
    the smallest first, none where there is only one; ``terms_url`` is where a gated model's terms
    are accepted."""

    success: bool
    stale: bool
    provider: str
    reference: str
    model: EntryView | None
    commit: str | None
    download_bytes: int | None
    terms_url: str | None
    choices: list[CardChoice]
    files: list[CardFile]


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


def card_view(name: str, ref: str, answer: Answer) -> CardView:
    """Return a model's card; ``success`` is false where its source never gave it."""
    card: RepositoryCard | None = answer.value
    why = _why(() if answer.reason is None else (answer.reason,))
    return {
        "success": card is not None,
        "stale": answer.stale,
        "provider": name,
        "reference": f"{name}://{ref}",
        "model": entry_view(Entry(name, card.entry)) if card else None,
        "commit": card.commit if card else None,
        "download_bytes": card.download_bytes if card else None,
        "terms_url": card.terms_url if card else None,
        "choices": _choices(name, card.files) if card else [],
        "files": [
            {
                "name": file.name,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
                "fetched": file.fetched,
                "why_not": file.why_not,
            }
            for file in (card.files if card else ())
        ],
        **why,
    }


def _choices(provider: str, files: Sequence[RepositoryFile]) -> list[CardChoice]:
    parts: dict[str, list[RepositoryFile]] = {}
    for file in files:
        if file.ref is not None:
            parts.setdefault(file.ref, []).append(file)
    found: list[CardChoice] = [
        {
            "label": ref.rpartition(":")[2],
            "reference": f"{provider}://{ref}",
            "size_bytes": _sum(members),
            "chosen": all(file.fetched for file in members),
        }
        for ref, members in parts.items()
    ]
    return sorted(found, key=lambda one: (one["size_bytes"] or 0, one["label"]))


def _sum(files: Sequence[RepositoryFile]) -> int | None:
    sizes = [file.size_bytes for file in files]
    return None if None in sizes else sum(size or 0 for size in sizes)


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
