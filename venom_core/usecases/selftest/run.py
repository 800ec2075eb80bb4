"""Running a self-test: one row for each question, whatever happens to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from venom_core.sdk.errors import VenomError
from venom_core.usecases.selftest.asking import Ask
from venom_core.usecases.selftest.questions import CELLS, Broken

#: ``honoured``: the engine does it. ``emulated``: Venom brings it about. ``refused``: by name, as
#: nobody does it here. ``broken``: something else happened.
Outcome = Literal["honoured", "emulated", "refused", "broken"]
#: What a refusal by name has for a code.
_BY_NAME = frozenset({"unsupported_parameter", "not_supported", "model_not_capable"})
#: Rows whose question is about a parameter of another name.
_EMULATED_AS = {"auto": "tools", "required": "tools", "named": "tools", "one at a time": "tools"}


@dataclass(frozen=True, slots=True)
class Row:
    """The outcome of one question. ``note`` says more, where there is more to say."""

    group: str
    name: str
    outcome: Outcome
    note: str | None = None

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


async def examine(ask: Ask) -> AsyncIterator[Row]:
    """Ask everything, one after the other.

    Raises what the first question does where the model cannot answer at all.
    """
    for place, cell in enumerate(CELLS):
        try:
            said = await cell.ask(ask)
        except Broken as error:
            yield Row(cell.group, cell.name, "broken", str(error))
        except (ValueError, LookupError, TypeError, AttributeError):
            yield Row(cell.group, cell.name, "broken", "the answer cannot be read")
        except VenomError as error:
            if place == 0 and error.code not in _BY_NAME:
                raise
            if error.code in _BY_NAME:
                yield Row(cell.group, cell.name, "refused")
            else:
                yield Row(cell.group, cell.name, "broken", f"{error.code}: {error.message}")
        else:
            name = _EMULATED_AS.get(cell.name, cell.name)
            emulated = said is not None and name in said.emulated
            yield Row(cell.group, cell.name, "emulated" if emulated else "honoured")
