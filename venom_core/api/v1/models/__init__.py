"""The model area of ``/api/v1``: one sub-router a noun, put together here.

Literal paths are matched before ``{name:path}``: the router that ends in one comes last.
"""

from __future__ import annotations

from fastapi import APIRouter

from venom_core.api.v1.models import (
    active,
    aliases,
    config,
    fit,
    install,
    operations,
    registry,
    translation,
    usage,
)

router = APIRouter()
for part in (translation, registry, operations, active, aliases, usage, fit, config, install):
    router.include_router(part.router)
