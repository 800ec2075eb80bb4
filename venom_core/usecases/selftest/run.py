"""Running a self-test: one row for each question, whatever happens to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass
from typing import Any

from venom_core.models.self_tests import Outcome
from venom_core.sdk.errors import UpstreamTimeout, VenomError
from venom_core.usecases.selftest.asking import Ask
from venom_core.usecases.selftest.questions import CELLS, Broken

#: What a refusal by name has for a code.
_BY_NAME = frozenset({"unsupported_parameter", "not_supported", "model_not_capable"})
#: What says nothing of a model: the key, its limits, a full queue, a model that is gone.
_OF_OTHERS = frozenset({401, 402, 403, 404, 429})
#: Rows whose question is about a parameter of another name.
_EMULATED_AS = {"auto": "tools", "required": "tools", "named": "tools", "one at a time": "tools"}
#: One question is several requests, the first of which may load the model.
QUESTION_SECONDS = 600.0
ALL_SECONDS = 3600.0


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


async def examine(ask: Ask) -> AsyncGenerator[Row, None]:
    """Ask everything, one after the other.

    Raises what the first question does where the model cannot answer at all, what a later one is
    refused with for a reason that is none of the model's, and ``UpstreamTimeout``
    (``selftest_timeout``).
    """
    end = time.monotonic() + ALL_SECONDS
    for place, cell in enumerate(CELLS):
        seconds = min(QUESTION_SECONDS, end - time.monotonic())
        try:
            async with asyncio.timeout(seconds):
                said = await cell.ask(ask)
        except TimeoutError:
            if place == 0 or seconds < QUESTION_SECONDS:
                raise _too_slow(ask.model) from None
            yield Row(cell.group, cell.name, "broken", f"no answer within {seconds:.0f} seconds")
        except Broken as error:
            yield Row(cell.group, cell.name, "broken", str(error))
        except (ValueError, LookupError, TypeError, AttributeError):
            yield Row(cell.group, cell.name, "broken", "the answer cannot be read")
        except VenomError as error:
            if error.code in _BY_NAME:
                yield Row(cell.group, cell.name, "refused")
            elif place == 0 or error.status in _OF_OTHERS or error.code == "llm_off":
                raise
            else:
                yield Row(cell.group, cell.name, "broken", f"{error.code}: {error.message}")
        else:
            name = _EMULATED_AS.get(cell.name, cell.name)
            emulated = said is not None and name in said.emulated
            yield Row(cell.group, cell.name, "emulated" if emulated else "honoured")


def _too_slow(model: str) -> UpstreamTimeout:
    return UpstreamTimeout(
        f"{model} is too slow for a self-test.",
        code="selftest_timeout",
        fix="Test a smaller model, or try again when this machine has less to do.",
    )
