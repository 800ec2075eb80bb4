"""Which runtime serves a model, in the words of the contract (``RuntimePayload``)."""

from __future__ import annotations

import hashlib
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from venom_core.models.registry import ListedModel
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Reason

RuntimeStatus = Literal["online", "degraded", "offline", "ready"]


def runtime_payload(
    item: ListedModel | None,
    spec: ProviderSpec | None,
    endpoint: str | None,
    status: RuntimeStatus,
    reason: Reason | None = None,
) -> dict[str, Any]:
    """JSON values.

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
    local = spec is None or spec.local
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
    """12 hex digits that change where provider, endpoint or model do."""
    text = f"{provider or ''}|{endpoint or ''}|{model or ''}".lower()
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _label(provider: str | None, model: str | None, parts: SplitResult | None) -> str | None:
    if provider is None or model is None:
        return None
    label = f"{model.rpartition('/')[2]} · {provider}"
    return f"{label} @ {parts.hostname}:{_port(parts)}" if parts else label


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _shown(parts: SplitResult) -> str:
    """Without a user name and password, which are nobody's business here."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{_port(parts)}{parts.path.rstrip('/')}"
