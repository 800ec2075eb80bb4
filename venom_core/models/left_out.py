"""Models that nobody could be shown or ask for: left out of the list, and said."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from venom_core.models.references import MAX_LENGTH, is_usable
from venom_core.plugins.border import MOST_NAMED, LeftOut, Rows
from venom_core.sdk.printable import one_line
from venom_core.sdk.provider import Model

log = logging.getLogger(__name__)

_SHOWN = 100


def usable(provider: str, models: Sequence[Model]) -> tuple[Sequence[Model], tuple[LeftOut, ...]]:
    """Return the models that can be used, and those that cannot: one bad row leaves the rest."""
    wrong = tuple(models.left_out) if isinstance(models, Rows) else ()
    kept = [model for model in models if is_usable(model.ref)]
    if len(kept) == len(models):
        return models, wrong
    names = [one_line(str(model.ref)) for model in models if not is_usable(model.ref)]
    message = f"Its name is not one line of at most {MAX_LENGTH} characters."
    left_out = tuple(LeftOut(provider, name[:_SHOWN], message) for name in names[:MOST_NAMED])
    shown = ", ".join(one.name for one in left_out)
    log.info("%d models of %s are left out for their names: %s", len(names), provider, shown)
    return kept, (*wrong, *left_out)
