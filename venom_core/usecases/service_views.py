"""Services as every surface shows them: API, CLI and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from typing_extensions import TypedDict

from venom_core.sdk.states import ProviderStatus, Reason
from venom_core.store.history import HistoryRecord
from venom_core.usecases.engines import EngineRecord

ServiceStatus = Literal["running", "stopped", "degraded", "unknown", "error"]
#: The server itself, its page, a server that a provider speaks to, engines that Venom starts.
ServiceType = Literal["backend", "ui", "server", "engine"]
ServiceAction = Literal["start", "stop", "restart"]
ACTIONS: tuple[ServiceAction, ...] = ("start", "stop", "restart")

_STATUSES: dict[ProviderStatus, ServiceStatus] = {
    ProviderStatus.READY: "running",
    ProviderStatus.DEGRADED: "degraded",
    ProviderStatus.UNAVAILABLE: "stopped",
    ProviderStatus.DISABLED: "stopped",
    ProviderStatus.FAILED: "error",
}


class Supports(TypedDict):
    """The actions that can be asked of a service."""

    start: bool
    stop: bool
    restart: bool


class ServiceView(TypedDict):
    """A service and whether it answers. ``endpoint`` is null for engines of Venom's own, whose
    addresses are others at each start; ``latency_ms`` is how long the question for its health took;
    ``error_message`` says what is wrong, ``code`` is its stable name."""

    name: str
    title: str
    service_type: ServiceType
    status: ServiceStatus
    endpoint: str | None
    latency_ms: float | None
    error_message: str | None
    code: str | None
    supports: Supports


class RunningServiceView(ServiceView):
    """A service and its processes; null is "not known". With several engines ``pid`` and ``port``
    are null, and ``engines`` has each. ``cpu_percent`` counts one core as 100, MB are 1024 * 1024
    bytes, ``last_log`` is the last line of its log, for who may administer."""

    pid: int | None
    port: int | None
    cpu_percent: float | None
    memory_mb: float | None
    uptime_seconds: float | None
    started_at: str | None
    last_log: str | None
    engines: list[EngineRecord]


class ServiceLog(TypedDict):
    """The end of one log, secrets masked; ``name`` is the engine's, or ``server``. ``changed_at``
    is when it was last written, ISO 8601 in UTC."""

    name: str
    changed_at: str
    lines: list[str]


class ServiceLogs(TypedDict):
    """The logs of a service, the one written last first; none where it writes none of ours."""

    status: Literal["success"]
    success: bool
    service: str
    logs: list[ServiceLog]
    count: int


class ServiceListing(TypedDict):
    status: Literal["success"]
    success: bool
    services: list[ServiceView]
    count: int


class ServiceAnswer(TypedDict):
    status: Literal["success"]
    success: bool
    service: ServiceView


class RuntimeStatusListing(TypedDict):
    status: Literal["success"]
    success: bool
    services: list[RunningServiceView]
    count: int


class ServiceChange(TypedDict):
    """A service was started, stopped or restarted; ``changed`` is false where it was so already.
    ``models`` are the references that were loaded or taken out, ``exit_code`` is 0 always: no
    command is run."""

    status: Literal["success"]
    success: bool
    service: str
    action: ServiceAction
    message: str
    changed: bool
    models: list[str]
    exit_code: int


class HistoryListing(TypedDict):
    """The newest entries first."""

    status: Literal["success"]
    success: bool
    history: list[HistoryRecord]
    count: int


@dataclass(frozen=True, slots=True)
class Service:
    """A service as it is now; times in seconds since the epoch, memory in bytes."""

    name: str
    title: str
    type: ServiceType
    status: ServiceStatus
    endpoint: str | None = None
    latency_ms: float | None = None
    reason: Reason | None = None
    supports: frozenset[ServiceAction] = frozenset()
    pids: tuple[int, ...] = ()
    port: int | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    started: float | None = None
    last_log: str | None = None
    engines: Sequence[EngineRecord] = field(default_factory=tuple)


def status_of(provider: ProviderStatus, engines: Sequence[EngineRecord] | None) -> ServiceStatus:
    """Return the status of a provider's service.

    Args:
        engines: those that Venom started for it; None where it starts none. Without a process
            there is nothing that runs, however ready the provider is.
    """
    status = _STATUSES.get(provider, "unknown")
    if engines is not None and status == "running":
        alive = any(engine["state"] in ("running", "starting") for engine in engines)
        return "running" if alive else "stopped"
    return status


def service_view(service: Service) -> ServiceView:
    """Return the record that says whether it answers."""
    reason = service.reason
    return {
        "name": service.name,
        "title": service.title,
        "service_type": service.type,
        "status": service.status,
        "endpoint": service.endpoint,
        "latency_ms": service.latency_ms,
        "error_message": reason.message if reason else None,
        "code": reason.code if reason else None,
        "supports": supports_view(service.supports),
    }


def supports_view(actions: frozenset[ServiceAction]) -> Supports:
    return {
        "start": "start" in actions,
        "stop": "stop" in actions,
        "restart": "restart" in actions,
    }


def running_view(service: Service, now: float, started_at: str | None) -> RunningServiceView:
    """Return the record that says what its processes take.

    Args:
        now: on the clock that ``started`` is of.
    """
    memory, started = service.memory_bytes, service.started
    return {
        **service_view(service),
        "pid": service.pids[0] if len(service.pids) == 1 else None,
        "port": service.port,
        "cpu_percent": service.cpu_percent,
        "memory_mb": None if memory is None else round(memory / (1024 * 1024), 1),
        # A clock that was set back makes nothing younger than it is.
        "uptime_seconds": None if started is None else round(max(0.0, now - started), 1),
        "started_at": started_at,
        "last_log": service.last_log,
        "engines": list(service.engines),
    }
