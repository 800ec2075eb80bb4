"""The settings: shown, changed, and their backups."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.chat.validation import LONGEST_FIELD, Body
from venom_core.usecases.settings import BackupList, ConfigChange, ConfigDifferences, ConfigView

router = keyed_router("/config")

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_FIELD)]


class ConfigUpdate(Body):
    """``updates`` are new values by the setting's name, ``VENOM_PORT`` or ``server.port``; null
    removes one."""

    updates: dict[Name, Any] = Field(max_length=500)


class RestoreRequest(Body):
    backup_filename: str = Field(min_length=1, max_length=200)


@router.get("/runtime")
@answers(ConfigView)
async def show_config(request: Request) -> Response:
    """Return every setting: its value, where that comes from, and what a form needs to know of it.
    Secrets are masked."""
    return localized(request, await venom_of(request).configuration.show())


@router.post("/runtime")
@answers(ConfigChange)
async def change_config(request: Request, wanted: ConfigUpdate) -> Response:
    """Change settings, all of them or none. A mask that is sent back leaves its secret alone."""
    done = await venom_of(request).configuration.change(wanted.updates, actor_of(request))
    return localized(request, done)


@router.get("/backups")
@answers(BackupList)
async def list_backups(
    request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> Response:
    """Return the backups of the configuration, the newest first."""
    return localized(request, await venom_of(request).configuration.backups(limit))


@router.get("/differences")
@answers(ConfigDifferences)
async def show_differences(
    request: Request, backup_filename: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    """Return where the present configuration differs from a backup, the newest where none is
    named."""
    return localized(request, await venom_of(request).configuration.differences(backup_filename))


@router.post("/restore")
@answers(ConfigChange)
async def restore_config(request: Request, wanted: RestoreRequest) -> Response:
    """Put a backup in the place of the configuration, which is backed up first. Secrets stay."""
    done = await venom_of(request).configuration.restore(wanted.backup_filename, actor_of(request))
    return localized(request, done)
