"""A source's facts about models that are not on this machine: data only.

A source implements those of ``Provider.search``, ``trending``, ``news`` and ``card`` that it can
and declares the capability of the same name. It answers from the network, within its own timeouts,
and raises where it cannot: the core keeps the last good answers and shows them marked as stale, so
a source neither caches nor turns a failure into an empty list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: The kinds of news that a source may have.
NewsKind = Literal["blog", "papers"]
#: The formats of weights that a search can ask for.
WeightFormat = Literal["gguf", "safetensors"]
#: The orders of a search.
SearchSort = Literal["trending", "downloads", "likes", "updated"]

#: Summaries of news are cut here by the source.
SUMMARY_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model in a source's catalogue.

    Args:
        ref: as ``pull`` takes it; ``provider://ref`` is unique.
        title: as people know it; None shows the ref.
        size_bytes: of the weights; None where the source does not say, or where it depends on
            the quantization that is chosen.
        runtime: the kind of engine that serves it as it is (``ollama``, ``vllm``, ``llamacpp``);
            None where that is not known.
        tags: the source's own words for it, the most telling first.
        downloads, likes: the source's own counts, None where it counts none.
        gated: its terms must be accepted at the source before it can be fetched.
        updated_at: ISO 8601 in UTC with ``Z``.
    """

    ref: str
    title: str | None = None
    size_bytes: int | None = None
    runtime: str | None = None
    tags: tuple[str, ...] = ()
    downloads: int | None = None
    likes: int | None = None
    license: str | None = None
    gated: bool | None = None
    updated_at: str | None = None


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """The narrowing of a search; None leaves it open. A source that cannot honour one that is
    set raises ``NotSupported`` naming it, and never ignores it.

    Args:
        author: the organization or user that published it.
        format: what the weights are stored as.
        license: the licence's identifier (``apache-2.0``).
        task: the source's name of what it does (``text-generation``).
        sort: the order; None is the source's own by relevance.
    """

    author: str | None = None
    format: WeightFormat | None = None
    license: str | None = None
    task: str | None = None
    sort: SearchSort | None = None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """``total`` counts all matches; None where the source does not tell it."""

    entries: Sequence[CatalogueEntry]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class NewsItem:
    """``summary`` is plain text of at most ``SUMMARY_CHARACTERS``; ``published_at`` is ISO 8601 in
    UTC with ``Z``; ``source`` is whose it is ("Hugging Face Blog")."""

    title: str
    url: str
    summary: str
    published_at: str | None
    authors: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """One file of a repository. ``fetched``: a pull of the card's ref takes it; ``why_not`` is a
    sentence where it never would (a pickle); ``ref`` pulls this file, and the other parts of its
    model, out of several that the repository has, None where it cannot be chosen by itself."""

    name: str
    size_bytes: int | None
    sha256: str | None
    fetched: bool
    why_not: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class RepositoryCard:
    """Everything a source knows of one model before it is fetched.

    ``commit`` is what the asked revision stands for now: a pull of ``ref@commit`` fetches exactly
    these files. ``download_bytes`` sums the files that a pull takes.
    """

    entry: CatalogueEntry
    commit: str | None
    files: tuple[RepositoryFile, ...]
    download_bytes: int | None
    terms_url: str | None = None
