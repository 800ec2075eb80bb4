"""A model as every surface shows it: API, CLI and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.models.generation import GenerationConfig
from venom_core.models.registry import ListedModel, Listing

#: A model's reference -> the roles that it is the active model of.
ActiveRoles = Mapping[str, Sequence[str]]


def model_view(
    item: ListedModel, roles: Sequence[str] = (), *, whole: bool = False
) -> dict[str, Any]:
    """JSON values only. ``whole`` adds what one asks of a single model."""
    model = item.model
    view: dict[str, Any] = {
        "name": model.ref,
        "id": item.id,
        "reference": item.reference,
        "provider": item.provider,
        "source": item.source or item.provider,
        "runtimes": list(item.runtimes),
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
        "active": bool(roles),
        "active_roles": list(roles),
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


def listing_view(listing: Listing, active: ActiveRoles) -> dict[str, Any]:
    """Installed models under ``models``, those to be had under ``available``."""
    installed = [model_view(item, active.get(item.reference, ())) for item in listing.installed]
    available = [model_view(item) for item in listing.models if not item.model.installed]
    by_provider: dict[str, list[dict[str, Any]]] = {}
    for view in installed:
        by_provider.setdefault(view["provider"], []).append(view)
    return {
        "success": True,
        "count": len(installed),
        "models": installed,
        "available": available,
        "providers": by_provider,
        "stale": [{"provider": name, **reason.record()} for name, reason in listing.stale.items()],
    }


def capabilities_view(item: ListedModel) -> dict[str, Any]:
    """What the model says of itself; null where it does not."""
    model = item.model
    roles, known = model.allowed_roles, model.capabilities
    return {
        "supports_system_role": None if roles is None else "system" in roles,
        "supports_function_calling": None if known is None else "tools" in known,
        "allowed_roles": None if roles is None else list(roles),
        "prompt_template": model.prompt_template,
        "max_context_length": model.context_length,
        "quantization": model.quantization,
    }


def schema_view(config: GenerationConfig) -> dict[str, Any]:
    """What can be set, by parameter."""
    return {name: parameter.view() for name, parameter in config.schema.items()}


def generation_view(item: ListedModel, config: GenerationConfig) -> dict[str, Any]:
    """The parameters of a model: schema, a value for each, and the three views."""
    return {
        "success": True,
        "model_name": item.model.ref,
        "reference": item.reference,
        "runtime": item.provider,
        "generation_schema": schema_view(config),
        "current_values": config.shown,
        "saved": dict(config.saved),
        "effective": config.effective,
        "default": {name: parameter.default for name, parameter in config.schema.items()},
        "origins": config.origins(),
    }
