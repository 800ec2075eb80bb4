"""Models whose names nobody could be shown or ask for: left out of the list, and said."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from venom_core.models.references import MAX_LENGTH, is_usable
from venom_core.sdk.printable import one_line
from venom_core.sdk.provider import Model

log = logging.getLogger(__name__)

#: So many are named; the log has no use for more.
MAX_NAMED = 20
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model of a provider that is not listed. ``name`` is its own, with escapes."""

    provider: str
    name: str
    message: str


def usable(provider: str, models: Sequence[Model]) -> tuple[Sequence[Model], tuple[LeftOut, ...]]:
    """Return the models that can be used, and those that cannot: one bad row leaves the rest."""
    kept = [model for model in models if is_usable(model.ref)]
    if len(kept) == len(models):
        return models, ()
    names = [one_line(str(model.ref)) for model in models if not is_usable(model.ref)]
    message = f"Its name is not one line of at most {MAX_LENGTH} characters."
    left_out = tuple(LeftOut(provider, name[:_SHOWN], message) for name in names[:MAX_NAMED])
    shown = ", ".join(one.name for one in left_out)
    log.info("%d models of %s are left out for their names: %s", len(names), provider, shown)
    return kept, left_out
