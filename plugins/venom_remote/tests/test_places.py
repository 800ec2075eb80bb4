"""The host that gets the prompts of a remote server's model; none for a server of this machine."""

from __future__ import annotations

import pytest

from plugins.venom_remote.tests.conftest import Opened
from venom_core.testing.engine import ScriptedEngine


async def test_a_server_of_this_machine_is_local(opened: Opened, engine: ScriptedEngine) -> None:
    async with opened(engine.url) as remote:
        (model,) = await remote.models()
    assert (model.locality, model.runs_at) == ("local", None)


@pytest.mark.parametrize(
    ("urls", "host"),
    [
        (["https://llm.example/v1"], "llm.example"),
        (["http://me:pw@box.example:8000"], "box.example:8000"),
        (["http://127.0.0.1:1", "http://a.example", "http://b.example"], "a.example, b.example"),
    ],
)
async def test_a_server_elsewhere_is_named(
    opened: Opened, engine: ScriptedEngine, urls: list[str], host: str
) -> None:
    async with opened(engine.url) as remote:
        (node,) = remote._nodes
        # Nothing listens there: what is asked is the name alone.
        remote._nodes.extend(type(node)(url, models={"far"}) for url in urls)
        assert remote._runs_at("far") == host
