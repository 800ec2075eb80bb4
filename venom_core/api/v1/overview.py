"""The facts for a first screen, in one answer."""

from __future__ import annotations

from typing import cast

from fastapi import Request
from starlette.responses import Response

from venom_core.api.callers import caller_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.scopes import ADMIN
from venom_core.settings.core import Theme
from venom_core.usecases.overview import Overview

router = keyed_router()


class FirstScreen(Overview):
    """``theme`` is for a browser in which nobody chose one. ``warnings`` name files: they are for
    keys that may administer, and empty for others."""

    key_required: bool
    theme: Theme


@router.get("/overview")
@answers(FirstScreen)
async def get_overview(request: Request) -> Response:
    """Return the machine, the providers, the model that answers when none is named, what to get
    next."""
    venom = venom_of(request)
    shown = await venom.overview.show()
    if not caller_of(request).may(ADMIN):
        shown["warnings"] = []
    body: FirstScreen = {
        **shown,
        "key_required": await request.app.state.key_ring.required(),
        "theme": cast(Theme, venom.settings.core.ui_theme_default),
    }
    return localized(request, body)
