"""The model area of ``/api/v1``: one sub-router a noun, put together here.

Literal paths are matched before ``{name:path}``: the router that ends in one comes last.
"""

from __future__ import annotations

from venom_core.api.routing import keyed_router
from venom_core.api.v1.models import (
    active,
    aliases,
    catalogue,
    config,
    figures,
    fit,
    listing,
    operations,
    self_tests,
    translation,
)

router = keyed_router()
for part in (
    translation, catalogue, operations, active, aliases, figures, fit, config, self_tests, listing,
):  # fmt: skip
    router.include_router(part.router)
