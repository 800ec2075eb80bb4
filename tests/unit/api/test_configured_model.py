"""`ACTIVE_LLM_SERVER` and `LLM_MODEL_NAME`: who answers where a request names no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import engines_plugin
from tests.engines_plugin import PLAYED
from venom_core.sdk.provider import Model
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.scripted import SCRIPTS, Script, say
from venom_core.testing.staging import SCRIPTED, client_of, venom_over

SERVER, MODEL = "ACTIVE_LLM_SERVER", "LLM_MODEL_NAME"


@pytest.fixture(autouse=True)
def _models() -> None:
    engines_plugin.reset()
    PLAYED.models = ("org/m", "town")
    SCRIPTS["base"] = Script(say("x"), Model("base", "folder", instruct=False))
    SCRIPTS["city"] = Script(say("Warsaw"), Model("city", "folder"))
    SCRIPTS["town"] = Script(say("Warsaw"), Model("town", "folder"))


def client_over(home: Path, env: dict[str, str]) -> Any:
    settings = Settings.load(Paths.at(home), env)
    return client_of(venom_over(settings, [SCRIPTED, engines_plugin.ENTRY]))


async def default(client: httpx.AsyncClient) -> tuple[str | None, str]:
    told = (await client.get("/api/v1/models")).json()["active"]
    overview = (await client.get("/api/v1/overview")).json()
    reference = None if told["provider"] is None else f"{told['provider']}://{told['model']}"
    return reference, overview["default_model_reason"]


@pytest.mark.parametrize(
    ("env", "reference", "why"),
    [
        ({SERVER: "played"}, "played://org/m", "the first model of played, the active server"),
        ({SERVER: "scripted"}, "scripted://city", "the first model of scripted, the active server"),
        ({MODEL: "city"}, "scripted://city", "the model that LLM_MODEL_NAME names"),
        ({MODEL: "played://town"}, "played://town", "the model that LLM_MODEL_NAME names"),
        ({SERVER: "played", MODEL: "town"}, "played://town", "the model that LLM_MODEL_NAME names"),
        ({SERVER: "nope"}, None, "ACTIVE_LLM_SERVER names 'nope', and no provider is called so."),
        ({MODEL: "gone"}, None, "LLM_MODEL_NAME names 'gone', which is not installed."),
        ({SERVER: "played", MODEL: "city"}, None, "is not served by 'played'."),
    ],
)
async def test_what_the_settings_name_answers_and_nothing_else(
    tmp_path: Path, env: dict[str, str], reference: str | None, why: str
) -> None:
    async with client_over(tmp_path, env) as client:
        chosen, because = await default(client)
        assert (chosen, why in because) == (reference, True), because
        asked = {"messages": [{"role": "user", "content": "x"}]}
        if reference == "scripted://city":
            answer = await client.post("/v1/chat/completions", json=asked)
            assert answer.headers["venom-model"] == reference
        elif reference is None:
            refused = await client.post("/v1/chat/completions", json=asked)
            assert 400 <= refused.status_code < 500
        # A model that a person has chosen counts before the settings.
        await client.post("/api/v1/models/switch", json={"name": "scripted://town"})
        assert (await default(client))[0] == "scripted://town"


async def test_a_server_without_a_model_is_told_so(tmp_path: Path) -> None:
    PLAYED.models = ()
    async with client_over(tmp_path, {SERVER: "played"}) as client:
        chosen, because = await default(client)
        assert chosen is None
        assert because == "played is the active server, and has no chat model installed."


async def test_a_name_that_several_have_is_the_active_server_s(tmp_path: Path) -> None:
    for server in ("played", "scripted"):
        async with client_over(tmp_path / server, {SERVER: server}) as client:
            shown = await client.get("/api/v1/models/town/details")
            assert shown.json()["model"]["provider"] == server
    async with client_over(tmp_path / "none", {}) as client:
        assert (await client.get("/api/v1/models/town/details")).status_code == 409
