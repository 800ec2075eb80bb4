"""The runtimes and models that can be chosen from: one answer for every selector of the page."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Literal

from typing_extensions import TypedDict

from venom_core.models.manager import ModelManager
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.roles import ROLES, Role, check_role
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import ModelNotCapable
from venom_core.sdk.provider import Locality
from venom_core.sdk.spec import Capability
from venom_core.usecases.llm_servers import LlmServerUseCases
from venom_core.usecases.runtime import RuntimePayload
from venom_core.usecases.service_views import Service, ServiceStatus
from venom_core.usecases.services import ServiceUseCases

#: Reasons for which a provider cannot be used until somebody installs or sets something.
_NOT_CONFIGURED = ("engine_missing", "invalid_setting")


class ModelOption(TypedDict):
    """A model that can be chosen; ``roles`` are those that it is active in."""

    name: str
    id: str
    reference: str
    size_gb: float | None
    loaded: bool | None
    active: bool
    roles: list[str]
    locality: Locality


class RuntimeOption(TypedDict):
    """A runtime: ``configured`` where nothing has to be installed or set for it, ``available``
    where it answers now; ``reason`` says why not, ``code`` is its stable name."""

    runtime_id: str
    provider: str
    title: str
    source_type: Literal["local-runtime", "cloud-api"]
    configured: bool
    available: bool
    status: ServiceStatus
    reason: str | None
    code: str | None
    active: bool
    models: list[ModelOption]


class ModelCatalog(TypedDict):
    """The references of the models that can be the active one of each role."""

    chat: list[str]
    embedding: list[str]
    translation: list[str]


class RuntimeOptions(TypedDict):
    status: Literal["success"]
    success: bool
    active: RuntimePayload
    runtimes: list[RuntimeOption]
    model_catalog: ModelCatalog


class RuntimeOptionUseCases:
    """Gathers what can be chosen from."""

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        manager: ModelManager,
        services: ServiceUseCases,
        servers: LlmServerUseCases,
    ) -> None:
        self._host = host
        self._registry = registry
        self._manager = manager
        self._services = services
        self._servers = servers

    async def listing(self) -> RuntimeOptions:
        """Return every runtime that the profile allows, with its models."""
        installed = (await self._registry.listing(fresh=True)).installed
        active = await self._servers.payload()
        roles: dict[tuple[str, str], list[str]] = {}
        for role, key in (await self._manager.state()).active.items():
            roles.setdefault(key, []).append(role)
        services = await self._services.of_providers(await self._servers.names())
        runtimes = []
        for service in services:
            models = [item for item in installed if item.provider == service.name]
            runtimes.append(self._option(service, models, active, roles))
        chat, embedding, translation = (self._able(installed, role) for role in ROLES)
        return {
            "status": "success",
            "success": True,
            "active": active,
            "runtimes": runtimes,
            "model_catalog": {"chat": chat, "embedding": embedding, "translation": translation},
        }

    def _able(self, items: Sequence[ListedModel], role: Role) -> list[str]:
        """Return the references of those that can be the active model of a role."""
        specs, able = self._host.specs(), []
        for item in items:
            with contextlib.suppress(ModelNotCapable):
                check_role(item, specs[item.provider], role)
                able.append(item.reference)
        return able

    def _option(
        self,
        service: Service,
        models: Sequence[ListedModel],
        active: RuntimePayload,
        roles: dict[tuple[str, str], list[str]],
    ) -> RuntimeOption:
        spec, reason = self._host.specs()[service.name], service.reason
        has_place = service.endpoint is not None or Capability.ENGINES in spec.capabilities
        where = service.endpoint
        return {
            "runtime_id": service.name if where is None else f"{service.name}@{where}",
            "provider": service.name,
            "title": spec.title,
            "source_type": "local-runtime" if spec.local else "cloud-api",
            "configured": has_place and (reason is None or reason.code not in _NOT_CONFIGURED),
            "available": service.status in ("running", "degraded")
            or (reason is None and service.status == "stopped"),
            "status": service.status,
            "reason": reason.message if reason else None,
            "code": reason.code if reason else None,
            "active": active["provider"] == service.name,
            "models": [self._model(item, active, roles) for item in models],
        }

    def _model(
        self,
        item: ListedModel,
        active: RuntimePayload,
        roles: dict[tuple[str, str], list[str]],
    ) -> ModelOption:
        size = item.model.size_bytes
        key = (item.provider, item.model.ref)
        return {
            "name": item.model.ref,
            "id": item.id,
            "reference": item.reference,
            "size_gb": None if size is None else round(size / 1e9, 2),
            "loaded": item.model.loaded,
            "active": key == (active["provider"], active["model"]),
            "roles": roles.get(key, []),
            "locality": item.model.locality,
        }
