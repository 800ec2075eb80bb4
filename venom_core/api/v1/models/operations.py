"""Installing and removing as operations, and what becomes of them."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from venom_core.api.callers import caller_of, write_down
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.v1.models.shapes import (
    InstallRequest,
    Limit,
    RegistryInstallRequest,
    Unprocessable,
)

router = APIRouter()

_MESSAGES = {"install": "The install has begun.", "remove": "The removal has begun."}


@router.post("/models/install")
async def install_model(request: Request, body: InstallRequest) -> Response:
    """Begin to fetch a model, or join the install of the same that is under way."""
    key_id = caller_of(request).key_id
    operation = await venom_of(request).operations.install(body.name, key_id=key_id)
    return await _begun(request, operation, {"model_name": body.name})


@router.post("/models/registry/install")
async def install_from(request: Request, body: RegistryInstallRequest) -> Response:
    """Begin to fetch a model from a named provider."""
    venom = venom_of(request)
    if body.runtime is not None:
        _check_pairing(venom, body.provider, body.runtime)
    key_id = caller_of(request).key_id
    operation = await venom.operations.install(body.name, provider=body.provider, key_id=key_id)
    return await _begun(request, operation)


@router.delete("/models/registry/{name:path}")
async def remove_registered(request: Request, name: str) -> Response:
    """Begin to delete an installed model."""
    key_id = caller_of(request).key_id
    return await _begun(request, await venom_of(request).operations.remove(name, key_id=key_id))


@router.get("/models/operations")
async def list_operations(request: Request, limit: Limit = 10) -> Response:
    """Newest first."""
    operations = await venom_of(request).operations.list(limit)
    body = {"success": True, "operations": operations, "count": len(operations)}
    return localized(request, body)


@router.get("/models/operations/{operation_id}")
async def get_operation(request: Request, operation_id: str) -> Response:
    """One operation; polling it shows what the feed tells."""
    operation = await venom_of(request).operations.get(operation_id)
    return localized(request, {"success": True, "operation": operation})


# Three routes and no {verb}: a model may be called operations/1, and have a config.
@router.post("/models/operations/{operation_id}/pause")
async def pause_operation(request: Request, operation_id: str) -> Response:
    """Stop an install and keep what has come."""
    return await _change(request, operation_id, "pause")


@router.post("/models/operations/{operation_id}/resume")
async def resume_operation(request: Request, operation_id: str) -> Response:
    """Go on with an install that is paused or failed."""
    return await _change(request, operation_id, "resume")


@router.post("/models/operations/{operation_id}/cancel")
async def cancel_operation(request: Request, operation_id: str) -> Response:
    """End an install and delete what has come."""
    return await _change(request, operation_id, "cancel")


async def _change(
    request: Request, operation_id: str, verb: Literal["pause", "resume", "cancel"]
) -> Response:
    operations = venom_of(request).operations
    before = await operations.get(operation_id)
    change = {"pause": operations.pause, "resume": operations.resume, "cancel": operations.cancel}
    operation = await change[verb](operation_id)
    states = ({"status": one["status"]} for one in (before, operation))
    await write_down(request, f"operation.{verb}", operation["model_name"], *states)
    return localized(request, {"success": True, "operation": operation})


async def _begun(
    request: Request, operation: dict[str, Any], more: dict[str, Any] | None = None
) -> Response:
    after = {name: operation[name] for name in ("operation_id", "provider", "status")}
    kind = operation["operation_type"]
    await write_down(request, f"model.{kind}", operation["model_name"], None, after)
    body = {
        "success": True,
        "operation_id": operation["operation_id"],
        "message": _MESSAGES[operation["operation_type"]],
        **(more or {}),
    }
    return localized(request, body)


def _check_pairing(venom: Any, source: str, runtime: str) -> None:
    """Refuse a runtime that cannot serve what the source brings (422, as the contract has it)."""
    specs = venom.host.specs()
    serves = venom.host.resolve_name(runtime)
    if serves is None or "chat" not in specs[serves].capabilities:
        raise Unprocessable(
            f"{runtime!r} is no runtime that can serve what {source} brings.",
            code="unknown_runtime",
            param="runtime",
            fix="See the installed providers with: venom plugins",
        )
