"""A plugin for the first release of API v1, its wheel unpacked and kept as it was: it is found,
loads, lists, answers and is told of with every Venom after it.

What of ``wheel_v1`` fails here fails for everybody's plugins: mend Venom, not the plugin.
"""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import importlib
import json
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from importlib_metadata import Distribution

from tools.sdk_reference.kept import kept
from venom_core.language import polish
from venom_core.plugins.discovery import scan
from venom_core.testing import Stage, stage
from venom_core.testing.engine import scripted_engine
from venom_core.testing.speaking import speaks

WHEEL = Path(__file__).with_name("wheel_v1")
INFO = WHEEL / "venom_frozen-1.0.dist-info"
QUESTION = [{"role": "user", "content": "How cold is it"}]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The wheel, installed: its files where Python finds them."""
    folder = tmp_path / "site"
    shutil.copytree(WHEEL, folder)
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    _reread_catalogues()  # another test of this process may have read them before it was there
    yield folder
    _reread_catalogues()
    for name in [name for name in sys.modules if name.split(".")[0] == "venom_frozen"]:
        del sys.modules[name]


def _reread_catalogues() -> None:
    polish._catalogue.cache_clear()
    polish._polish.cache_clear()


@pytest.fixture
async def frozen(site: Path, tmp_path: Path) -> AsyncIterator[Stage]:
    """A Venom that found it among what is installed, over a server for its second provider."""
    found = scan(lambda: Distribution.discover(path=[str(site)])).found
    async with scripted_engine(speaks) as engine:
        env = {"VENOM_FROZEN_WIRE__URL": engine.url, "VENOM_FROZEN__FLAKES": "3"}
        async with stage(*found, home=tmp_path / "home", env=env) as venom:
            yield venom


async def ask(venom: Stage, path: str = "chat/completions", **body: Any) -> Any:
    answer = await venom.client.post(f"/v1/{path}", json={"model": "frozen://frost", **body})
    return answer.json()


async def ask_stream(venom: Stage, path: str = "chat/completions", **body: Any) -> list[Any]:
    asked = {"model": "frozen://frost", "stream": True, **body}
    asked["stream_options"] = {"include_usage": True}
    answer = await venom.client.post(f"/v1/{path}", json=asked)
    *chunks, done = answer.text.strip().split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(chunk.removeprefix("data: ")) for chunk in chunks]


def test_nobody_has_touched_it() -> None:
    """Its own RECORD tells; whoever mends the plugin in place of Venom is seen here."""
    rows = list(csv.reader((INFO / "RECORD").read_text(encoding="utf-8").splitlines()))
    told = {name: digest for name, digest, _ in rows if digest}
    there = {
        path.relative_to(WHEEL).as_posix(): path.read_bytes()
        for path in WHEEL.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "RECORD"
    }
    made = {
        name: "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()[:-1]
        for name, data in there.items()
    }
    assert made == told


def test_it_uses_what_the_api_had() -> None:
    had = set(kept())
    used: set[str] = set()
    for path in WHEEL.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith("venom_core") for name in modules)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("venom_core"):
                assert node.module == "venom_core.sdk"
                used |= {alias.name for alias in node.names}
    assert used <= had
    assert len(used) > 40


async def test_it_is_found_and_loads(frozen: Stage) -> None:
    await frozen.client.get("/v1/models")
    (plugin,) = (await frozen.client.get("/api/v1/plugins")).json()["plugins"]
    told = {name: plugin[name] for name in ("id", "state", "reason", "version", "api", "origin")}
    assert told == {
        "id": "frozen", "state": "loaded", "reason": None, "version": "1.0", "api": "v1",
        "origin": "third_party",
    }  # fmt: skip
    providers = {one["name"]: one for one in plugin["providers"]}
    assert set(providers) == {"frozen", "frozen-wire"}
    assert providers["frozen"]["status"] == "degraded"
    assert providers["frozen"]["reason"]["code"] == "frozen_old"
    assert len(providers["frozen"]["capabilities"]) == 14
    assert providers["frozen-wire"]["status"] == "ready"


async def test_it_lists(frozen: Stage) -> None:
    listed = (await frozen.client.get("/v1/models")).json()["data"]
    assert {(one["owned_by"]) for one in listed} == {"frozen", "frozen-wire"}
    details = (await frozen.client.get("/api/v1/models/frozen://frost/details")).json()
    assert details["model"]["context_length"] == 64
    assert details["model"]["size_bytes"] == 5


async def test_it_answers(frozen: Stage) -> None:
    answer = await ask(frozen, messages=QUESTION, n=2)
    assert [one["message"]["content"] for one in answer["choices"]] == ["Brr ice", "Brr ice"]
    assert answer["choices"][1]["message"]["reasoning_content"] == "It is cold."
    assert answer["usage"] == {
        "prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6,
        "prompt_tokens_details": {"cached_tokens": 1},
    }  # fmt: skip


async def test_it_streams(frozen: Stage) -> None:
    chunks = await ask_stream(frozen, messages=QUESTION, n=2)
    texts = ["", ""]
    ends = []
    for chunk in chunks:
        for choice in chunk["choices"]:
            texts[choice["index"]] += choice["delta"].get("content") or ""
            ends.append(choice["finish_reason"])
    assert texts == ["Brr ice", "Brr ice"]
    assert [end for end in ends if end] == ["stop", "stop"]
    assert chunks[-1]["usage"]["total_tokens"] == 6


async def test_it_calls_tools(frozen: Stage) -> None:
    tool = {"type": "function", "function": {"name": "measure", "parameters": {"type": "object"}}}
    (choice,) = (await ask(frozen, messages=QUESTION, tools=[tool]))["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "measure", "arguments": "{}"}
    chunks = await ask_stream(frozen, messages=QUESTION, tools=[tool])
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    calls = [call for one in deltas for call in one.get("tool_calls") or ()]
    assert [call["id"] for call in calls] == ["call_1"]


async def test_it_completes_and_embeds(frozen: Stage) -> None:
    answer = await ask(frozen, "completions", prompt="It")
    assert answer["choices"][0]["text"] == " is cold"
    tokens = await ask(frozen, "completions", prompt=[1, 2, 3])
    assert tokens["usage"]["prompt_tokens"] == 3
    chunks = await ask_stream(frozen, "completions", prompt="It")
    assert "".join(one["text"] for chunk in chunks for one in chunk["choices"]) == " is cold"
    made = await ask(frozen, "embeddings", input=["ab", "abc"], dimensions=3)
    assert [row["embedding"] for row in made["data"]] == [[2.0] * 3, [3.0] * 3]


async def test_its_relay_answers(frozen: Stage) -> None:
    listed = (await frozen.client.get("/v1/models")).json()["data"]
    model = next(one["id"] for one in listed if one["owned_by"] == "frozen-wire")
    answer = await ask(frozen, model=model, messages=QUESTION, temperature=0)
    chunks = await ask_stream(frozen, model=model, messages=QUESTION, temperature=0)
    text = "".join(
        choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
    )
    assert text == answer["choices"][0]["message"]["content"] != ""


@pytest.mark.parametrize(
    ("body", "status", "code", "fix"),
    [
        ({"model": "frozen://hail"}, 404, "model_not_found", None),
        ({"seed": 1}, 400, "unsupported_parameter", None),
        ({"n": 3}, 400, "unsupported_parameter", None),
        ({"messages": "a " * 65}, 400, "context_length_exceeded", None),
        ({"messages": "break"}, 502, "upstream_error", "Mend it."),
        ({"messages": "wait"}, 503, "frozen_asleep", "Wake it."),
    ],
    ids=["unknown", "undeclared", "beyond", "too long", "broken", "asleep"],
)
async def test_it_refuses(
    frozen: Stage, body: dict[str, Any], status: int, code: str, fix: str | None
) -> None:
    text = body.get("messages", "How cold is it")
    messages = [{"role": "user", "content": text}]
    asked = {"model": "frozen://frost", **body, "messages": messages}
    answer = await frozen.client.post("/v1/chat/completions", json=asked)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert fix is None or fix in error["message"]


async def test_its_models_come_and_go(frozen: Stage) -> None:
    provider = await frozen.venom.host.provider("frozen")
    await provider.load("frost")
    assert [one.ref for one in await provider.ps()] == ["frost"]
    await provider.unload("frost")
    assert len(await provider.ps()) == 0
    plan = await provider.plan_pull("snow")
    assert (plan.bytes_total, plan.bytes_to_write) == (5, 5)
    assert [one.status async for one in provider.pull("snow")][-1] == "completed"
    assert [one.ref for one in await provider.models() if one.installed] == ["frost", "snow"]
    await provider.remove("snow")
    await provider.forget_pull("snow")
    assert [one.name for one in await provider.engines()] == ["frozen"]


async def test_its_catalogue_is_read(frozen: Stage) -> None:
    async def get(path: str) -> Any:
        return (await frozen.client.get(f"/api/v1/models/{path}")).json()

    for found in (
        await get("search?query=ice&provider=frozen"),
        await get("trending?provider=frozen"),
    ):
        (entry,) = found["models"]
        assert (entry["reference"], entry["size_bytes"]) == ("frozen://snow", 5)
        assert (entry["runtime"], entry["updated_at"]) == ("frozen", "2026-11-01T00:00:00Z")
    (item,) = (await get("news?provider=frozen"))["items"]
    assert (item["title"], item["source"], item["authors"]) == ("It snows", "Frozen", ["me"])
    provider = await frozen.venom.host.provider("frozen")
    card = await provider.card("snow")
    assert (card.entry.ref, card.files[0].name, card.download_bytes) == ("snow", "snow.bin", 5)


async def test_its_hooks_are_called(frozen: Stage) -> None:
    await ask(frozen, messages=QUESTION)
    observed = sys.modules["venom_frozen.plugin"].OBSERVED
    assert ("plugin.state", "frozen") in [(name, data.get("plugin")) for name, data in observed]
    doctor = await frozen.cli("doctor", "--json")
    assert "It thaws." in doctor.out
    refused = await frozen.client.post(
        "/v1/chat/completions",
        json={"model": "frozen://frost", "messages": [{"role": "user", "content": "break"}]},
        headers={"Accept-Language": "pl"},
    )
    assert "Pękło. Napraw to." in refused.json()["error"]["message"]
