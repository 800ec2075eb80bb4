"""The runtime: which one serves a model, whether the profile can be served, what it all takes."""

from __future__ import annotations

import hashlib
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from typing_extensions import TypedDict

from venom_core.models.manager import ModelManager
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.plugins.access import ProviderAccess
from venom_core.runtime.figures import FigureReader, Figures
from venom_core.sdk.errors import NotFound, VenomError
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import ProviderStatus, Reason
from venom_core.settings.active_profile import ActiveProfile

RuntimeStatus = Literal["online", "degraded", "offline", "ready"]


class ConfiguredModels(TypedDict):
    """The contract's three places of a model; null where it is none of it."""

    local: str | None
    hybrid_local: str | None
    cloud: str | None


class RuntimePayload(TypedDict):
    """The runtime that serves a model; null throughout where there is none. ``endpoint`` is null
    for an engine of Venom's own, ``error`` says what keeps it from answering."""

    provider: str | None
    model: str | None
    endpoint: str | None
    endpoint_host: str | None
    endpoint_port: int | None
    service_type: Literal["local", "cloud"]
    mode: Literal["LOCAL", "CLOUD"]
    label: str | None
    config_hash: str
    runtime_id: str | None
    status: RuntimeStatus
    error: str | None
    configured_models: ConfiguredModels


class UsageFigures(TypedDict):
    """Figures of models and machine now; null where one is not known. GB are a thousand million
    bytes, MB are 1024 * 1024."""

    disk_usage_gb: float | None
    disk_limit_gb: float | None
    disk_usage_percent: float | None
    disk_system_total_gb: float | None
    disk_system_used_gb: float | None
    disk_system_usage_percent: float | None
    disk_system_mount: str
    cpu_usage_percent: float
    memory_total_gb: float | None
    memory_used_gb: float | None
    memory_usage_percent: float | None
    models_count: int | None
    gpu_usage_percent: float | None
    vram_usage_mb: float | None
    vram_total_mb: float | None
    vram_usage_percent: float | None


class RuntimeUseCases:
    """Use cases of the process at work; nothing here changes anything."""

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        manager: ModelManager,
        profile: ActiveProfile,
        figures: FigureReader,
    ) -> None:
        self._host = host
        self._registry = registry
        self._manager = manager
        self._profile = profile
        self._figures = figures

    async def payload(self, item: ListedModel | None, why: Reason | None = None) -> RuntimePayload:
        """Return the runtime that serves a model (``RuntimePayload``); ``why`` says what keeps it
        from answering now."""
        if item is None:
            return runtime_payload(None, None, None, "offline", why)
        endpoint = None
        try:
            endpoint = (await self._host.provider(item.provider)).endpoint
        except VenomError as error:
            why = why or Reason.of(error)
        known = {p.name: p.status for record in self._host.records() for p in record.providers}
        status: RuntimeStatus = "ready" if item.model.loaded is False else "online"
        if known.get(item.provider) is ProviderStatus.DEGRADED:
            status = "degraded"
        spec = self._host.specs()[item.provider]
        return runtime_payload(item, spec, endpoint, "offline" if why else status, why)

    async def readiness(self) -> list[Reason]:
        """Return what keeps the profile from being served; nothing where it can be."""
        if not self._profile.chat:
            return []
        await self._registry.providers()  # at a start, plugins are loading still
        reasons: list[Reason] = []
        for name in self._profile.row.ranked(tuple(self._host.preference())):
            try:
                health = await self._host.health(name)
            except VenomError as error:  # not installed, disabled, or its import failed
                reasons.append(Reason.of(error))
                continue
            if health.status in (ProviderStatus.READY, ProviderStatus.DEGRADED):
                return []
            if health.reason is not None:
                reasons.append(health.reason)
        unused = (record for record in self._host.records() if not record.providers)
        reasons += [record.reason for record in unused if record.reason is not None]
        missing = NotFound(
            "No provider that answers by itself is installed.",
            code="provider_not_found",
            fix="See the installed providers with: venom plugins",
        )
        return reasons or [Reason.of(missing)]

    async def figures(self) -> UsageFigures:
        """Return what models and machine take now; asks no provider for it."""
        known = self._registry.known()
        count = None if known is None else len(known.installed)
        return figures_view(
            await self._figures.read(),
            self._manager.disk_bytes(),
            self._manager.disk_limit_bytes,
            count,
        )


def runtime_payload(
    item: ListedModel | None,
    spec: ProviderSpec | None,
    endpoint: str | None,
    status: RuntimeStatus,
    reason: Reason | None = None,
) -> RuntimePayload:
    """Return JSON values.

    Args:
        item: the model served; None where there is none.
        endpoint: where its provider's server listens; None for an engine of Venom's own, whose
            address is another at each start.
        reason: what keeps it from answering.
    """
    provider = item.provider if item else None
    model = item.model.ref if item else None
    parts = None if endpoint is None else urlsplit(endpoint)
    url = None if parts is None else _shown(parts)
    local = item.model.runs_at is None if item else spec is None or spec.local
    return {
        "provider": provider,
        "model": model,
        "endpoint": url,
        "endpoint_host": parts.hostname if parts else None,
        "endpoint_port": _port(parts) if parts else None,
        "service_type": "local" if local else "cloud",
        "mode": "LOCAL" if local else "CLOUD",
        "label": _label(provider, model, parts),
        "config_hash": config_hash(provider, url, model),
        "runtime_id": None if provider is None else f"{provider}@{url}" if url else provider,
        "status": status,
        "error": reason.message if reason else None,
        "configured_models": {
            "local": model if local else None,
            "hybrid_local": model if local else None,
            "cloud": None if local else model,
        },
    }


def config_hash(provider: str | None, endpoint: str | None, model: str | None) -> str:
    """Return 12 hex digits that change where provider, endpoint or model do."""
    text = f"{provider or ''}|{endpoint or ''}|{model or ''}".lower()
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _label(provider: str | None, model: str | None, parts: SplitResult | None) -> str | None:
    if provider is None or model is None:
        return None
    label = f"{model.rpartition('/')[2]} · {provider}"
    return f"{label} @ {parts.hostname}:{_port(parts)}" if parts else label


def shown_url(endpoint: str | None) -> str | None:
    """Return an endpoint as it may be shown: without user name and password."""
    return None if endpoint is None else _shown(urlsplit(endpoint))


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _shown(parts: SplitResult) -> str:
    """Return a URL without user name and password."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{_port(parts)}{parts.path.rstrip('/')}"


def figures_view(
    figures: Figures, model_bytes: int | None, limit_bytes: int, models_count: int | None
) -> UsageFigures:
    """Every key, whatever is known: null where it is not. GB are a thousand million bytes, MB are
    1024 * 1024 as graphics cards count them."""
    gpu = figures.gpu
    return {
        "disk_usage_gb": _gb(model_bytes),
        "disk_limit_gb": _gb(limit_bytes),
        "disk_usage_percent": percent(model_bytes, limit_bytes),
        "disk_system_total_gb": _gb(figures.disk_total),
        "disk_system_used_gb": _gb(figures.disk_used),
        "disk_system_usage_percent": percent(figures.disk_used, figures.disk_total),
        "disk_system_mount": figures.mount,
        "cpu_usage_percent": round(figures.cpu_percent, 1),
        "memory_total_gb": _gb(figures.memory_total),
        "memory_used_gb": _gb(figures.memory_used),
        "memory_usage_percent": percent(figures.memory_used, figures.memory_total),
        "models_count": models_count,
        "gpu_usage_percent": gpu.percent,
        "vram_usage_mb": mebibytes(gpu.used_bytes),
        "vram_total_mb": mebibytes(gpu.total_bytes),
        "vram_usage_percent": percent(gpu.used_bytes, gpu.total_bytes),
    }


def _gb(count: int | None) -> float | None:
    return None if count is None else round(count / 1e9, 2)


def mebibytes(count: int | None) -> float | None:
    """Return bytes in units of 1024 * 1024."""
    return None if count is None else round(count / (1024 * 1024), 1)


def percent(part: int | None, whole: int | None) -> float | None:
    """Return a part in percent; None where it or the whole is not known."""
    return None if part is None or not whole else round(100 * part / whole, 1)
