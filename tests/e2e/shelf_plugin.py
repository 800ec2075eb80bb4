"""A source of models for the page's tests: it is searched, shows cards, and can be away."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from venom_core.sdk import ProviderSpec, hookimpl
from venom_core.sdk.architecture import Architecture
from venom_core.sdk.catalogue import (
    CatalogueEntry,
    RepositoryCard,
    RepositoryFile,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.errors import ModelNotFound, NotSupported, Unavailable
from venom_core.sdk.provider import Model, Provider, PullPlan, PullProgress
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import Health, ProviderStatus

#: A file of this name in the data directory takes the network away.
AWAY = "shelf-is-away"
#: Half a megabyte for each token: 512 of them fit everywhere, a million nowhere.
LAYERS = 32
ARCHITECTURE = Architecture(
    "shelf", layers=LAYERS, heads=32, kv_heads=(32,) * LAYERS, key_length=128, value_length=128,
    weights_bytes=5_000_000, context_length=1 << 20,
)  # fmt: skip
BOOKS = {
    f"org/book-{number}": CatalogueEntry(
        f"org/book-{number}", f"Book {number}", tags=("gguf", "text-generation"), downloads=number,
        likes=1, license="mit" if number % 2 else "apache-2.0", gated=number == 2,
        updated_at="2026-11-02T00:00:00Z",
    )
    for number in range(1, 13)
}  # fmt: skip
SIZES = {"Q4_K_M": 5_000_000, "Q8_0": 9_000_000}


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="shelf",
            title="Shelf",
            summary="Books of models.",
            factory="tests.e2e.shelf_plugin:ShelfProvider",
            capabilities=frozenset(
                {
                    Capability.SEARCH, Capability.TRENDING, Capability.CARD, Capability.DESCRIBE,
                    Capability.PULL,
                }
            ),
        )
    ]  # fmt: skip


class ShelfProvider(Provider):
    """Twelve books, the second of which is gated; each in two sizes."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._there: set[str] = set()

    async def health(self) -> Health:
        return Health(ProviderStatus.READY)

    async def models(self) -> Sequence[Model]:
        return [Model(ref, "gguf", frozenset({"chat"})) for ref in sorted(self._there)]

    async def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        _check_network()
        if filters.task is not None:
            raise NotSupported("The shelf does not sort by task.", param="task")
        found = [
            book
            for book in BOOKS.values()
            if query.lower() in str(book.title).lower() and filters.license in (None, book.license)
        ]
        return SearchPage(found[(page - 1) * limit : page * limit], len(found))

    async def trending(self, limit: int) -> Sequence[CatalogueEntry]:
        _check_network()
        return [BOOKS["org/book-7"]]

    async def card(self, ref: str) -> RepositoryCard:
        _check_network()
        book = _book(ref)
        files = [
            RepositoryFile(f"book-{size}.gguf", bytes_, None, size == "Q4_K_M", None,
                           f"{book.ref}:{size}")
            for size, bytes_ in SIZES.items()
        ]  # fmt: skip
        pickle = RepositoryFile("book.bin", 1_000, None, False, "It may hold a program.")
        terms = "https://shelf.example/terms" if book.gated else None
        return RepositoryCard(book, "abc", (*files, pickle), SIZES["Q4_K_M"], terms)

    async def describe(self, ref: str) -> Model:
        return Model(
            ref, "gguf", frozenset({"chat"}), _book(ref).title, size_bytes=5_000_000,
            installed=ref in self._there, architecture=ARCHITECTURE,
        )  # fmt: skip

    async def plan_pull(self, ref: str) -> PullPlan:
        return PullPlan(ref)

    async def forget_pull(self, ref: str) -> None:
        self._there.discard(ref)

    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        total = SIZES[ref.rpartition(":")[2]]
        yield PullProgress("pulling", "Fetching", total // 2, total)
        self._there.add(ref)
        yield PullProgress("completed", "It is on the shelf", total, total)


def _book(ref: str) -> CatalogueEntry:
    found = BOOKS.get(ref.partition(":")[0])
    if found is None:
        raise ModelNotFound(f"There is no book {ref!r}.")
    return found


def _check_network() -> None:
    if (Path(os.environ["VENOM_HOME"]) / AWAY).exists():
        raise Unavailable("The shelf cannot be reached.", fix="Connect this machine to a network.")
