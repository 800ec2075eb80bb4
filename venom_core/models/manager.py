"""The models in use: the active one of each role, what is in memory, overrides, aliases.

The manager asks providers to load and unload, and keeps its state in the store. It talks no HTTP
and lists nothing: which models exist is the registry's knowledge.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.models.generation import GenerationConfig, checked, schema_of
from venom_core.models.memory import ModelMemory
from venom_core.models.references import check_plain, follow, parse_reference
from venom_core.models.registry import ListedModel, ModelRegistry, Names
from venom_core.models.roles import ROLES, Role, check_role
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.disk import check_space
from venom_core.sdk.errors import (
    Conflict,
    InvalidRequest,
    ModelNotFound,
    NoDiskSpace,
    NotFound,
    Unavailable,
    VenomError,
)
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import PullPlan
from venom_core.sdk.states import ProviderStatus
from venom_core.store.audit import Actor
from venom_core.store.in_use import InUse, InUseRepository, ModelKey

log = logging.getLogger(__name__)

LONGEST_ALIAS = 100


@dataclass(frozen=True, slots=True)
class Switch:
    """The outcome of an activation; ``before`` is the reference that was active."""

    role: Role
    item: ListedModel
    before: str | None
    loaded: bool

    @property
    def changed(self) -> bool:
        return self.before != self.item.reference


class ModelManager:
    """The models in use.

    Args:
        repository: opens the store; called in a thread.
        stored: whether there is a store: looking must not make one.
        disk_limit_bytes: what all models together may take.
        report: hands an event to the observers.
    """

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        memory: ModelMemory,
        repository: Callable[[], InUseRepository],
        stored: Callable[[], bool],
        disk_limit_bytes: int,
        report: Callable[[ObservedEvent], None],
    ) -> None:
        self._host = host
        self._registry = registry
        self.memory = memory
        self._repository = repository
        self._stored = stored
        self.disk_limit_bytes = disk_limit_bytes
        self._report = report
        self._state: InUse | None = None
        self._names = Names()
        #: One transition at a time; and one write at a time, which outlives whoever asked for it.
        self._switching = asyncio.Lock()
        self._changing: Role | None = None
        self._writing = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Wait for the write under way."""
        await asyncio.gather(*self._writes, return_exceptions=True)

    # What is in use

    async def state(self) -> InUse:
        """Return everything stored, from memory; the store is read once."""
        if self._state is None:
            async with self._writing:
                if self._state is None:
                    self._take(await asyncio.to_thread(self._read))
        assert self._state is not None
        return self._state

    async def names(self) -> Names:
        """Return aliases and the active models for the registry, which win over others of their
        name."""
        if self._state is None:
            await self.state()
        return self._names

    async def overrides(self, item: ListedModel) -> Mapping[str, Any]:
        """Return the stored generation parameters of a model; costs a look into a dictionary."""
        state = self._state or await self.state()
        return state.overrides.get((item.provider, item.model.ref), {})

    async def active(self, role: Role) -> ListedModel | None:
        """Return the active model of a role; None where none was chosen.

        Raises ``ModelNotFound`` (``active_model_gone``) where it is not installed any more, else
        what keeps its provider from answering.
        """
        key = (await self.state()).active.get(role)
        if key is None:
            return None
        for item in (await self._registry.listing()).installed:
            if (item.provider, item.model.ref) == key:
                return item
        reference = "{}://{}".format(*key)
        try:
            return await self._registry.resolve(reference)
        except (ModelNotFound, NotFound) as error:
            raise ModelNotFound(
                f"The active model for {role}, {reference}, is not installed any more.",
                code="active_model_gone",
                param="model",
                fix=f"Choose another one, or none: venom use --none --role {role}",
            ) from error

    async def servable(self, name: str, runtime: str | None = None) -> ListedModel:
        """Return the installed model of that name, served by ``runtime`` where one is named.

        Raises ``ModelNotFound``, ``AmbiguousModel``, ``InvalidRequest``
        (``not_served_by_runtime``).
        """
        if runtime is None:
            return await self._registry.serving(await self._registry.resolve(name))
        await self._registry.providers()  # at a start, plugins are loading still
        provider = self._host.resolve_name(runtime)
        parsed = parse_reference(follow((await self.state()).aliases, name), param="name")
        named = parsed.provider and self._host.resolve_name(parsed.provider)
        if provider is not None and (parsed.provider is None or named == provider):
            try:
                return await self._registry.resolve(f"{provider}://{parsed.name}")
            except ModelNotFound:
                pass  # known elsewhere it is a wrong runtime, else a wrong name
        try:
            item = await self._registry.serving(await self._registry.resolve(name))
            if item.provider == provider:
                return item
            found = item.reference
        except Conflict:
            found = f"{name!r}"
        raise InvalidRequest(
            f"{found} is not served by {runtime!r}.",
            code="not_served_by_runtime",
            param="runtime",
            fix="See who serves each model with: venom list",
        )

    # Transitions

    async def use(
        self,
        name: str,
        *,
        role: Role = "chat",
        runtime: str | None = None,
        load: bool = False,
        actor: Actor,
    ) -> Switch:
        """Make a model the active one of a role: all of it happens, or nothing.

        Args:
            runtime: the provider that must serve it, a name or an alias.
            load: bring it into memory first; what cannot be loaded does not become active.

        Raises:
            ModelNotFound, ModelNotCapable, InvalidRequest (``not_served_by_runtime``), Unavailable,
            StorageError; the model that was active stays active then.
        """
        async with self._switching, self._transition(role):
            item = await self.servable(name, runtime)
            check_role(item, self._host.specs()[item.provider], role)
            await self._check_health(item.provider)
            loaded = load and await self.memory.load(item)
            key = (item.provider, item.model.ref)
            before = (await self.state()).active.get(role)
            if before != key:
                try:
                    await self._write(lambda store: store.set_active(role, key, actor))
                except Exception:
                    if loaded and not item.model.loaded:
                        with contextlib.suppress(VenomError):
                            await self.memory.unload(item)
                    raise
            switch = Switch(role, item, before and "{}://{}".format(*before), loaded)
            if switch.changed:
                self._report(
                    ObservedEvent(
                        "model.activated",
                        {"role": role, "provider": item.provider, "model": item.model.ref},
                    )
                )
            return switch

    def is_switching(self, role: Role) -> bool:
        """Return whether the active model of the role is being changed just now."""
        return self._changing == role

    async def deactivate(self, role: Role, actor: Actor) -> str | None:
        """Let a role have no active model; gives the reference of the one that was."""
        async with self._switching:
            before = (await self.state()).active.get(role)
            if before is None:
                return None
            await self._write(lambda store: store.set_active(role, None, actor))
            return "{}://{}".format(*before)

    async def load(self, name: str) -> tuple[ListedModel, bool]:
        """Bring a model into memory; False where its provider does so at the first question only.
        Raises as :meth:`servable`, and what keeps its provider from loading it."""
        item = await self.servable(name)
        await self._check_health(item.provider)
        return item, await self.memory.load(item)

    async def unload(self, name: str) -> ListedModel:
        """Take a model out of memory; it stays active where it was."""
        item = await self._registry.resolve(name)
        await self.memory.unload(item)
        return item

    async def check_removable(self, item: ListedModel) -> None:
        """Raise ``InvalidRequest`` (``model_active``) for the active model of any role."""
        active = (await self.state()).active
        roles = [role for role in ROLES if active.get(role) == (item.provider, item.model.ref)]
        if roles:
            let_go = " && ".join(f"venom use --none --role {role}" for role in roles)
            raise InvalidRequest(
                f"{item.reference} is the active model for {', '.join(roles)}.",
                code="model_active",
                param="name",
                fix=f"Choose another one first, or none: {let_go}",
            )

    # Generation parameters

    def generation(self, item: ListedModel, saved: Mapping[str, Any]) -> GenerationConfig:
        """Return the views of a model's parameters; ``item`` with everything its provider knows."""
        schema = schema_of(item.model, self._host.specs()[item.provider].parameters)
        return GenerationConfig(schema, saved, item.model.defaults)

    async def configure(
        self, item: ListedModel, parameters: Mapping[str, Any], actor: Actor
    ) -> dict[str, Any]:
        """Store the parameters of a model in place of what was stored; none forgets them.

        Raises ``InvalidRequest`` (``invalid_parameters``) with a sentence for each bad one.
        """
        schema = self.generation(item, {}).schema
        kept = checked(schema, parameters, model=item.reference)
        key: ModelKey = (item.provider, item.model.ref)
        if kept != (await self.state()).overrides.get(key, {}):
            await self._write(lambda store: store.set_override(key, kept or None, actor))
        return kept

    # Aliases

    async def set_alias(self, name: str, target: str, actor: Actor) -> None:
        """Let ``name`` stand for ``target``, a reference, a bare name or another alias.

        Raises ``InvalidRequest`` (``invalid_alias``, ``alias_loop``, ``invalid_model_name``).
        """
        if parse_reference(name, param="name").provider is not None or len(name) > LONGEST_ALIAS:
            raise InvalidRequest(
                f"An alias is a bare name of at most {LONGEST_ALIAS} characters.",
                code="invalid_alias",
                param="name",
                fix="venom alias set fast gemma3:4b",
            )
        check_plain(name, param="name")
        parse_reference(target, param="target")
        follow({**(await self.state()).aliases, name: target}, name)
        await self._write(lambda store: store.set_alias(name, target, actor))

    async def remove_alias(self, name: str, actor: Actor) -> str:
        """Forget an alias; gives its target. Raises ``NotFound`` (``alias_not_found``)."""
        target = (await self.state()).aliases.get(name)
        if target is None:
            raise NotFound(
                f"There is no alias {name!r}.",
                code="alias_not_found",
                param="name",
                fix="See the aliases with: venom alias list",
            )
        await self._write(lambda store: store.set_alias(name, None, actor))
        return target

    # The disk

    def disk_bytes(self) -> int | None:
        """Return what the installed models take on disk, as far as providers told; a file that
        several providers list counts once."""
        listing = self._registry.known()
        if listing is None:
            return None
        sizes = {
            item.model.identity or item.model.digest or item.reference: item.model.size_bytes or 0
            for item in listing.installed
        }
        return sum(sizes.values())

    async def check_disk_limit(self, more_bytes: int) -> None:
        """Raise ``NoDiskSpace`` (``disk_limit``) where so many bytes more pass the limit."""
        await self._registry.listing()
        used = self.disk_bytes() or 0
        limit = self.disk_limit_bytes
        if used + more_bytes > limit:
            raise NoDiskSpace(
                f"The models take {used / 1e9:.1f} of {limit / 1e9:g} GB;"
                f" {more_bytes / 1e9:.1f} GB more are too much.",
                code="disk_limit",
                fix="Remove a model with venom rm NAME, or raise VENOM_DISK_LIMIT_GB.",
            )

    async def check_room(self, plan: PullPlan) -> None:
        """Raise ``NoDiskSpace`` where a pull fits neither its disk nor the limit for models."""
        if plan.folder is not None and plan.bytes_to_write is not None:
            await asyncio.to_thread(check_space, plan.folder, plan.bytes_to_write, plan.ref)
        if plan.bytes_total is not None:
            await self.check_disk_limit(plan.bytes_total)

    # Inside

    @contextlib.asynccontextmanager
    async def _transition(self, role: Role) -> AsyncIterator[None]:
        self._changing = role
        try:
            yield
        finally:
            self._changing = None

    async def _check_health(self, provider: str) -> None:
        health = await self._host.health(provider)
        if health.status in (ProviderStatus.READY, ProviderStatus.DEGRADED):
            return
        if health.reason is not None:
            raise health.reason.error()
        raise Unavailable(f"{provider} cannot answer now.", fix="venom doctor")

    def _read(self) -> InUse:
        return self._repository().read() if self._stored() else InUse()

    async def _write(self, change: Callable[[InUseRepository], None]) -> None:
        """Change the store, then the copy in memory. A caller that is cancelled meanwhile does not
        stop it: memory must never say something else than the store."""
        task = asyncio.create_task(self._written(change))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        await asyncio.shield(task)

    async def _written(self, change: Callable[[InUseRepository], None]) -> None:
        async with self._writing:
            await asyncio.to_thread(lambda: change(self._repository()))
            self._state = None  # should the reading fail, the next one tries again
            self._take(await asyncio.to_thread(self._read))

    def _take(self, state: InUse) -> None:
        preferred = dict.fromkeys(state.active[role] for role in ROLES if role in state.active)
        self._names = Names(state.aliases, tuple(preferred))
        self._state = state
