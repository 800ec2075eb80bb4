"""Rules of a source's catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence

from venom_core.sdk.catalogue import (
    SUMMARY_CHARACTERS,
    CatalogueEntry,
    NewsItem,
    NewsKind,
    RepositoryCard,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.case import Case
from venom_core.testing.conformance.rule import require, rule

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@rule(Capability.SEARCH)
async def search_pages_follow_each_other(case: Case) -> None:
    """A page has at most ``limit`` models, and the next page has others."""
    provider, query = await case.provider(), case.subject.query
    pages = [await provider.search(query, SearchFilters(), 1, page) for page in (1, 2)]
    for page in pages:
        require(isinstance(page, SearchPage), f"search returns a {type(page).__name__}.")
        _entries(page.entries, 1)
    first, second = ([entry.ref for entry in page.entries] for page in pages)
    require(first, f"The search for {query!r} finds nothing.")
    require(not set(first) & set(second), f"{first[0]!r} is on two pages.")


@rule(Capability.TRENDING)
async def trending_keeps_its_limit(case: Case) -> None:
    """``trending`` returns at most as many models as were asked for, each once."""
    found = await (await case.provider()).trending(1)
    _entries(found, 1)


@rule(Capability.NEWS)
async def news_is_newest_first(case: Case) -> None:
    """News are as many as asked for at most, with web addresses and short plain summaries; entries
    of a blog are the newest first."""
    provider = await case.provider()
    kinds: tuple[NewsKind, ...] = ("blog", "papers")
    for kind in kinds:
        found = await provider.news(kind, None, "en", 2)
        require(len(found) <= 2, f"{len(found)} news of 2 that were asked for.")
        for item in found:
            require(isinstance(item, NewsItem), f"news has a {type(item).__name__} in it.")
            require(item.url.startswith(("https://", "http://")), f"{item.url!r} is no address.")
            require(
                len(item.summary) <= SUMMARY_CHARACTERS and "<" not in item.summary,
                f"The summary of {item.title!r:.60} is too long, or no plain text.",
            )
        times = [item.published_at for item in found if item.published_at]
        require(all(_UTC.fullmatch(time) for time in times), f"{times} are no times in UTC.")
        newest = kind != "blog" or times == sorted(times, reverse=True)
        require(newest, "The entries of the blog are not the newest first.")


@rule(Capability.CARD)
async def cards_add_up(case: Case) -> None:
    """A card is of the model that was asked for, and its download is the sum of what a pull
    takes."""
    ref = case.wanted("card", "The trial has no model with a card.")
    card = await (await case.provider()).card(ref)
    require(isinstance(card, RepositoryCard), f"card returns a {type(card).__name__}.")
    require(card.entry.ref == ref, f"The card of {ref!r} is of {card.entry.ref!r}.")
    sizes = [file.size_bytes for file in card.files if file.fetched]
    if card.download_bytes is not None and None not in sizes:
        total = sum(size or 0 for size in sizes)
        require(
            total == card.download_bytes,
            f"The card says {card.download_bytes} bytes, its files have {total}.",
        )


def _entries(found: Sequence[CatalogueEntry], most: int) -> None:
    require(len(found) <= most, f"{len(found)} models where {most} were the most.")
    for entry in found:
        require(isinstance(entry, CatalogueEntry), f"There is a {type(entry).__name__} in it.")
        size = entry.size_bytes
        require(size is None or 0 < size < 1 << 50, f"{entry.ref!r} cannot have {size} bytes.")
