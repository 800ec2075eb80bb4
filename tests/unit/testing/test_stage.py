"""A whole Venom over given plugins: what it finds, what its client and its command line say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.testing.lawful import ENGINE
from venom_core._version import __version__
from venom_core.testing import entry, stage

LAWFUL = entry("tests.unit.testing.manifest", "lawful")


async def test_only_the_given_plugins_are_found(tmp_path: Path) -> None:
    async with stage(LAWFUL, home=tmp_path / "home") as one:
        found = (await one.client.get("/api/v1/plugins")).json()["plugins"]
        assert [(plugin["id"], plugin["origin"]) for plugin in found] == [("lawful", "third_party")]
        body = {"model": "lawful://tiny", "messages": [{"role": "user", "content": "hi"}]}
        answer = await one.client.post("/v1/chat/completions", json=body)
        assert answer.json()["choices"][0]["message"]["content"] == "one two three four five "
        refused = await one.client.post("/v1/chat/completions", json={**body, "min_p": 0.2})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "min_p")


async def test_the_command_line_sees_the_same(tmp_path: Path) -> None:
    async with stage(LAWFUL, home=tmp_path / "home") as one:
        listed = await one.cli("list", "--json")
        lost = await one.cli("show", "nope")
    assert listed.code == 0, listed.err
    names = {model["name"] for model in json.loads(listed.out)["models"]}
    assert set(ENGINE.models) <= {name.rpartition("/")[2] for name in names}
    assert lost.code == 4
    assert "model_not_found" in lost.err


async def test_the_environment_of_a_stage_is_what_is_given(tmp_path: Path) -> None:
    env = {"VENOM_LAWFUL__URL": "nowhere"}
    async with stage(LAWFUL, home=tmp_path / "home", env=env) as one:
        body = {"model": "lawful://tiny", "messages": [{"role": "user", "content": "hi"}]}
        answer = await one.client.post("/v1/chat/completions", json=body)
    assert answer.json()["error"]["code"] == "acme_down"


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [("venom_ollama.plugin", ("ollama", "venom-ollama", __version__, "first_party")),
     ("venom_my_acme.plugin:spec", ("my-acme", "venom-my-acme", "1.0", "third_party"))],
    ids=["ours", "a-strangers"],
)  # fmt: skip
def test_an_entry_point_in_memory(manifest: str, expected: tuple[str, ...]) -> None:
    found = entry(manifest)
    assert (found.id, found.distribution, found.version, found.origin) == expected
    assert (found.value, found.api) == (manifest, "v1")
