"""Models that could be fetched: the sources' catalogues, searches and news, kept for a while.

The catalogue does no I/O of its own: it asks providers. A good answer is kept for half an hour;
where a source fails, its last good answer is given, marked as stale, with the reason. A failure is
never kept as an empty catalogue; the source is only not asked again at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from venom_core.models.registry import ListedModel, Listing
from venom_core.plugins.access import ProviderAccess
from venom_core.plugins.names import RESERVED_NAMES
from venom_core.sdk.catalogue import (
    CatalogueEntry,
    NewsItem,
    NewsKind,
    RepositoryCard,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.errors import (
    InvalidRequest,
    NotFound,
    NotSupported,
    Unavailable,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import Reason

FRESH_SECONDS = 30 * 60.0
#: After a failure the source is left alone for so long, or for what it asks.
PAUSE_SECONDS = 15.0
#: Answers that are kept, the one unused longest goes first.
MOST_KEPT = 256
#: A listing waits so long for a source; it is answered behind and shown the next time.
PATIENCE = 3.0
#: Somebody who searches waits longer.
LONG_PATIENCE = 30.0
#: A word for every provider that serves files of this machine.
LOCAL: Final = "local"


@dataclass(frozen=True, slots=True)
class Answer:
    """``value`` is None where there never was a good one; ``reason`` says why it is not fresh."""

    value: Any
    reason: Reason | None = None

    @property
    def stale(self) -> bool:
        return self.reason is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """A catalogue's entry with who offers it. ``installed``: it is on this machine."""

    provider: str
    entry: CatalogueEntry
    installed: bool = False


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of one provider or of several; ``reasons`` are those of the ones that failed."""

    entries: tuple[Entry, ...]
    reasons: tuple[Reason, ...] = ()
    #: At least one source answered, now or before.
    answered: bool = True


@dataclass(slots=True)
class _Kept:
    value: Any = None
    at: float = float("-inf")
    reason: Reason | None = None
    again_at: float = float("-inf")


class Catalogue:
    """Asks sources and keeps what they say.

    Args:
        host: finds and opens providers.
        names: providers that may be asked now.
        listing: the models of this machine and those that can be had by name.
        now: the monotonic clock, in seconds.
    """

    def __init__(
        self,
        host: ProviderAccess,
        names: Callable[[], Awaitable[Sequence[str]]],
        listing: Callable[[], Awaitable[Listing]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._names = names
        self._listing = listing
        self._now = now
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._asking: dict[Hashable, asyncio.Task[None]] = {}

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- what is asked -----------------------------------------------------------------------

    async def search(
        self, provider: str, query: str, filters: SearchFilters, limit: int, page: int
    ) -> tuple[str, Answer]:
        """Return the provider's name and a :class:`SearchPage`. Raises ``InvalidRequest`` for a
        provider that is none or cannot search."""

        def ask(source: Provider) -> Awaitable[SearchPage]:
            return source.search(query, filters, limit, page)

        key = (query, filters, limit, page)
        return await self._one(provider, Capability.SEARCH, key, ask)

    async def card(self, provider: str, ref: str) -> tuple[str, Answer]:
        """Return the provider's name and a :class:`RepositoryCard`; raises as :meth:`search`
        does."""

        def ask(source: Provider) -> Awaitable[RepositoryCard]:
            return source.card(ref)

        return await self._one(provider, Capability.CARD, (ref,), ask)

    async def news(
        self, provider: str, kind: NewsKind, month: str | None, lang: str, limit: int
    ) -> tuple[str, Answer]:
        """Return the provider's name and its news; raises as :meth:`search` does."""

        def ask(source: Provider) -> Awaitable[Sequence[NewsItem]]:
            return source.news(kind, month, lang, limit)

        return await self._one(provider, Capability.NEWS, (kind, month, lang, limit), ask)

    async def trending(self, provider: str | None, limit: int) -> Entries:
        """Return the models in demand at the sources that tell, or at one of them.

        Raises ``InvalidRequest`` for a provider that is none.
        """
        names = await self._names()
        if provider is None:
            specs = self._host.specs()
            sources = [name for name in names if Capability.TRENDING in specs[name].capabilities]
            if not sources:
                return Entries((), (missing("huggingface"),), answered=False)
            return _mixed(
                await asyncio.gather(*(self._demand(one, limit) for one in sources)), limit
            )
        name, reason = await self._find(provider)
        if reason is not None:
            return Entries((), (reason,), answered=False)
        if name == LOCAL:
            return await self._offered(await self._local(), limit)
        if Capability.TRENDING in self._host.specs()[name].capabilities:
            return await self._demand(name, limit)
        return await self._offered((name,), limit)

    async def providers(self, provider: str | None, limit: int) -> Entries:
        """Return what each provider offers: what is in demand at the sources, and the models that
        the others have or know by name. Raises as :meth:`trending` does."""
        names = await self._names()
        if provider is not None:
            return await self.trending(provider, limit)
        specs = self._host.specs()
        sources = [name for name in names if Capability.TRENDING in specs[name].capabilities]
        parts = await asyncio.gather(
            self._offered([name for name in names if name not in sources], limit),
            *(self._demand(name, limit) for name in sources),
        )
        return _mixed(parts, limit)

    # -- one source --------------------------------------------------------------------------

    async def _demand(self, name: str, limit: int) -> Entries:
        def ask(source: Provider) -> Awaitable[Sequence[CatalogueEntry]]:
            return source.trending(limit)

        answer = await self._ask(name, (Capability.TRENDING, name, limit), ask, PATIENCE)
        entries = tuple(Entry(name, entry) for entry in answer.value or ())
        reasons = () if answer.reason is None else (answer.reason,)
        return Entries(entries, reasons, answered=answer.value is not None)

    async def _offered(self, names: Sequence[str], limit: int) -> Entries:
        """Return models of the registry, those that are not here yet first."""
        listing = await self._listing()
        mine = [item for item in listing.models if item.provider in names]
        mine.sort(key=lambda item: item.model.installed)
        reasons = tuple(listing.stale[name] for name in names if name in listing.stale)
        answered = not reasons or bool(mine) or len(reasons) < len(names)
        return Entries(tuple(map(_entry, mine[:limit])), reasons, answered)

    async def _local(self) -> Sequence[str]:
        names = await self._names()
        specs = self._host.specs()
        return tuple(name for name in names if specs[name].has_engines_of_models)

    async def _one(
        self,
        provider: str,
        capability: Capability,
        key: tuple[Hashable, ...],
        ask: Callable[[Provider], Awaitable[Any]],
    ) -> tuple[str, Answer]:
        await self._names()
        name, reason = await self._find(provider)
        if reason is not None:
            return name, Answer(None, reason)
        spec = self._host.specs().get(name)
        if spec is None or capability not in spec.capabilities:
            raise NotSupported(
                f"{spec.title if spec else provider} has no {capability}.",
                param="provider",
                fix="Choose the provider huggingface, which has it.",
            )
        return name, await self._ask(name, (capability, name, *key), ask, LONG_PATIENCE)

    async def _find(self, name: str) -> tuple[str, Reason | None]:
        """Return a provider's own name, and what keeps it from being asked."""
        if name == LOCAL:
            return name, None
        resolved = self._host.resolve_name(name)
        if resolved is not None:
            return resolved, None
        try:
            await self._host.provider(name)
        except NotFound:
            if name in RESERVED_NAMES:
                return name, missing(name)
            known = ", ".join(sorted({*self._host.specs(), "huggingface", LOCAL}))
            raise InvalidRequest(
                f"There is no provider {name!r}.",
                code="unknown_provider",
                param="provider",
                fix=f"Choose one of: {known}",
            ) from None
        except VenomError as error:
            return name, Reason.of(error)
        return self._host.resolve_name(name) or name, None

    # -- keeping -----------------------------------------------------------------------------

    async def _ask(
        self,
        name: str,
        key: Hashable,
        ask: Callable[[Provider], Awaitable[Any]],
        patience: float,
    ) -> Answer:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            if self._now() < kept.again_at:
                return Answer(kept.value, kept.reason)
        if key not in self._asking:
            task = asyncio.create_task(self._fetch(name, key, ask), name=f"catalogue of {name}")
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        task = self._asking[key]
        await asyncio.wait({task}, timeout=patience)
        if not task.done():
            late = UpstreamTimeout(
                f"{name} has not answered yet.",
                fix="Ask again in a moment: it is still waited for.",
            )
            return Answer(kept.value if kept else None, Reason.of(late))
        task.result()  # what is wrong with the question itself
        kept = self._kept[key]
        return Answer(kept.value, kept.reason)

    async def _fetch(
        self, name: str, key: Hashable, ask: Callable[[Provider], Awaitable[Any]]
    ) -> None:
        """Ask, and keep what came of it. Raises for a question that is wrong in itself only."""
        try:
            value = await ask(await self._host.provider(name))
        except InvalidRequest:
            raise
        except VenomError as error:
            self._failed(key, error)
        else:
            now = self._now()
            self._keep(key, _Kept(value, now, None, now + FRESH_SECONDS))

    def _failed(self, key: Hashable, error: VenomError) -> None:
        before = self._kept.get(key) or _Kept()
        again = self._now() + max(PAUSE_SECONDS, error.retry_after or 0.0)
        self._keep(key, _Kept(before.value, before.at, Reason.of(error), again))

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def missing(name: str) -> Reason:
    """Return the reason where a provider of our release is not installed."""
    plugin = RESERVED_NAMES[name].removeprefix("venom-")
    error = Unavailable(
        f"The provider {name} is not installed.",
        code="provider_missing",
        fix=f"venom plugins install {plugin}",
    )
    return Reason.of(error)


def _entry(item: ListedModel) -> Entry:
    model = item.model
    entry = CatalogueEntry(
        ref=model.ref,
        title=model.title,
        size_bytes=model.size_bytes,
        runtime=item.provider if model.capabilities else None,
        tags=tuple(sorted(model.capabilities or ())),
        license=model.license,
    )
    return Entry(item.provider, entry, model.installed)


def _mixed(parts: Sequence[Entries], limit: int) -> Entries:
    """Return some of each, in turns, so that no provider crowds out another."""
    queues = [list(part.entries) for part in parts]
    mixed: list[Entry] = []
    while any(queues) and len(mixed) < limit:
        mixed += [queue.pop(0) for queue in queues if queue]
    return Entries(
        tuple(mixed[:limit]),
        tuple(reason for part in parts for reason in part.reasons),
        answered=any(part.answered for part in parts),
    )
