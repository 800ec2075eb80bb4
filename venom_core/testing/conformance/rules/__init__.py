"""Every rule of the kit, in the order in which they are examined.

What changes nothing comes first; what fetches and removes comes last.
"""

from __future__ import annotations

from types import ModuleType

from venom_core.testing.conformance.rule import Rule
from venom_core.testing.conformance.rules import (
    answers,
    builds,
    catalogue,
    declaration,
    embeddings,
    interruptions,
    life,
    listing,
    memory,
    parameters,
    transfers,
)


def _of(module: ModuleType) -> dict[str, Rule]:
    return {one.name: one for one in vars(module).values() if isinstance(one, Rule)}


RULES: dict[str, Rule] = {
    **_of(declaration),
    **_of(life),
    **_of(listing),
    **_of(answers),
    **_of(parameters),
    **_of(embeddings),
    **_of(interruptions),
    **_of(catalogue),
    **_of(memory),
    **_of(transfers),
    **_of(builds),
}
