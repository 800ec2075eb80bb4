"""The work of a server behind its first answers: kept parameters, and a model in memory."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from venom_core.composition import Venom
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.sdk.machine import this_machine
from venom_core.sdk.provider import Model, PullProgress
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.audit import Actor
from venom_core.testing import scripted
from venom_core.testing.deadlines import until, within
from venom_core.testing.scripted import Script, say
from venom_core.testing.staging import venom_over
from venom_core.usecases import warm_up

MODEL = "tiny"
OVERRIDES = {"scripted": {MODEL: {"temperature": 0.3, "num_predict": 80}}}


@pytest.fixture(autouse=True)
def _played(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(warm_up, "DELAY", 0.0)
    scripted.reset()
    scripted.SCRIPTS[MODEL] = Script(say("x"))
    yield
    scripted.reset()


@asynccontextmanager
async def started(home: Path, **env: str) -> AsyncIterator[Venom]:
    venom = venom_over(Settings.load(Paths.at(home), env))
    await venom.start()
    try:
        yield venom
    finally:
        await venom.close()


class Watcher:
    """Observes the names of events."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        self.seen.append(event.name)


def loads() -> list[str]:
    return [one.removeprefix("load ") for one in scripted.SEEN.calls if one.startswith("load ")]


async def warmed(venom: Venom) -> list[str]:
    await within(venom.warm_up.begin())
    return loads()


async def test_the_model_that_would_answer_is_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = Watcher()
    caplog.set_level(logging.INFO, warm_up.__name__)
    async with started(tmp_path) as venom:
        venom.host.add_observer("test", watcher)
        assert await warmed(venom) == [MODEL]
        await until(lambda: "model.loaded" in watcher.seen)
    assert f"scripted://{MODEL} is in memory" in caplog.text


async def test_a_start_alone_loads_nothing(tmp_path: Path) -> None:
    """A command that works by itself starts a Venom too, and has no use for a model in memory."""
    async with started(tmp_path) as venom:
        await venom.registry.listing()
    assert loads() == []


@pytest.mark.parametrize(
    "env", [{"LLM_WARMUP_ON_STARTUP": "false"}, {"VENOM_RUNTIME_PROFILE": "llm_off"}]
)
async def test_where_nothing_is_loaded(tmp_path: Path, env: dict[str, str]) -> None:
    async with started(tmp_path, **env) as venom:
        assert await warmed(venom) == []
        assert venom.registry.known() is None, "no provider was asked for its models"


async def test_nothing_is_fetched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, warm_up.__name__)
    scripted.SCRIPTS.clear()
    async with started(tmp_path) as venom:
        assert await warmed(venom) == []
    assert not [one for one in scripted.SEEN.calls if one.startswith("pull ")]
    assert "warm-up: " in caplog.text, "why not is told"


@pytest.mark.parametrize(("free", "expected"), [(1.0, [MODEL]), (0.000001, [])])
async def test_small_machines_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, expected: list[str]
) -> None:
    machine = this_machine()
    left = round(machine.memory_available_bytes * free)
    monkeypatch.setattr(
        warm_up, "this_machine", lambda: replace(machine, memory_available_bytes=left)
    )
    async with started(tmp_path) as venom:
        assert await warmed(venom) == expected


async def test_half_of_the_free_memory_is_the_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    machine = replace(this_machine(), memory_available_bytes=1000)

    def fits(_model: object, free: int) -> bool:
        asked.append(free)
        return True

    monkeypatch.setattr(warm_up, "this_machine", lambda: machine)
    monkeypatch.setattr(warm_up, "fits_memory", fits)
    async with started(tmp_path) as venom:
        await warmed(venom)
    assert asked == [500]


async def test_a_load_that_fails_is_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, warm_up.__name__)

    async def load(*_: object) -> None:
        raise Unavailable("No room.", code="out_of_memory")

    monkeypatch.setattr(scripted.ScriptedProvider, "load", load)
    async with started(tmp_path) as venom:
        await warmed(venom)
    assert "warm-up: No room." in caplog.text


async def test_closing_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()
    ended: list[str] = []

    async def load(*_: object) -> None:
        begun.set()
        try:
            await asyncio.sleep(600)
        finally:
            ended.append("load")

    monkeypatch.setattr(scripted.ScriptedProvider, "load", load)
    async with started(tmp_path) as venom:
        task = venom.warm_up.begin()
        await within(begun.wait())
        await within(venom.close())
        assert task.cancelled() and ended == ["load"]


# Parameters of the original


async def kept(home: Path, text: str | None, check: Callable[[Venom], Any]) -> Any:
    env = {"LLM_WARMUP_ON_STARTUP": "false"}
    async with started(
        home, **env, **({} if text is None else {"MODEL_GENERATION_OVERRIDES": text})
    ) as venom:
        await within(venom.warm_up.begin())
        return await check(venom)


async def stored(venom: Venom) -> dict[str, Any]:
    return dict(await venom.manager.overrides(await venom.registry.resolve(MODEL)))


async def forget(venom: Venom) -> None:
    await venom.manager.configure(await venom.registry.resolve(MODEL), {}, Actor.local())


async def test_parameters_are_read_once(tmp_path: Path) -> None:
    text = json.dumps(OVERRIDES)
    assert await kept(tmp_path, text, stored) == {"temperature": 0.3, "max_tokens": 80}
    assert await kept(tmp_path, None, stored) == {"temperature": 0.3, "max_tokens": 80}
    await kept(tmp_path, text, forget)
    assert await kept(tmp_path, text, stored) == {}, "what a person deleted came back"
    other = json.dumps({"scripted": {MODEL: {"temperature": 0.9}}})
    assert await kept(tmp_path, other, stored) == {"temperature": 0.9}


async def test_parameters_that_are_there_are_left(tmp_path: Path) -> None:
    async def configure(venom: Venom) -> None:
        item = await venom.registry.resolve(MODEL)
        await venom.manager.configure(item, {"temperature": 0.9}, Actor.local())

    await kept(tmp_path, None, configure)
    assert await kept(tmp_path, json.dumps(OVERRIDES), stored) == {"temperature": 0.9}


async def test_those_of_a_model_that_comes_later(tmp_path: Path) -> None:
    text = json.dumps({"scripted": {"later": {"temperature": 0.3}}})

    async def nothing(venom: Venom) -> None:
        return None

    await kept(tmp_path, text, nothing)
    scripted.SCRIPTS["later"] = Script(say("x"))

    async def of_later(venom: Venom) -> dict[str, Any]:
        return dict(await venom.manager.overrides(await venom.registry.resolve("later")))

    assert await kept(tmp_path, text, of_later) == {"temperature": 0.3}


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"scripted": 1}', '{"scripted": {"tiny": 1}}', "[" * 100_000]
)
async def test_what_is_none_is_said(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, warm_up.__name__)
    assert await kept(tmp_path, text, stored) == {}
    assert "left: It is not the JSON object" in caplog.text


@pytest.mark.parametrize("damage", ["", "{", "{}", "[1, null]", "\x00"])
async def test_damaged_marks_are_none(tmp_path: Path, damage: str) -> None:
    (tmp_path / "overrides-read.json").write_text(damage)
    found = await kept(tmp_path, json.dumps(OVERRIDES), stored)
    assert found == {"temperature": 0.3, "max_tokens": 80}


FIRST = {"VENOM_FIRST_MODELS": "scripted://new,nobody://nothing", "LLM_WARMUP_ON_STARTUP": "false"}
NEW = Model("new", "gguf", frozenset({"chat"}), installed=False)


async def operations(venom: Venom) -> list[str]:
    await within(venom.warm_up.begin())
    if not venom.store.exists():
        return []
    return [one["model_name"] for one in (await venom.operations.listing(10))["operations"]]


async def test_first_models_are_fetched_where_none_is_installed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.SCRIPTS.clear()
    scripted.SCRIPTS["new"] = Script([], NEW)
    scripted.PULLS["new"] = [PullProgress("completed", "There it is", 1, 1)]
    async with started(tmp_path, **FIRST) as venom:
        assert await operations(venom) == ["scripted://new"]
    assert "first models: nobody://nothing: " in caplog.text


async def test_first_models_are_left_where_a_model_is_installed(tmp_path: Path) -> None:
    scripted.SCRIPTS["new"] = Script([], NEW)
    async with started(tmp_path, **FIRST) as venom:
        assert await operations(venom) == []


async def test_nothing_is_fetched_that_no_setting_names(tmp_path: Path) -> None:
    scripted.SCRIPTS.clear()
    scripted.SCRIPTS["new"] = Script([], NEW)
    async with started(tmp_path, LLM_WARMUP_ON_STARTUP="false") as venom:
        assert await operations(venom) == []
