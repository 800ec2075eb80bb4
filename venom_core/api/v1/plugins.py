"""Plugins as records, their settings, and what one can do with them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response
from typing_extensions import TypedDict

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.installing.offers import Offers
from venom_core.plugins.records import PluginView
from venom_core.usecases.plugins import PluginChange, PluginSettings, PluginVerb

router = keyed_router()


class PluginList(TypedDict):
    plugins: list[PluginView]


PluginId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]


@router.get("/plugins")
@answers(PluginList)
async def list_plugins(request: Request) -> Response:
    """Return every installed plugin, whatever its state."""
    body: PluginList = {"plugins": await venom_of(request).plugins.listing()}
    return localized(request, body)


@router.get("/plugins/available")
@answers(Offers)
async def list_offers(request: Request) -> Response:
    """Return what else could be installed, each with the command for it: plugins of this release,
    and packages of engines. Over HTTP nothing is installed."""
    return localized(request, await venom_of(request).plugins.available())


@router.get("/plugins/{plugin_id}/settings")
@answers(PluginSettings)
async def plugin_settings(request: Request, plugin_id: PluginId) -> Response:
    """Return the settings of a plugin as data for a form: schema, values, origins."""
    return localized(request, await venom_of(request).plugins.settings(plugin_id))


@router.post("/plugins/{plugin_id}/{verb}")
@answers(PluginChange)
async def change_plugin(request: Request, plugin_id: PluginId, verb: PluginVerb) -> Response:
    """Enable, disable or retry, of which the second time changes nothing more; load one of others'
    anew from the disk; forget one that was uninstalled."""
    plugins = venom_of(request).plugins
    return localized(request, await plugins.change(plugin_id, verb, actor_of(request)))
