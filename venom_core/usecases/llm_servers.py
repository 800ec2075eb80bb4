"""LLM servers: the providers that answer chats; which one is active, and the switch to another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict

from venom_core.models.asked_providers import AskedProviders
from venom_core.models.default_model import DefaultModel
from venom_core.models.manager import ModelManager
from venom_core.models.registry import ListedModel
from venom_core.models.roles import check_role
from venom_core.plugins.access import ProviderAccess
from venom_core.plugins.guarded import GuardedProvider
from venom_core.sdk.errors import Conflict, NotFound, Unavailable, VenomError
from venom_core.sdk.printable import one_line
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import Capability, SettingValue
from venom_core.sdk.states import ProviderStatus, Reason
from venom_core.sdk.utc import utc_text
from venom_core.settings.layers import Settings
from venom_core.store.audit import Actor
from venom_core.usecases.journal import Journal
from venom_core.usecases.runtime import RuntimePayload, RuntimeUseCases
from venom_core.usecases.service_views import (
    Service,
    ServiceChange,
    ServiceStatus,
    Supports,
    supports_view,
)
from venom_core.usecases.services import ServiceUseCases
from venom_core.usecases.starting import ServerModels

#: Seconds that the answers of the server before have to end; then it goes on until it is idle.
DRAIN_SECONDS = 10.0
SERVER_KEY, MODEL_KEY = "chat.active_server", "chat.model_name"


class LlmServerView(TypedDict):
    """A server; ``health_url`` is the path of this API that asks for its health, ``last_check``
    when that was done, ISO 8601 in UTC."""

    name: str
    display_name: str
    description: str
    endpoint: str | None
    provider: str
    health_url: str
    supports: Supports
    status: ServiceStatus
    latency_ms: float | None
    last_check: str
    error_message: str | None
    code: str | None
    active: bool


class LlmServerListing(TypedDict):
    status: Literal["success"]
    success: bool
    servers: list[LlmServerView]
    count: int


class ActiveServer(TypedDict):
    """The server whose model answers where a request names none; null where none does.
    ``last_models`` has the model that was last active at each."""

    status: Literal["success"]
    success: bool
    active_server: str | None
    active_endpoint: str | None
    active_model: str | None
    config_hash: str
    runtime_id: str | None
    last_models: dict[str, str]


class StepResult(TypedDict):
    """The end of the start or the stop of a server."""

    success: bool
    message: str


class ActivatedServer(ActiveServer):
    """``start_result`` is of the server that is active now, ``stop_results`` of the one before,
    where Venom stops it."""

    message: str
    changed: bool
    start_result: StepResult
    stop_results: dict[str, StepResult]


class ActiveRuntime(TypedDict):
    status: Literal["success"]
    success: bool
    runtime: RuntimePayload


class LlmServerUseCases:
    """Use cases of LLM servers."""

    def __init__(
        self,
        host: ProviderAccess,
        providers: AskedProviders,
        manager: ModelManager,
        default_model: DefaultModel,
        models: ServerModels,
        runtime: RuntimeUseCases,
        services: ServiceUseCases,
        settings: Settings,
        journal: Journal,
    ) -> None:
        self._host = host
        self._providers = providers
        self._manager = manager
        self._default_model = default_model
        self._models = models
        self._runtime = runtime
        self._services = services
        self._settings = settings
        self._journal = journal
        self._switching = asyncio.Lock()

    # What there is

    async def names(self) -> list[str]:
        """Return the providers that the profile allows and that answer chats."""
        specs = self._host.specs
        names = await self._providers.names()
        return [name for name in names if Capability.CHAT in specs()[name].capabilities]

    async def listing(self) -> LlmServerListing:
        """Return every server that the profile allows."""
        services = await self._services.of_providers(await self.names())
        active = (await self.payload())["provider"]
        views = [self._view(service, service.name == active) for service in services]
        return {"status": "success", "success": True, "servers": views, "count": len(views)}

    def _view(self, service: Service, active: bool) -> LlmServerView:
        spec = self._host.specs()[service.name]
        return {
            "name": service.name,
            "display_name": spec.title,
            "description": spec.summary,
            "endpoint": service.endpoint,
            "provider": service.name,
            "health_url": f"/api/v1/system/services/{service.name}",
            "supports": supports_view(service.supports),
            "status": service.status,
            "latency_ms": service.latency_ms,
            "last_check": utc_text(),
            "error_message": service.reason.message if service.reason else None,
            "code": service.reason.code if service.reason else None,
            "active": active,
        }

    async def payload(self) -> RuntimePayload:
        """Return the runtime that answers where a request names no model."""
        item, why = await self._answering()
        return await self._runtime.payload(item, why)

    async def runtime(self) -> ActiveRuntime:
        """Return :meth:`payload` as an answer."""
        return {"status": "success", "success": True, "runtime": await self.payload()}

    async def active(self) -> ActiveServer:
        """Return the active server; where nothing answers, the one that the settings name."""
        payload = await self.payload()
        named = self._settings.core.active_llm_server
        server = payload["provider"] or (named and self._host.resolve_name(named)) or None
        return {
            "status": "success",
            "success": True,
            "active_server": server,
            "active_endpoint": payload["endpoint"],
            "active_model": payload["model"],
            "config_hash": payload["config_hash"],
            "runtime_id": payload["runtime_id"],
            "last_models": dict((await self._manager.state()).last),
        }

    async def _answering(self) -> tuple[ListedModel | None, Reason | None]:
        try:
            return (await self._default_model())[0], None
        except VenomError as error:
            return None, Reason.of(error)

    # Changing

    async def change(self, name: str, action: str, actor: Actor) -> ServiceChange:
        """Start, stop or restart a server; raises as ``ServiceUseCases.change``."""
        return await self._services.change(await self._called(name), action, actor)

    async def activate(
        self, name: str, model: str | None, actor: Actor, trace: str | None = None
    ) -> ActivatedServer:
        """Make a server the active one, with a model, else the one that it would answer with. All
        of it happens, or nothing: the server before is active and runs until then.

        Raises:
            NotFound: ``service_not_found``.
            InvalidRequest: ``model_required``, ``not_served_by_runtime``.
            Conflict: ``switch_in_progress``; what keeps the settings from being changed.
            VenomError: what keeps the server from answering, or the model from being loaded.
        """
        if self._switching.locked():
            raise Conflict(
                "The active server is being changed just now.",
                code="switch_in_progress",
                fix="Try again in a moment.",
            )
        async with self._switching:
            name = await self._called(name)
            try:
                return await self._activate(name, model, actor, trace)
            except VenomError as error:
                self._journal.publish(
                    "service.failed", service=name, action="activate", success=False,
                    message=error.message,
                )  # fmt: skip
                raise

    async def _activate(
        self, name: str, model: str | None, actor: Actor, trace: str | None
    ) -> ActivatedServer:
        before, _ = await self._answering()
        started = await self._check_answers(name, actor)
        try:
            item, loaded, changed = await self._changed(name, model, actor)
        except VenomError:
            if started:
                with contextlib.suppress(VenomError):
                    await self._services.change(name, "stop", actor)
            raise
        message = f"{name} is the active server now, with {item.reference}."
        if changed:
            await self._journal.record_audit(
                actor, "server.activate", name,
                None if before is None else {"model": before.reference},
                {"model": item.reference} | ({} if trace is None else {"trace_id": trace}),
            )  # fmt: skip
            self._journal.publish(
                "server.activated", service=name, action="activate", success=True, message=message
            )
        else:
            message = f"{name} was the active server already, with {item.reference}."
        start = f"{item.reference} is in memory." if loaded else f"{name} answers."
        stopped = {} if before is None else await self._stop(before.provider, name, actor)
        return {
            **(await self.active()),
            "message": message,
            "changed": changed,
            "start_result": {"success": True, "message": start},
            "stop_results": stopped,
        }

    async def _changed(
        self, name: str, model: str | None, actor: Actor
    ) -> tuple[ListedModel, bool, bool]:
        """Load the model and make it the active one; return it, whether it is in memory, and
        whether anything is other than before."""
        item = await (self._models(name) if model is None else self._manager.servable(model, name))
        check_role(item, self._host.specs()[name], "chat")
        updates = self._updates(item)
        if problems := self._settings.problems(updates):
            raise next(iter(problems.values()))
        loaded = await self._load(item)
        return item, loaded, await self._commit(item, updates, actor, loaded=loaded)

    async def _load(self, item: ListedModel) -> bool:
        """Load the model, and return whether it is in memory. An engine of a command that works
        without a server would end with the command."""
        spec = self._host.specs()[item.provider]
        if spec.has_engines_of_models and not self._services.is_served:
            return False
        return (await self._manager.load(item.reference))[1]

    def _updates(self, item: ListedModel) -> Mapping[str, SettingValue]:
        """Return the settings that would say something else than the switch."""
        core = self._settings.core
        held = {SERVER_KEY: core.active_llm_server, MODEL_KEY: core.llm_model_name}
        wanted = {SERVER_KEY: item.provider, MODEL_KEY: item.model.ref}
        return {key: value for key, value in wanted.items() if held[key] != value}

    async def _commit(
        self, item: ListedModel, updates: Mapping[str, SettingValue], actor: Actor, *, loaded: bool
    ) -> bool:
        """Write settings and store; where the second fails the first are as they were. The store
        decides: a process that is killed in between leaves the old server active."""
        core = self._settings.core
        old: dict[str, SettingValue] = {
            SERVER_KEY: core.active_llm_server,
            MODEL_KEY: core.llm_model_name,
        }
        try:
            if updates:
                await asyncio.to_thread(self._settings.change, updates)
            try:
                switch = await self._manager.use(item.reference, runtime=item.provider, actor=actor)
            except BaseException:
                if updates:
                    back = {key: old[key] for key in updates}
                    await asyncio.shield(asyncio.to_thread(self._settings.change, back))
                raise
        except BaseException:
            if loaded and not item.model.loaded:
                with contextlib.suppress(VenomError):
                    await asyncio.shield(self._manager.unload(item.reference))
            raise
        return switch.changed or bool(updates)

    async def _stop(self, old: str, new: str, actor: Actor) -> dict[str, StepResult]:
        """Stop the engines of the server before, once its answers have ended."""
        if old == new:
            return {}
        try:
            provider = await self._host.provider(old)
            if not await self._is_ours(old, provider):
                return {}
            if isinstance(provider, GuardedProvider) and not await provider.drain(DRAIN_SECONDS):
                message = f"{old} still answers requests; its engines end when they are idle."
                return {old: {"success": False, "message": message}}
            done = await self._services.change(old, "stop", actor)
            return {old: {"success": True, "message": done["message"]}}
        except VenomError as error:  # the switch is made: what is left over is told of
            return {old: {"success": False, "message": error.message}}

    async def _is_ours(self, name: str, provider: Provider) -> bool:
        """Return whether Venom runs what a server's models run in."""
        spec = self._host.specs().get(name)
        if spec is None or Capability.ENGINES not in spec.capabilities:
            return False
        return any(one.state in ("running", "starting") for one in await provider.engines())

    async def _check_answers(self, name: str, actor: Actor) -> bool:
        """Raise what keeps a server from answering; return whether it was started for that."""
        health = await self._host.health(name)
        if health.status in (ProviderStatus.READY, ProviderStatus.DEGRADED):
            return False
        if self._host.specs()[name].has_one_engine and self._services.is_served:
            return (await self._services.change(name, "start", actor))["changed"]
        if health.reason is not None:
            raise health.reason.error()
        raise Unavailable(f"{name} cannot answer now.", fix="venom doctor")

    async def _called(self, name: str) -> str:
        await self._providers.names()  # at a start, plugins are loading still
        found = self._host.resolve_name(name)
        spec = None if found is None else self._host.specs().get(found)
        if found is None or spec is None or Capability.CHAT not in spec.capabilities:
            raise NotFound(
                f"There is no server {one_line(name)[:50]!r}.",
                code="service_not_found",
                param="server_name",
                fix="See the services with: venom services",
            )
        return found
