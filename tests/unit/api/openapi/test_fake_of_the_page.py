"""The server that stands in for ours in the page's tests answers as ours declares it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.declared_answers import faults_of
from tests.e2e import scenarios
from venom_core.api.v1.overview import FirstScreen
from venom_core.models.views import ModelView
from venom_core.plugins.records import PluginView


def answers() -> Iterator[tuple[str, Any, Any]]:
    for name, make in (
        ("ready", scenarios.ready),
        ("demo", scenarios.demo),
        ("empty", scenarios.empty),
    ):
        scenario = make()
        yield f"overview of {name}", FirstScreen, scenario.overview
        for model in scenario.models:
            yield f"model of {name}", ModelView, model
    for plugin in scenarios.PLUGINS:
        yield "plugin", PluginView, plugin


@pytest.mark.parametrize(
    ("shape", "value"), [one[1:] for one in answers()], ids=[one[0] for one in answers()]
)
def test_it_is_as_declared(shape: Any, value: Any) -> None:
    assert list(faults_of(shape, value)) == []
