"""Models and operations as every surface shows them: API, CLI and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from venom_core.models.generation import GenerationConfig, ParameterView
from venom_core.models.registry import ListedModel, Listing
from venom_core.models.self_tests import CapabilityState, SelfTestView
from venom_core.sdk.provider import Locality
from venom_core.sdk.records import ReasonRecord
from venom_core.sdk.spec import ProviderSpec
from venom_core.store.operations import OperationStatus, OperationType

#: A model's reference -> the roles that it is the active model of.
ActiveRoles = Mapping[str, Sequence[str]]
#: A model's reference -> its last self-test, and what is known of its capabilities.
SelfTests = Mapping[str, tuple[SelfTestView | None, dict[str, CapabilityState] | None]]


class ModelView(TypedDict):
    """A model of one provider. ``reference`` is unique, ``id`` the shortest name that means it;
    ``size_gb`` counts thousand million bytes; ``capabilities`` are null where its provider cannot
    tell, ``capability_states`` says of each how that is known; ``path`` is null always, a path on
    the server is nobody's business; ``locality`` says whether prompts stay on this machine,
    ``runs_at`` which host gets them where they do not."""

    name: str
    id: str
    reference: str
    provider: str
    source: str
    runtimes: list[str]
    type: str
    title: str | None
    summary: str | None
    size_bytes: int | None
    size_gb: float | None
    quantization: str | None
    digest: str | None
    path: str | None
    locality: Locality
    runs_at: str | None
    context_length: int | None
    capabilities: list[str] | None
    capability_states: dict[str, CapabilityState] | None
    self_test: SelfTestView | None
    base_model: bool
    installed: bool
    loaded: bool | None
    active: bool
    active_roles: list[str]
    license: str | None
    terms_url: str | None


class ModelDetails(ModelView):
    """``parameters`` are the model's own defaults; ``details`` are in its provider's words."""

    allowed_roles: list[str] | None
    parameters: dict[str, Any]
    details: dict[str, Any]


class StaleProvider(ReasonRecord):
    """A provider that did not answer now; its models are those that it told of before."""

    provider: str


class LeftOutModel(TypedDict):
    """A model that is not listed: nobody could ask for its name, or it is not as its provider
    declares. ``name`` is shown with escapes, or is its place in the provider's list (``#3``)."""

    provider: str
    name: str
    message: str


class ModelListing(TypedDict):
    """``models`` are installed, ``available`` those that can be fetched by name, ``left_out`` those
    that cannot be used."""

    success: bool
    count: int
    models: list[ModelView]
    available: list[ModelView]
    providers: dict[str, list[ModelView]]
    stale: list[StaleProvider]
    left_out: list[LeftOutModel]


class ModelCapabilities(TypedDict):
    """Null is "not known"."""

    supports_system_role: bool | None
    supports_function_calling: bool | None
    supports_images: bool | None
    supports_response_format: bool | None
    allowed_roles: list[str] | None
    prompt_template: str | None
    max_context_length: int | None
    quantization: str | None


class GenerationView(TypedDict):
    """``default`` is shown where nothing is set and never sent; ``saved`` is what was stored here,
    ``effective`` what a request that says nothing is sent with, ``origins`` where each of these
    values comes from."""

    success: bool
    model_name: str
    reference: str
    runtime: str
    generation_schema: dict[str, ParameterView]
    current_values: dict[str, Any]
    saved: dict[str, Any]
    effective: dict[str, Any]
    default: dict[str, Any]
    origins: dict[str, str]


class OperationView(TypedDict):
    """An operation as every surface shows it: ``progress`` is whole percent, ``eta_seconds`` and
    ``bytes_per_second`` null where no rate is known, ``error`` to ``error_status`` tell why it
    failed."""

    operation_id: str
    model_name: str
    reference: str
    operation_type: OperationType
    status: OperationStatus
    progress: int
    message: str
    started_at: str
    completed_at: str | None
    error: str | None
    code: str | None
    fix: str | None
    docs: str | None
    param: str | None
    error_status: int | None
    retry_after: float | None
    provider: str
    bytes_total: int | None
    bytes_done: int
    eta_seconds: int | None
    bytes_per_second: int | None


def model_view(item: ListedModel, tests: SelfTests, roles: Sequence[str] = ()) -> ModelView:
    """JSON values only."""
    model = item.model
    test, states = tests[item.reference]
    return {
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
        "locality": model.locality,
        "runs_at": model.runs_at,
        "context_length": model.context_length,
        "capabilities": None if model.capabilities is None else sorted(model.capabilities),
        "capability_states": states,
        "self_test": test,
        "base_model": model.instruct is False,
        "installed": model.installed,
        "loaded": model.loaded,
        "active": bool(roles),
        "active_roles": list(roles),
        "license": model.license,
        "terms_url": model.terms_url,
    }


def details_view(item: ListedModel, tests: SelfTests) -> ModelDetails:
    """Everything that is known of one model."""
    model = item.model
    return {
        **model_view(item, tests),
        "allowed_roles": None if model.allowed_roles is None else list(model.allowed_roles),
        "parameters": dict(model.defaults),
        "details": dict(model.details),
    }


def listing_view(listing: Listing, active: ActiveRoles, tests: SelfTests) -> ModelListing:
    """Return installed models under ``models``, those to be had under ``available``."""
    installed = [
        model_view(item, tests, active.get(item.reference, ())) for item in listing.installed
    ]
    available = [model_view(item, tests) for item in listing.models if not item.model.installed]
    by_provider: dict[str, list[ModelView]] = {}
    for view in installed:
        by_provider.setdefault(view["provider"], []).append(view)
    return {
        "success": True,
        "count": len(installed),
        "models": installed,
        "available": available,
        "providers": by_provider,
        "stale": [{"provider": name, **reason.record()} for name, reason in listing.stale.items()],
        "left_out": [
            {"provider": one.provider, "name": one.name, "message": one.message}
            for one in listing.left_out
        ],
    }


def capabilities_view(item: ListedModel, spec: ProviderSpec) -> ModelCapabilities:
    """Return what the model and its provider say of it; null where they do not."""
    model = item.model
    roles, known = model.allowed_roles, model.capabilities
    return {
        "supports_system_role": None if roles is None else "system" in roles,
        "supports_function_calling": None if known is None else "tools" in known,
        "supports_images": None if known is None else "vision" in known,
        "supports_response_format": None
        if spec.passes_on
        else "response_format" in spec.parameters,
        "allowed_roles": None if roles is None else list(roles),
        "prompt_template": model.prompt_template,
        "max_context_length": model.context_length,
        "quantization": model.quantization,
    }


def schema_view(config: GenerationConfig) -> dict[str, ParameterView]:
    """Return what can be set, by parameter."""
    return {name: parameter.view() for name, parameter in config.schema.items()}


def generation_view(item: ListedModel, config: GenerationConfig) -> GenerationView:
    """Return the parameters of a model: schema, a value for each, and the three views."""
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


class BuildFormatView(TypedDict):
    """A format that models can be built in: by whom, how exact, for what. ``precision`` is taken
    where a build names none; the first of ``execution_providers`` too."""

    format: str
    provider: str
    precisions: list[str]
    precision: str
    execution_providers: list[str]
