"""The models that exist, over all providers, and the one that a name means.

The registry does no I/O of its own: it asks providers, concurrently and each with its own timeout.
A provider that does not answer makes its part stale, with the reason; it never empties the list.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from venom_core.models.addresses import is_address, without_address
from venom_core.models.elsewhere import choosable, only_elsewhere, with_host
from venom_core.models.left_out import usable
from venom_core.models.references import Reference, follow, names_match, parse_reference
from venom_core.models.unknown import concerned, unheard, unknown_model, where_to_get_one
from venom_core.plugins.access import ProviderAccess
from venom_core.plugins.border import LeftOut
from venom_core.sdk.errors import (
    AmbiguousModel,
    EngineMissing,
    ModelNotFound,
    NotFound,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.provider import Model, Provider
from venom_core.sdk.states import Reason

LATE = "Ask again in a moment; a larger VENOM_PLUGIN_LOAD_TIMEOUT waits longer."
FRESH_SECONDS = 5.0
# A listing waits for a provider; for one that was in trouble last time it hardly does.
TROUBLE_PATIENCE = 0.1


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of one provider. ``id`` is what ``/v1`` lists: the bare name where it resolves to
    this model, else ``provider://ref``; both are accepted. ``source`` is the provider that brought
    the files and ``runtimes`` are those that can run them: both may list the
    same files, by their identity."""

    provider: str
    model: Model
    id: str = ""
    source: str = ""
    runtimes: tuple[str, ...] = ()

    @property
    def is_served(self) -> bool:
        """Return whether its own provider can run it; a source only keeps files."""
        return self.model.capabilities is None or bool(self.model.capabilities)

    @property
    def reference(self) -> str:
        return f"{self.provider}://{self.model.ref}"

    @property
    def chats(self) -> bool:
        """Return whether it may be chosen for chat; unknown capabilities count as yes."""
        known = self.model.capabilities
        return known is None or "chat" in known


@dataclass(frozen=True, slots=True)
class Listing:
    """``stale`` names the providers that did not answer now, and why; ``left_out`` what they list
    and nobody could use, and why."""

    models: tuple[ListedModel, ...]
    stale: Mapping[str, Reason] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    @property
    def installed(self) -> tuple[ListedModel, ...]:
        return tuple(item for item in self.models if item.model.installed)


@dataclass(frozen=True, slots=True)
class Names:
    """The meaning of bare names before the order of preference is asked: ``aliases`` to their
    targets, and the models (provider, ref) that win over others of the same name, the first of them
    first."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    preferred: tuple[tuple[str, str], ...] = ()


NO_NAMES = Names()


async def _no_names() -> Names:
    return NO_NAMES


@dataclass(slots=True)
class _Part:
    """The last answer of one provider. ``heard``: it has answered once since the start;
    ``canonical``: its own word on which references are the same."""

    models: Sequence[Model] = ()
    reason: Reason | None = None
    left_out: tuple[LeftOut, ...] = ()
    asked_at: float = float("-inf")
    heard: bool = False
    canonical: Callable[[str], str] | None = None


@dataclass(slots=True)
class _Basis:
    """The parts that a merged listing was made from."""

    names: tuple[str, ...]
    order: tuple[str, ...]
    known_names: Names
    parts: list[_Part]

    def same(self, other: _Basis) -> bool:
        return (
            self.names == other.names
            and self.order == other.order
            and self.known_names is other.known_names
            and all(mine is theirs for mine, theirs in zip(self.parts, other.parts, strict=True))
        )


class ModelRegistry:
    """Merges what providers report and resolves names.

    Args:
        host: finds and opens providers.
        providers: names that may be asked now.
        order: the preferred runtimes: of several that serve a bare name, the first wins.
        open_patience: seconds that a listing waits for a provider to be opened.
        names: aliases, and the models that win over others of their name.
    """

    def __init__(
        self,
        host: ProviderAccess,
        providers: Callable[[], Awaitable[Sequence[str]]],
        order: Callable[[], Sequence[str]],
        open_patience: Callable[[], float],
        names: Callable[[], Awaitable[Names]] = _no_names,
    ) -> None:
        self._host = host
        self._providers = providers
        self._order = order
        self._open_patience = open_patience
        self._names = names
        self._parts: dict[str, _Part] = {}
        #: Those whose models have changed since they were asked.
        self._changed: set[str] = set()
        self._refreshing: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        #: By provider, a question to one in trouble that is on its way.
        self._late: dict[str, asyncio.Task[None]] = {}
        self._listed: tuple[_Basis, Listing] | None = None

    async def close(self) -> None:
        alone = (self._refreshing, self._looking, *self._late.values())
        tasks = [task for task in alone if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def listing(self, *, fresh: bool = False, patient: bool = False) -> Listing:
        """Return every model of every provider. Asked for now when ``fresh``; otherwise one older
        than ``FRESH_SECONDS`` is given at once while a new one is fetched behind it. A provider
        that was in trouble last time is waited for only where the caller is ``patient``."""
        names = await self._providers()
        unknown = [name for name in names if self._is_unknown(name)]
        if fresh or unknown:
            await self._ask_all(names if fresh else unknown, patient)
        elif any(self._expired(name) for name in names):
            self._refresh_behind(names)
        return self._merged(names, await self._names())

    async def providers(self) -> Sequence[str]:
        """Return names of the providers that may be asked now, the preferred first."""
        return await self._providers()

    def known(self) -> Listing | None:
        """Return the cached listing at once; None before the first answer. Who was not heard lately
        is asked behind it."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        parts = dict(self._parts)
        if not parts:
            return None
        items = [ListedModel(name, model) for name, part in parts.items() for model in part.models]
        stale = {name: part.reason for name, part in parts.items() if part.reason}
        return Listing(tuple(items), stale)

    async def _look(self) -> None:
        with contextlib.suppress(VenomError):
            await self.listing()

    def forget(self, provider: str) -> None:
        """Ask this provider anew next time (after a pull or a removal)."""
        # Its part stays: whoever is between asking and reading must not find nothing.
        self._changed.add(provider)

    def _is_unknown(self, provider: str) -> bool:
        return provider not in self._parts or provider in self._changed

    async def unaliased(self, name: str, *, param: str = "model") -> str:
        """Return what a name stands for once aliases, and the address of a page about a model, are
        replaced. Raises ``InvalidRequest`` naming ``param``."""
        if is_address(name):
            await self._providers()  # at a start, plugins are loading still
            name = without_address(name, self._host.specs().values(), param)
        parse_reference(name, param=param)
        return follow((await self._names()).aliases, name)

    async def resolve(self, name: str) -> ListedModel:
        """Return the installed model that a reference or bare name means.

        Raises ``ModelNotFound``, ``AmbiguousModel`` with the candidates, or what keeps the named
        provider from answering, or the one that may have it and was never heard.
        """
        known_names = await self._names()
        reference = parse_reference(name := await self.unaliased(name))
        if reference.provider is not None:
            return await self._resolve_qualified(reference)
        for fresh in (False, True):
            listing = await self.listing(fresh=fresh, patient=fresh)
            candidates = self._named(name, listing.installed)
            if found := _choose(name, candidates, self._order(), known_names.preferred):
                return found
        never = [provider for provider in listing.stale if not self._parts[provider].heard]
        if reason := unheard(name, listing, never, known_names.aliases):
            raise reason.error()
        raise unknown_model(name, listing, known_names.aliases)

    def _named(self, name: str, installed: Sequence[ListedModel]) -> Sequence[ListedModel]:
        """Return the models that a bare name may mean: those of exactly this name, else of this
        name once ``:latest`` is understood, else those that their own provider calls the same."""
        return (
            [item for item in installed if item.model.ref == name]
            or [item for item in installed if names_match(name, item.model.ref)]
            or [item for item in installed if self._are_same(item.provider, name, item.model.ref)]
        )

    def _are_same(self, provider: str, asked: str, ref: str) -> bool:
        part = self._parts.get(provider)
        if part is None or part.canonical is None:
            return False
        with contextlib.suppress(VenomError):
            return part.canonical(asked) == part.canonical(ref)
        return False

    async def serving(self, item: ListedModel) -> ListedModel:
        """Return the model that runs what ``item`` names: itself, or, where its provider only keeps
        files, the same files as the most preferred runtime lists them."""
        if item.is_served or item.model.identity is None:
            return item
        for fresh in (False, True):
            listing = await self.listing(fresh=fresh, patient=fresh)
            same = [
                other
                for other in listing.installed
                if other.model.identity == item.model.identity and other.is_served
            ]
            if same:
                return min(same, key=self._rank)
        return item

    async def _resolve_qualified(self, reference: Reference) -> ListedModel:
        await self._providers()  # at a start, plugins are loading still
        provider = self._host.resolve_name(reference.provider or "")
        if provider is None:
            raise await self._no_provider(reference.provider or "")
        for fresh in (False, True):
            if fresh or self._is_unknown(provider):
                await self._ask([provider])
            models = self._parts[provider].models
            listed = [ListedModel(provider, m, f"{provider}://{m.ref}") for m in models]
            if found := self._named(reference.name, [i for i in listed if i.model.installed]):
                return found[0]
        reason = self._parts[provider].reason
        if reason is not None:
            raise reason.error()
        raise unknown_model(str(reference), self._merged([provider], await self._names()))

    async def _no_provider(self, name: str) -> VenomError:
        """Return why a provider that was named is not loaded: its plugin's reason, where there is
        such a plugin."""
        fix = None
        try:
            await self._host.provider(name)
        except VenomError as error:
            if error.code != "provider_not_found":
                return error
            fix = error.fix
        message = f"There is no provider {name!r}."
        return NotFound(message, code="provider_not_found", param="model", fix=fix)

    async def default(
        self, preferred: Callable[[], str | None], fits: Callable[[Model], bool]
    ) -> tuple[ListedModel, str]:
        """Return the chat model to use where none is named, and a sentence that says why this one.

        Args:
            preferred: a reference with a glob (``ollama://gemma3:*``), asked for once the plugins
                are loaded; of several models the largest that fits, else the smallest; None
                prefers none.
            fits: whether a model can run in the memory free now.
        """
        listing, pattern = await self.listing(), preferred()
        chats = choosable(listing.installed)
        if not chats and listing.stale:
            listing = await self.listing(fresh=True, patient=True)
            chats = choosable(listing.installed)
        matches = [i for i in chats if pattern and fnmatch.fnmatchcase(i.reference, pattern)]
        if matches:
            by_size = sorted(matches, key=lambda item: item.model.size_bytes or 0)
            fitting = [item for item in by_size if fits(item.model)]
            chosen = fitting[-1] if fitting else by_size[0]
            return with_host(chosen, f"the largest installed match of {pattern} that fits")
        if chats:
            # A base model only where no other is there: it answers short questions of fact and
            # does not converse. Among equals the preferred provider decides.
            ranked = sorted(
                chats, key=lambda item: (item.model.instruct is False, self._rank(item))
            )
            first = ranked[0]
            if pattern is None:
                return with_host(first, "the first model that converses")
            return with_host(first, f"no {pattern} is installed; the first model that converses")
        reasons = "".join(f" {reason.message}" for reason in concerned(listing))
        if away := [item for item in listing.installed if item.chats]:
            raise only_elsewhere(away)
        raise ModelNotFound(
            f"No chat model is installed.{reasons}",
            code="no_model",
            param="model",
            fix=where_to_get_one(listing),
        )

    def _rank(self, item: ListedModel) -> int:
        order = self._order()
        return order.index(item.provider) if item.provider in order else len(order)

    def _expired(self, name: str) -> bool:
        return time.monotonic() - self._parts[name].asked_at > FRESH_SECONDS

    def _refresh_behind(self, names: Sequence[str]) -> None:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._ask(names))

    async def _ask_all(self, names: Sequence[str], patient: bool) -> None:
        """Ask, and wait for each no longer than it deserves; who is late answers the next one."""
        await asyncio.gather(*(self._wait_for(name, patient) for name in names))

    async def _wait_for(self, name: str, patient: bool) -> None:
        part = self._parts.get(name)
        in_trouble = part is not None and part.reason is not None
        if patient or not in_trouble:
            await self._ask_one(name)
            return
        asking = self._late.get(name)
        if asking is None or asking.done():
            asking = self._late[name] = asyncio.create_task(self._ask_one(name))
        await asyncio.wait([asking], timeout=TROUBLE_PATIENCE)

    async def _ask(self, names: Sequence[str]) -> None:
        await asyncio.gather(*(self._ask_one(name) for name in names))

    async def _ask_one(self, name: str) -> None:
        part = self._parts.get(name, _Part())
        self._changed.discard(name)  # what changes from here on is a change anew
        models, reason, canonical = part.models, None, part.canonical
        left_out = part.left_out
        try:
            provider = await self._opened(name)
            canonical = provider.canonical
            models = await provider.models()
        except EngineMissing as error:  # nothing of it can run, whatever lies on the disk
            models, reason = await self._host.offered(name), Reason.of(error)
        except VenomError as error:
            reason = Reason.of(error)
        else:
            models, left_out = usable(name, models)
        heard = part.heard or reason is None
        self._parts[name] = _Part(models, reason, left_out, time.monotonic(), heard, canonical)

    async def _opened(self, name: str) -> Provider:
        """The provider; who is late is opened all the same, and a later listing has its models."""
        patience = self._open_patience()
        try:
            async with asyncio.timeout(patience):
                return await self._host.provider(name)
        except TimeoutError as error:
            raise UpstreamTimeout(f"{name} is not open after {patience:g} s.", fix=LATE) from error

    def _merged(self, names: Sequence[str], known_names: Names) -> Listing:
        """Merge the parts, anew only when one is new: it costs by the model and every request
        asks."""
        parts = [self._parts[name] for name in names]
        basis = _Basis(tuple(names), tuple(self._order()), known_names, parts)
        if self._listed is None or not self._listed[0].same(basis):
            self._listed = basis, self._merge(names, known_names)
        return self._listed[1]

    def _merge(self, names: Sequence[str], known_names: Names) -> Listing:
        items = [ListedModel(name, model) for name in names for model in self._parts[name].models]
        installed = [item for item in items if item.model.installed]
        by_ref: dict[str, list[ListedModel]] = {}
        for item in installed:
            by_ref.setdefault(item.model.ref, []).append(item)
        order = self._order()
        owner = {
            ref: _preferred(same, order, known_names.preferred)
            for ref, same in by_ref.items()
            if ref not in known_names.aliases  # the name means something else
        }
        files = _by_identity(installed)
        merged = [
            replace(
                item,
                id=item.model.ref if _is_bare(item, owner) else item.reference,
                source=_source(item, files),
                runtimes=_runtimes(item, files),
            )
            for item in items
        ]
        stale = {name: reason for name in names if (reason := self._parts[name].reason)}
        left_out = [one for name in names for one in self._parts[name].left_out]
        return Listing(tuple(merged), stale, tuple(left_out))


def _is_bare(item: ListedModel, owner: Mapping[str, ListedModel | None]) -> bool:
    """Return whether the name alone means this model; one with ``://`` in it means a provider."""
    return owner.get(item.model.ref) is item and "://" not in item.model.ref


def _by_identity(installed: Sequence[ListedModel]) -> Mapping[str, list[ListedModel]]:
    files: dict[str, list[ListedModel]] = {}
    for item in installed:
        if item.model.identity is not None:
            files.setdefault(item.model.identity, []).append(item)
    return files


def _source(item: ListedModel, files: Mapping[str, list[ListedModel]]) -> str:
    same = files.get(item.model.identity or "", ())
    return next((other.provider for other in same if not other.is_served), item.provider)


def _runtimes(item: ListedModel, files: Mapping[str, list[ListedModel]]) -> tuple[str, ...]:
    same = files.get(item.model.identity or "", [item])
    return tuple(dict.fromkeys(other.provider for other in same if other.is_served))


def _preferred(
    candidates: Sequence[ListedModel],
    order: Sequence[str],
    preferred: Sequence[tuple[str, str]],
) -> ListedModel | None:
    """Return the one that a bare name means: the sole candidate, else the one in use, else the
    first in the order of preference."""
    if len(candidates) == 1:
        return candidates[0]
    by_key = {(item.provider, item.model.ref): item for item in candidates}
    used = (by_key[key] for key in preferred if key in by_key)
    # A name alone does not send a prompt away while the same name is to be had here.
    candidates = [item for item in candidates if item.model.runs_at is None] or candidates
    ranked = (item for provider in order for item in candidates if item.provider == provider)
    return next(used, None) or next(ranked, None)


def _choose(
    name: str,
    candidates: Sequence[ListedModel],
    order: Sequence[str],
    preferred: Sequence[tuple[str, str]],
) -> ListedModel | None:
    if not candidates:
        return None
    if found := _preferred(candidates, order, preferred):
        return found
    listed = ", ".join(item.reference for item in candidates)
    raise AmbiguousModel(
        f"{name!r} is served by several providers: {listed}.",
        param="model",
        fix=f"Name one of them: {candidates[0].reference}",
    )
