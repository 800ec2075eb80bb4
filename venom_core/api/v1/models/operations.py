"""Installing, building and removing as operations, and what becomes of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response
from typing_extensions import TypedDict

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.models.shapes import (
    BuildModelRequest,
    InstallRequest,
    Limit,
    RegistryInstallRequest,
)
from venom_core.models.views import OperationView
from venom_core.usecases.models import Done
from venom_core.usecases.operations import BuildFormats, OperationPage, OperationVerb

router = keyed_router()


class OperationBegun(Done):
    operation_id: str


class InstallBegun(OperationBegun):
    """``model_name`` is as it was asked for."""

    model_name: str


class OperationList(OperationPage):
    success: bool


class OneOperation(TypedDict):
    success: bool
    operation: OperationView


_MESSAGES = {
    "install": "The install has begun.",
    "build": "The build has begun.",
    "remove": "The removal has begun.",
}


@router.post("/models/install")
@answers(InstallBegun)
async def install_model(request: Request, body: InstallRequest) -> Response:
    """Begin to fetch a model, or join the install of the same that is under way."""
    operation = await venom_of(request).operations.install(body.name, actor=actor_of(request))
    begun: InstallBegun = {**_begun(operation), "model_name": body.name}
    return localized(request, begun)


@router.post("/models/registry/install")
@answers(OperationBegun)
async def install_from(request: Request, body: RegistryInstallRequest) -> Response:
    """Begin to fetch a model from a named provider."""
    operation = await venom_of(request).operations.install(
        body.name, provider=body.provider, runtime=body.runtime, actor=actor_of(request)
    )
    return localized(request, _begun(operation))


@router.get("/models/builds")
@answers(BuildFormats)
async def list_build_formats(request: Request) -> Response:
    """Return the formats that models can be built in here, and by whom."""
    return localized(request, await venom_of(request).operations.build_formats())


@router.post("/models/{format}/build")
@answers(OperationBegun)
async def build_model(
    request: Request,
    body: BuildModelRequest,
    model_format: Annotated[str, Path(alias="format", pattern="^[a-z0-9]{1,20}$")],
) -> Response:
    """Begin to make model files of a format (`onnx`) from an installed model that has a folder of
    its own, or join the build of the same that is under way."""
    operation = await venom_of(request).operations.build(
        body.model_name, model_format, body.precision, body.execution_provider,
        actor=actor_of(request),
    )  # fmt: skip
    return localized(request, _begun(operation))


@router.delete("/models/registry/{name:path}")
@answers(OperationBegun)
async def remove_registered(request: Request, name: str) -> Response:
    """Begin to delete an installed model."""
    operation = await venom_of(request).operations.remove(name, actor_of(request))
    return localized(request, _begun(operation))


@router.get("/models/operations")
@answers(OperationList)
async def list_operations(
    request: Request,
    limit: Limit = 10,
    cursor: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
) -> Response:
    """Return operations, newest first; ``cursor`` is the ``next_cursor`` of the answer before."""
    page = await venom_of(request).operations.listing(limit, cursor)
    body: OperationList = {"success": True, **page}
    return localized(request, body)


@router.get("/models/operations/{operation_id}")
@answers(OneOperation)
async def get_operation(request: Request, operation_id: str) -> Response:
    """Return one operation; polling it shows what the feed tells."""
    operation = await venom_of(request).operations.get(operation_id)
    return _one(request, operation)


# Three routes and no {verb}: a model may be called operations/1, and have a config.
@router.post("/models/operations/{operation_id}/pause")
@answers(OneOperation)
async def pause_operation(request: Request, operation_id: str) -> Response:
    """Stop an install or a build and keep what has come."""
    return await _change(request, operation_id, "pause")


@router.post("/models/operations/{operation_id}/resume")
@answers(OneOperation)
async def resume_operation(request: Request, operation_id: str) -> Response:
    """Go on with an install or a build that is paused or failed."""
    return await _change(request, operation_id, "resume")


@router.post("/models/operations/{operation_id}/cancel")
@answers(OneOperation)
async def cancel_operation(request: Request, operation_id: str) -> Response:
    """End an install or a build and delete what has come."""
    return await _change(request, operation_id, "cancel")


async def _change(request: Request, operation_id: str, verb: OperationVerb) -> Response:
    operation = await venom_of(request).operations.change(operation_id, verb, actor_of(request))
    return _one(request, operation)


def _one(request: Request, operation: OperationView) -> Response:
    body: OneOperation = {"success": True, "operation": operation}
    return localized(request, body)


def _begun(operation: OperationView) -> OperationBegun:
    return {
        "success": True,
        "operation_id": operation["operation_id"],
        "message": _MESSAGES[operation["operation_type"]],
    }
