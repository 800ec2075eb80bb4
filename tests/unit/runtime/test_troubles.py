"""A provider that served and by itself no longer does is told, once, and so is its return."""

from __future__ import annotations

import pytest

from venom_core.runtime.troubles import ServiceTroubles
from venom_core.sdk.hookspecs import ObservedEvent

READY = ("ready", None, None)
DOWN = ("unavailable", "ollama_down", "Ollama does not answer.")
MISSING = ("unavailable", "engine_missing", "It is not installed.")
CRASHED = ("degraded", "engine_crashed", "The engine of m ended unexpectedly.")
LIMITED = ("degraded", "ollama_too_old", "It is old.")
FAILED = ("failed", "provider_failed", "It raised.")
OFF = ("disabled", "profile", "It is left out.")
STOPPED = "service.stopped"
#: What is seen of one provider, and what is told of it.
CASES = (
    ([READY], []),
    ([MISSING], []),
    ([MISSING, MISSING, READY], []),
    ([READY, DOWN], ["Ollama does not answer."]),
    ([READY, DOWN, FAILED, DOWN], ["Ollama does not answer."]),
    ([READY, DOWN, READY, DOWN], ["Ollama does not answer.", True, "Ollama does not answer."]),
    ([READY, CRASHED, READY], ["The engine of m ended unexpectedly.", True]),
    ([READY, LIMITED, READY], []),
    ([LIMITED, FAILED], ["It raised."]),
    ([READY, OFF, DOWN], []),
    ([READY, DOWN, OFF, READY], ["Ollama does not answer."]),
    ([READY, STOPPED, DOWN], []),
    ([READY, DOWN, STOPPED, READY], ["Ollama does not answer."]),
    ([READY, ("unavailable", None, None)], ["p does not answer."]),
)


@pytest.mark.parametrize(("seen", "told"), CASES)
def test_what_is_told(seen: list[object], told: list[object]) -> None:
    reported: list[ObservedEvent] = []
    troubles = ServiceTroubles(reported.append)
    for one in seen:
        if isinstance(one, tuple):
            status, code, message = one
            data = {"provider": "p", "status": status, "code": code, "message": message}
            troubles.venom_observe(ObservedEvent("provider.state", data))
        else:
            troubles.venom_observe(ObservedEvent(str(one), {"service": "p"}))
    assert [event.data["success"] or event.data["message"] for event in reported] == told
    assert all(event.data["service"] == "p" for event in reported)
    names = {True: "service.recovered", False: "service.failed"}
    assert all(event.name == names[event.data["success"]] for event in reported)


def test_an_event_that_says_nothing_tells_nothing() -> None:
    reported: list[ObservedEvent] = []
    troubles = ServiceTroubles(reported.append)
    for name in ("provider.state", "service.stopped", "chat.finished"):
        troubles.venom_observe(ObservedEvent(name, {}))
    assert reported == []
