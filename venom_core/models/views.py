"""A model as every surface shows it: API, CLI and page."""

from __future__ import annotations

from typing import Any

from venom_core.models.registry import ListedModel, Listing


def model_view(
    item: ListedModel, default: ListedModel | None, *, whole: bool = False
) -> dict[str, Any]:
    """JSON values only. ``whole`` adds what one asks of a single model."""
    model = item.model
    view: dict[str, Any] = {
        "name": model.ref,
        "id": item.id,
        "reference": item.reference,
        "provider": item.provider,
        "source": item.provider,
        "type": model.type,
        "title": model.title,
        "summary": model.summary,
        "size_bytes": model.size_bytes,
        "size_gb": None if model.size_bytes is None else round(model.size_bytes / 1e9, 2),
        "quantization": model.quantization,
        "digest": model.digest,
        "path": None,
        "context_length": model.context_length,
        "capabilities": None if model.capabilities is None else sorted(model.capabilities),
        "base_model": model.instruct is False,
        "installed": model.installed,
        "loaded": model.loaded,
        "active": default is not None and item.reference == default.reference,
        "license": model.license,
        "terms_url": model.terms_url,
    }
    if whole:
        view |= {
            "allowed_roles": None if model.allowed_roles is None else list(model.allowed_roles),
            "parameters": dict(model.defaults),
            "details": dict(model.details),
        }
    return view


def listing_view(listing: Listing, default: ListedModel | None) -> dict[str, Any]:
    """Installed models under ``models``, those to be had under ``available``."""
    installed = [model_view(item, default) for item in listing.installed]
    available = [model_view(item, None) for item in listing.models if not item.model.installed]
    by_provider: dict[str, list[str]] = {}
    for view in installed:
        by_provider.setdefault(view["provider"], []).append(view["name"])
    return {
        "success": True,
        "count": len(installed),
        "models": installed,
        "available": available,
        "providers": by_provider,
        "stale": [{"provider": name, **reason.record()} for name, reason in listing.stale.items()],
    }
