"""Services: the server, its page and what each provider speaks to; started, stopped, restarted."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from venom_core.models.asked_providers import AskedProviders
from venom_core.plugins.access import ProviderAccess
from venom_core.runtime.history import ServiceHistory
from venom_core.runtime.log_files import Log, changed_at, engine_logs, find_logs
from venom_core.runtime.processes import ProcessReader, listener
from venom_core.sdk.engine_processes import read_tail
from venom_core.sdk.errors import InvalidRequest, NotFound, VenomError
from venom_core.sdk.loopback import is_loopback_host
from venom_core.sdk.masking import masked
from venom_core.sdk.printable import one_line
from venom_core.sdk.provider import EngineStatus
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.sdk.utc import utc_text
from venom_core.settings.paths import Paths
from venom_core.store.audit import Actor
from venom_core.ui import is_built
from venom_core.usecases.engines import engine_record
from venom_core.usecases.journal import Journal
from venom_core.usecases.runtime import shown_url
from venom_core.usecases.service_views import (
    ACTIONS,
    HistoryListing,
    RuntimeStatusListing,
    Service,
    ServiceAction,
    ServiceAnswer,
    ServiceChange,
    ServiceListing,
    ServiceLog,
    ServiceLogs,
    running_view,
    service_view,
    status_of,
)
from venom_core.usecases.starting import EngineControl, Outcome

BACKEND, UI = "backend", "ui"
#: Letters of a log's line; the rest of a longer one is in the log.
LONGEST_LINE = 300
#: Logs of one service that are shown, and letters of each of their lines.
MOST_LOGS, LONGEST_LOG_LINE = 8, 2000
_NOTHING: frozenset[ServiceAction] = frozenset()
_EVENTS = {"start": "service.started", "stop": "service.stopped", "restart": "service.restarted"}
_WRONG_STATES = (ProviderStatus.DEGRADED, ProviderStatus.UNAVAILABLE, ProviderStatus.FAILED)


class ServiceUseCases:
    """Use cases of services.

    Attributes:
        is_served: whether a server runs in this process; a command that works here is none.
        url: where it can be reached.
    """

    def __init__(
        self,
        host: ProviderAccess,
        providers: AskedProviders,
        control: EngineControl,
        history: ServiceHistory,
        journal: Journal,
        paths: Paths,
    ) -> None:
        self._host = host
        self._providers = providers
        self._control = control
        self._history = history
        self._journal = journal
        self._paths = paths
        self._processes = ProcessReader()
        self._changing: dict[str, asyncio.Lock] = {}
        self.is_served = False
        self.url: str | None = None

    # What there is

    async def listing(self) -> ServiceListing:
        """Return every service that the profile allows, and whether it answers."""
        views = [service_view(service) for service in await self._services()]
        return {"status": "success", "success": True, "services": views, "count": len(views)}

    async def one(self, name: str) -> ServiceAnswer:
        """Return a service, one that the profile leaves out too. Raises ``NotFound``
        (``service_not_found``)."""
        service = await self._service(await self._called(name))
        return {"status": "success", "success": True, "service": service_view(service)}

    async def running(self, *, logs: bool) -> RuntimeStatusListing:
        """Return every service with what its processes take.

        Args:
            logs: show the last lines of logs, which may name paths.
        """
        services = await asyncio.to_thread(self._measured, await self._services())
        now = time.time()
        views = [
            running_view(
                service if logs else replace(service, last_log=None),
                now,
                None if service.started is None else _moment(service.started),
            )
            for service in services
        ]
        return {"status": "success", "success": True, "services": views, "count": len(views)}

    async def history(self, limit: int) -> HistoryListing:
        """Return what happened to services, the newest first. Raises ``StorageError``."""
        found = [event.record() for event in await self._history.newest(limit)]
        return {"status": "success", "success": True, "history": found, "count": len(found)}

    async def logs(self, name: str, lines: int) -> ServiceLogs:
        """Return the last lines of a service's logs, of the newest ones; a page of Venom writes
        into the server's. Raises ``NotFound`` (``service_not_found``)."""
        name = await self._called(name)
        logs = await asyncio.to_thread(self._logs, name, lines)
        return {
            "status": "success", "success": True, "service": name, "logs": logs, "count": len(logs)
        }  # fmt: skip

    def _logs(self, name: str, lines: int) -> list[ServiceLog]:
        """Blocks. What is read is found by looking, never by a name that was asked for."""
        if name in (BACKEND, UI):
            found = [log for log in find_logs(self._paths) if log.file == self._paths.log_file]
        else:
            found = [log for log in engine_logs(self._paths) if log.name.startswith(f"{name}/")]
        return [_log_view(log, lines) for log in found[:MOST_LOGS]]

    async def of_providers(self, names: Sequence[str]) -> list[Service]:
        """Return the services of some providers."""
        return list(await asyncio.gather(*map(self._of_provider, names)))

    # Changing

    async def change(self, name: str, action: str, actor: Actor) -> ServiceChange:
        """Start, stop or restart a service; asked again, the first two change nothing more.

        Raises ``NotFound`` (``service_not_found``), ``InvalidRequest`` (``action_not_supported``),
        and what keeps it from being done: that is in the history then.
        """
        name = await self._called(name)
        if action not in ACTIONS or action not in self._supported(name):
            raise self._not_supported(name, action)
        wanted: ServiceAction = action
        async with self._changing.setdefault(name, asyncio.Lock()):
            try:
                done = await self._control.act(name, wanted)
            except VenomError as error:
                self._journal.publish(
                    "service.failed", service=name, action=wanted, success=False,
                    message=error.message,
                )  # fmt: skip
                raise
            message = _sentence(name, wanted, done)
            if done.changed:
                await self._journal.record_audit(
                    actor, f"service.{wanted}", name,
                    {"loaded": list(done.before)}, {"loaded": list(done.after)},
                )  # fmt: skip
                self._journal.publish(
                    _EVENTS[wanted], service=name, action=wanted, success=True, message=message
                )
        return {
            "status": "success",
            "success": True,
            "service": name,
            "action": wanted,
            "message": message,
            "changed": done.changed,
            "models": list(done.before if wanted == "stop" else done.after),
            "exit_code": 0,
        }

    def _not_supported(self, name: str, action: str) -> InvalidRequest:
        shown = one_line(action)[:40]
        if action not in ACTIONS:
            message, fix = f"There is no action {shown}.", f"Choose one of: {', '.join(ACTIONS)}"
        elif name in (BACKEND, UI):
            message = f"The service {name} is Venom itself: it does not {shown} itself."
            fix = "Stop it with Ctrl-C where it runs; start it with: venom serve"
        else:
            message = f"Venom does not {shown} {name}: it runs elsewhere, by itself."
            fix = "Do it where it runs. What Venom can do to each service says: venom services"
        return InvalidRequest(message, code="action_not_supported", param="action", fix=fix)

    async def _called(self, name: str) -> str:
        await self._providers.names()  # at a start, plugins are loading still
        found = name if name in (BACKEND, UI) else self._host.resolve_name(name)
        if found is None:
            raise NotFound(
                f"There is no service {one_line(name)[:50]!r}.",
                code="service_not_found",
                param="name",
                fix="See the services with: venom services",
            )
        return found

    def _supported(self, name: str) -> frozenset[ServiceAction]:
        spec = self._host.specs().get(name)
        return _NOTHING if spec is None else self._control.supported(spec)

    # Looking

    async def _services(self) -> list[Service]:
        names = (BACKEND, UI, *await self._providers.names())
        return list(await asyncio.gather(*map(self._service, names)))

    async def _service(self, name: str) -> Service:
        if name == BACKEND:
            return await asyncio.to_thread(self._backend)
        return await (asyncio.to_thread(self._ui) if name == UI else self._of_provider(name))

    def _backend(self) -> Service:
        backend = Service(
            BACKEND, "Venom", "backend", "running" if self.is_served else "stopped", self.url
        )
        if not self.is_served:
            return replace(backend, last_log=self._last_line())
        port = urlsplit(self.url).port if self.url else None
        return replace(backend, pids=(os.getpid(),), port=port, last_log=self._last_line())

    def _last_line(self) -> str | None:
        return _shown(read_tail(self._paths.log_file, 1))

    def _ui(self) -> Service:
        if is_built():
            return Service(
                UI, "Venom's page", "ui", "running" if self.is_served else "stopped", self.url
            )
        why = Reason("page_missing", "The page was not built.", "Build it with: make ui")
        return Service(UI, "Venom's page", "ui", "stopped", reason=why)

    async def _of_provider(self, name: str) -> Service:
        spec = self._host.specs()[name]
        began = time.perf_counter()
        health = await self._health(name)
        latency = round((time.perf_counter() - began) * 1000, 1)
        engines = await self._engines(spec, health)
        records = None if engines is None else [engine_record(name, one) for one in engines]
        endpoint = await self._endpoint(name, health)
        wrong = health.reason if health.status in _WRONG_STATES else None
        if health.status is ProviderStatus.DISABLED:
            wrong = health.reason
        service = Service(
            name, spec.title, "server" if records is None else "engine",
            status_of(health.status, records), endpoint, latency, wrong, self._supported(name),
        )  # fmt: skip
        if engines is not None:
            return _with_engines(replace(service, engines=records or ()), engines)
        parts = None if endpoint is None else urlsplit(endpoint)
        return replace(service, port=None if parts is None else parts.port)

    async def _health(self, name: str) -> Health:
        try:
            return await self._host.health(name)
        except VenomError as error:
            return Health(ProviderStatus.UNAVAILABLE, Reason.of(error))

    async def _engines(self, spec: ProviderSpec, health: Health) -> Sequence[EngineStatus] | None:
        if Capability.ENGINES not in spec.capabilities:
            return None
        if health.status is ProviderStatus.DISABLED:
            return ()
        try:
            engines = await (await self._host.provider(spec.name)).engines()
        except VenomError:
            engines = ()
        if spec.has_one_engine and all(engine.state == "stopped" for engine in engines):
            return None  # somebody else's may run
        return engines

    async def _endpoint(self, name: str, health: Health) -> str | None:
        if health.status is ProviderStatus.DISABLED:
            return None
        try:
            return shown_url((await self._host.provider(name)).endpoint)
        except VenomError:
            return None

    def _measured(self, services: Sequence[Service]) -> list[Service]:
        """Add what the processes take. Blocks."""
        services = [_found_by_port(service) for service in services]
        told = self._processes.read(pid for service in services for pid in service.pids)
        measured = []
        for service in services:
            figures = [told[pid] for pid in service.pids if pid in told]
            busy = [one.cpu_percent for one in figures if one.cpu_percent is not None]
            sizes = [one.memory_bytes for one in figures if one.memory_bytes is not None]
            starts = [one.started for one in figures if one.started is not None]
            measured.append(
                replace(
                    service,
                    pids=tuple(one.pid for one in figures),
                    cpu_percent=round(sum(busy), 1) if busy else None,
                    memory_bytes=sum(sizes) if sizes else None,
                    started=min(starts, default=None),
                )
            )
        return measured


def _with_engines(service: Service, engines: Sequence[EngineStatus]) -> Service:
    alive = [one for one in engines if one.pid is not None]
    failed = [one for one in engines if one.state == "failed"]
    last = next(iter(failed or alive[-1:]), None)
    return replace(
        service,
        pids=tuple(one.pid for one in alive if one.pid is not None),
        port=alive[0].port if len(alive) == 1 else None,
        last_log=None if last is None else _shown(last.log_tail),
    )


def _found_by_port(service: Service) -> Service:
    """Look for the process of another program's server on this machine."""
    if service.type != "server" or service.status not in ("running", "degraded"):
        return service
    parts = urlsplit(service.endpoint or "")
    if parts.hostname is None or parts.port is None or not is_loopback_host(parts.hostname):
        return service
    pid = listener(parts.port)
    return service if pid is None else replace(service, pids=(pid,))


def _shown(lines: Sequence[str]) -> str | None:
    """Return the last line that says something, as it may be shown."""
    last = next((line for line in reversed(lines) if line.strip()), None)
    return None if last is None else one_line(masked(last.strip()))[:LONGEST_LINE]


def _log_view(log: Log, count: int) -> ServiceLog:
    told = (one_line(masked(line))[:LONGEST_LOG_LINE] for line in read_tail(log.file, count))
    return {
        "name": log.name.rpartition("/")[2],
        "changed_at": _moment(changed_at(log)),
        "lines": list(told),
    }


def _moment(seconds: float) -> str:
    return utc_text(datetime.fromtimestamp(seconds, UTC), "seconds")


def _sentence(name: str, action: ServiceAction, done: Outcome) -> str:
    models = ", ".join(done.after)
    if action == "stop":
        return f"{name} was stopped." if done.changed else f"{name} did not run."
    if not done.changed:
        return f"{name} runs already: {models}." if models else f"{name} runs already."
    if action == "start":
        return f"{name} was started: {models}." if models else f"{name} was started."
    return f"{name} was restarted: {models}." if models else f"{name} was restarted."
