"""Profiles: which there are, which one is active, and switching to another while Venom runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from typing_extensions import TypedDict

from venom_core.chat.service import ChatService
from venom_core.models.memory import ModelMemory
from venom_core.plugins.host import PluginHost
from venom_core.sdk.errors import Conflict, VenomError
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import ProviderStatus, Reason
from venom_core.settings.active_profile import KEY, ActiveProfile
from venom_core.settings.forms import Origin
from venom_core.settings.layers import Settings
from venom_core.settings.profiles import Profile, every_profile, find_profile
from venom_core.store.audit import Actor
from venom_core.ui import is_built
from venom_core.usecases.journal import Journal

#: Seconds that a switch waits for an engine that has nothing to do to stop.
PATIENCE = 2.0

log = logging.getLogger(__name__)


class ProfileCapabilities(TypedDict):
    uses_local_llm: bool
    gpu_support: bool
    requires_onnx: bool


class ServiceResult(TypedDict):
    """A service after a switch: whether it is as the profile has it, else why not and what helps.
    One that is missing keeps no switch from succeeding."""

    service: str
    success: bool
    message: str
    code: str | None
    fix: str | None


class ProfileSwitch(TypedDict):
    """``changed`` is false where the profile was active already; ``until_restart`` says that the
    next start begins with another one."""

    success: bool
    message: str
    profile: str
    before: str
    changed: bool
    until_restart: bool
    results: list[ServiceResult]
    profile_capabilities: ProfileCapabilities


class ProfileView(TypedDict):
    """A row of the table. ``servers`` are the installed providers that answer chats and may be the
    active server under it."""

    name: str
    active: bool
    summary: str
    aliases: list[str]
    requires: list[str]
    excludes: list[str]
    services: list[str]
    runtimes: list[str]
    servers: list[str]
    environment: dict[str, str]
    profile_capabilities: ProfileCapabilities


class ProfileList(TypedDict):
    """``configured`` is the profile that the settings name, ``origin`` the layer that does and
    ``fixed_by`` the option or variable, where it is one; ``until_restart`` says that another one is
    active until the next start; ``switching`` is the one that is being made active;
    ``legacy_light`` that light runs no model."""

    success: bool
    active: str
    configured: str
    origin: Origin
    fixed_by: str | None
    until_restart: bool
    switching: str | None
    legacy_light: bool
    count: int
    profiles: list[ProfileView]


class ProfileUseCases:
    """Use cases of profiles.

    A switch takes effect for new requests at once. What is under way goes on: an engine that the
    new profile does without stops behind its last answer, in a task of its own.
    """

    def __init__(
        self,
        host: PluginHost,
        chat: ChatService,
        memory: ModelMemory,
        active: ActiveProfile,
        settings: Settings,
        journal: Journal,
    ) -> None:
        self._host = host
        self._chat = chat
        self._memory = memory
        self._active = active
        self._settings = settings
        self._journal = journal
        self._switching: str | None = None
        self._work: asyncio.Task[ProfileSwitch] | None = None
        self._stopping: dict[str, asyncio.Task[None]] = {}
        #: Of those that stop, the ones whose answers have ended.
        self._ending: set[str] = set()

    async def close(self) -> None:
        """End a switch, and wait for no answers any more; the host closes what is open."""
        if self._work is not None:
            await asyncio.wait({self._work})
        await self._cancel(self._stopping)

    async def listing(self) -> ProfileList:
        """Return every profile, and which is active and why."""
        await self._host.load_all()
        rows = every_profile(legacy_light=self._is_legacy)
        active, configured = self._active.name, self._active.configured
        return {
            "success": True,
            "active": active,
            "configured": configured,
            "origin": self._settings.origin(KEY),
            "fixed_by": self._active.fixed_by,
            "until_restart": active != configured,
            "switching": self._switching,
            "legacy_light": self._is_legacy,
            "count": len(rows),
            "profiles": [self._view(row) for row in rows],
        }

    async def switch(
        self, name: str, actor: Actor, *, lasting: bool = False, behind: bool = False
    ) -> ProfileSwitch:
        """Make a profile the active one and keep it for the next start, or change nothing.

        Where an option or a variable of this process names the profile, the new one holds until the
        next start.

        Args:
            lasting: what would not be kept is refused; for a process that ends behind it.
            behind: wait for a switch that is being made, in place of ``profile_switching``.

        Raises:
            NotFound: ``unknown_profile``.
            Conflict: ``profile_switching``; with ``lasting`` as ``Settings.change``.
            StorageError: it cannot be kept, or not be recorded.
        """
        row = find_profile(name, legacy_light=self._is_legacy)
        while behind and self._work is not None:
            await asyncio.wait({self._work})
        if self._switching is not None:
            raise Conflict(
                f"The profile {self._switching} is being made active.",
                code="profile_switching",
                fix="Try again in a moment.",
                retry_after=1,
            )
        self._switching = row.name
        # A task of its own: who asked may leave, and no switch ends half-way.
        self._work = asyncio.create_task(self._switch(row, actor, lasting), name="switch profile")
        self._work.add_done_callback(self._switched)
        return await asyncio.shield(self._work)

    def _switched(self, work: asyncio.Task[ProfileSwitch]) -> None:
        self._switching = self._work = None
        if not work.cancelled():
            work.exception()  # told to who asked, if anybody still waits

    async def _switch(self, row: Profile, actor: Actor, lasting: bool) -> ProfileSwitch:
        before, kept = self._active.name, lasting or self._active.fixed_by is None
        changed = before != row.name or (kept and self._active.configured != row.name)
        message = f"The profile {row.name} is active already."
        if changed:
            try:
                await self._change(row, before, kept, actor)
            except BaseException as error:
                why = error.message if isinstance(error, VenomError) else "The switch failed."
                self._tell(row.name, before, False, why)
                raise
            message = f"The profile {row.name} is active."
        if row.name != self._active.configured:
            fixed_by, configured = self._active.fixed_by, self._active.configured
            message = (
                f"The profile {row.name} is active until Venom is started again:"
                f" {fixed_by} names {configured}."
            )
        if changed:
            self._tell(row.name, before, True, message)
        stopped = await self._stop(row)
        return {
            "success": True,
            "message": message,
            "profile": row.name,
            "before": before,
            "changed": changed,
            "until_restart": row.name != self._active.configured,
            "results": [*await self._services(row), *stopped],
            "profile_capabilities": _capabilities(row),
        }

    async def _change(self, row: Profile, before: str, kept: bool, actor: Actor) -> None:
        """Do what can fail, and undo it where something does. No engine has stopped by then."""
        await self._let_end(row)
        async with contextlib.AsyncExitStack() as undo:
            undo.callback(self._activate, find_profile(before, legacy_light=self._is_legacy))
            self._activate(row)
            if kept:
                from_file = self._settings.origin(KEY) == "file"
                old = self._settings.core.runtime_profile if from_file else None
                await asyncio.to_thread(self._settings.change, {KEY: row.name})
                undo.push_async_callback(self._put_back, old)
            was = {"profile": before}
            now = {"profile": row.name, "until_restart": not kept}
            await self._journal.record_audit(actor, "profile.switch", row.name, was, now)
            undo.pop_all()

    @property
    def _is_legacy(self) -> bool:
        return self._settings.core.legacy_light

    def _activate(self, row: Profile) -> None:
        self._active.become(row.name)
        self._host.apply_profile(row.name, row.excludes)

    async def _put_back(self, old: str | None) -> None:
        """Write into ``config.toml`` what was there, None where nothing was."""
        try:
            await asyncio.to_thread(self._settings.change, {KEY: old})
        except VenomError as error:
            log.error("the profile in config.toml could not be put back: %s", error)

    # What a profile does without

    async def _let_end(self, row: Profile) -> None:
        """Let providers stay that were to stop and may be used again; one whose answers have ended
        is closed first, so that it is not opened twice."""
        stay = {name: task for name, task in self._stopping.items() if name not in self._spare(row)}
        ending = [task for name, task in stay.items() if name in self._ending]
        if ending:
            await asyncio.wait(ending)
        await self._cancel(stay)

    def _spare(self, row: Profile) -> tuple[str, ...]:
        """Return the providers whose engines a profile does without."""
        if row.chat:
            return tuple(row.excludes)
        engines = Capability.ENGINES
        return tuple(n for n, spec in self._host.specs().items() if engines in spec.capabilities)

    async def _stop(self, row: Profile) -> list[ServiceResult]:
        """Stop the engines that a profile does without; those that give answers stop behind
        them."""
        spare = [name for name in self._spare(row) if row.chat or await self._is_ours(name)]
        for name in spare:
            if self._host.is_open(name) and name not in self._stopping:
                end = self._end(name, row)
                self._stopping[name] = asyncio.create_task(end, name=f"stop {name}")
        idle = {self._stopping[one] for one in spare if self._is_idle(one)}
        if idle:
            await asyncio.wait(idle, timeout=PATIENCE)
        return [self._stopped(name, row) for name in spare]

    async def _is_ours(self, name: str) -> bool:
        """Return whether Venom started what a provider speaks to: a server of somebody else's is
        left alone."""
        if not self._host.specs()[name].has_one_engine:
            return True
        if not self._host.is_open(name):
            return False
        try:
            return bool(await (await self._host.provider(name)).engines())
        except VenomError:
            return False

    def _is_idle(self, name: str) -> bool:
        return name in self._stopping and not self._chat.under_way(name)

    def _stopped(self, name: str, row: Profile) -> ServiceResult:
        if name in self._stopping:
            seconds, count = self._settings.core.drain_timeout, self._chat.under_way(name)
            message = (
                f"{name} stops when what it was asked for has ended ({count} under way), after"
                f" {seconds:g} s at the latest."
            )
        elif row.chat:
            message = f"{name} is left out."
        else:
            message = f"{name} runs no model."
        return _result(name, message)

    async def _end(self, name: str, row: Profile) -> None:
        """Wait for what is under way, then close the provider; one that is listed on loses its
        engines only."""
        seconds = self._settings.core.drain_timeout
        ended = await self._chat.drain(name, seconds)
        if row.chat:
            ended = ended and await self._host.drain(name, seconds)
        if not ended:
            log.warning("answers of %s did not end in %g s, and are broken off", name, seconds)
        self._ending.add(name)
        try:
            if row.chat:
                await self._host.shut(name)
            else:
                await self._memory.empty(name)
                await self._host.drain(name, seconds)  # what was being loaded then
                await self._memory.empty(name)
        except VenomError as error:
            log.warning("the engines of %s could not be stopped: %s", name, error)
        finally:
            self._ending.discard(name)
            self._stopping.pop(name, None)

    async def _cancel(self, tasks: Mapping[str, asyncio.Task[None]]) -> None:
        waiting = dict(tasks)
        for name, task in waiting.items():
            task.cancel()
            self._stopping.pop(name, None)
        await asyncio.gather(*waiting.values(), return_exceptions=True)

    # What it runs

    async def _services(self, row: Profile) -> list[ServiceResult]:
        """Return the services of a profile, each as it is now; those that are missing have the
        fix."""
        own = [
            _result("backend", "Every profile has it."),
            _page(await asyncio.to_thread(is_built)),
        ]
        return [*own, *await asyncio.gather(*map(self._service, row.providers))]

    async def _service(self, name: str) -> ServiceResult:
        try:
            health = await self._host.health(name)
        except VenomError as error:
            return _missing(name, Reason.of(error))
        if health.status in (ProviderStatus.READY, ProviderStatus.DEGRADED):
            message = health.reason.message if health.reason else f"{name} answers."
            return _result(name, message)
        return _missing(name, health.reason)

    def _view(self, row: Profile) -> ProfileView:
        return {
            "name": row.name,
            "active": row.name == self._active.name,
            "summary": row.summary,
            "aliases": list(row.aliases),
            "requires": list(row.requires),
            "excludes": list(row.excludes),
            "services": list(row.services),
            "runtimes": list(row.runtimes),
            "servers": [
                name
                for name, spec in self._host.specs().items()
                if Capability.CHAT in spec.capabilities and row.allows(name)
            ],
            "environment": dict(row.environment),
            "profile_capabilities": _capabilities(row),
        }

    def _tell(self, name: str, before: str, success: bool, message: str) -> None:
        self._journal.publish(
            "profile.switched", profile=name, before=before, service="profile", action="switch",
            success=success, message=message,
        )  # fmt: skip


def _capabilities(row: Profile) -> ProfileCapabilities:
    return {
        "uses_local_llm": row.chat,
        "gpu_support": row.chat,
        "requires_onnx": "onnx" in row.requires,
    }


def _result(name: str, message: str) -> ServiceResult:
    return {"service": name, "success": True, "message": message, "code": None, "fix": None}


def _page(built: bool) -> ServiceResult:
    if built:
        return _result("ui", "The page is built.")
    return {
        "service": "ui",
        "success": False,
        "message": "The page was not built.",
        "code": None,
        "fix": "Build it with: make ui",
    }


def _missing(name: str, why: Reason | None) -> ServiceResult:
    return {
        "service": name,
        "success": False,
        "message": why.message if why else f"{name} does not answer.",
        "code": why.code if why else None,
        "fix": why.fix if why else None,
    }
