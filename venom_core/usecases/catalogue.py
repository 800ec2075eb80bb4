"""Catalogues of sources: what could be fetched, what is in demand, searches, news."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from venom_core.models.catalogue_views import (
    CardView,
    EntryList,
    NewsView,
    SearchView,
    card_view,
    entries_view,
    news_view,
    search_view,
)
from venom_core.models.references import parse_reference
from venom_core.sdk.catalogue import NewsKind, SearchFilters

if TYPE_CHECKING:
    from venom_core.models.catalogue import Catalogue


class TrendingResult(EntryList):
    """``provider`` is as it was asked for, null for all."""

    provider: str | None


class CatalogueUseCases:
    """Use cases of catalogues; a source that fails is stale, never an error.

    Args:
        catalogue: makes the cached catalogue at the first use.
    """

    def __init__(self, catalogue: Callable[[], Catalogue]) -> None:
        self._catalogue = catalogue

    async def providers(self, provider: str | None, limit: int) -> EntryList:
        """Return what each provider offers, or the one that is named."""
        return entries_view(await self._catalogue().providers(provider, limit))

    async def trending(self, provider: str | None, limit: int) -> TrendingResult:
        """Return what is in demand."""
        found = await self._catalogue().trending(provider, limit)
        return {**entries_view(found), "provider": provider}

    async def news(
        self, provider: str, kind: NewsKind, month: str | None, lang: str, limit: int
    ) -> NewsView:
        """Return news about models, newest first; raises as ``Catalogue.news``."""
        _, answer = await self._catalogue().news(provider, kind, month, lang, limit)
        return news_view(provider, answer)

    async def card(self, name: str) -> CardView:
        """Return a model with its files, licence and terms before it is fetched; ``success`` is
        false where its source cannot be asked. Raises ``InvalidRequest``."""
        reference = parse_reference(name)
        source, answer = await self._catalogue().card(
            reference.provider or "huggingface", reference.name
        )
        return card_view(source, reference.name, answer)

    async def search(
        self, provider: str, query: str, filters: SearchFilters, limit: int, page: int
    ) -> SearchView:
        """Return a page of a source's catalogue; ``success`` is false where it cannot be asked."""
        name, answer = await self._catalogue().search(provider, query, filters, limit, page)
        return search_view(provider, name, query, answer, page, limit)
