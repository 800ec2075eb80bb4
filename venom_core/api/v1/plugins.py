"""Plugins as records, and the three things that one can do with them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from venom_core.api.callers import write_down
from venom_core.api.health import venom_of
from venom_core.api.language import localized

router = APIRouter()

PluginId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]


@router.get("/plugins")
async def list_plugins(request: Request) -> Response:
    """Every installed plugin, whatever became of it."""
    host = venom_of(request).host
    await host.load_all()
    await host.refresh()
    return localized(request, {"plugins": [record.record() for record in host.records()]})


@router.post("/plugins/{plugin_id}/{verb}")
async def change_plugin(
    request: Request, plugin_id: PluginId, verb: Literal["enable", "disable", "retry"]
) -> Response:
    """Enable, disable or retry; the second time changes nothing more."""
    host = venom_of(request).host
    before = {record.id: record.state.label for record in host.records()}
    act = {"enable": host.enable, "disable": host.disable, "retry": host.retry}[verb]
    record = await act(plugin_id)
    was = {"state": before[record.id]} if record.id in before else None
    await write_down(request, f"plugin.{verb}", plugin_id, was, {"state": record.state.label})
    done = {"enable": "enabled", "disable": "disabled", "retry": "tried again"}[verb]
    answer = {"success": True, "message": f"{plugin_id} was {done}.", "plugin": record.record()}
    return localized(request, answer)
