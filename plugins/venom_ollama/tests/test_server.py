"""The Ollama that Venom starts: a fake program, run by the real supervisor."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from plugins.venom_ollama.tests.asking import HELLO, chat, collect, make_context
from venom_core.sdk.engine import EngineProcess, free_port
from venom_core.sdk.errors import Conflict, EngineMissing, Unavailable, VenomError
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.deadlines import patience, until, within
from venom_core.testing.ollama import FakeOllama
from venom_core.testing.ollama.program import FakeProgram
from venom_ollama import server
from venom_ollama.provider import OllamaProvider

#: Makes an open provider whose Ollama is to be at a port that nobody holds.
MakeHere = Callable[..., Awaitable[OllamaProvider]]


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    return FakeProgram(tmp_path / "bin")


@pytest.fixture
async def here(program: FakeProgram, tmp_path: Path) -> AsyncIterator[MakeHere]:
    made: list[OllamaProvider] = []

    async def make(**settings: Any) -> OllamaProvider:
        own = {"base_url": f"127.0.0.1:{free_port()}", "program": str(program.path)}
        provider = OllamaProvider(make_context(tmp_path, **{**own, **settings}))
        await provider.open()
        made.append(provider)
        return provider

    yield make
    for provider in made:
        await provider.close()


async def state(provider: OllamaProvider) -> str:
    found = await provider.engines()
    return found[0].state if found else "none"


# By command


async def test_it_is_started_asked_and_stopped(here: MakeHere, program: FakeProgram) -> None:
    provider = await here()
    assert await state(provider) == "none"
    await within(provider.start_engine())
    (engine,) = await provider.engines()
    assert (engine.name, engine.state, engine.model) == ("Ollama", "running", None)
    assert engine.port == int(provider.endpoint.rpartition(":")[2])
    assert engine.pid is not None and (engine.memory_bytes or 0) > 1 << 20
    assert (await provider.health()).status is ProviderStatus.READY
    assert await collect(provider.chat(chat(HELLO)))
    processes = [psutil.Process(engine.pid), *psutil.Process(engine.pid).children()]
    await within(provider.stop_engine())
    await until(lambda: not any(one.is_running() for one in processes))
    assert await state(provider) == "stopped"
    assert (await provider.health()).reason.code in ("ollama_down", "engine_missing")  # type: ignore[union-attr]
    assert len(program.starts()) == 1, "it was started again though a person stopped it"


async def test_a_second_start_starts_nothing(here: MakeHere, program: FakeProgram) -> None:
    provider = await here()
    await within(asyncio.gather(provider.start_engine(), provider.start_engine()))
    await within(provider.start_engine())
    assert len(program.starts()) == 1


async def test_closing_ends_it(here: MakeHere) -> None:
    provider = await here()
    await within(provider.start_engine())
    process = psutil.Process((await provider.engines())[0].pid)
    await provider.close()
    await until(lambda: not process.is_running())


async def test_its_log_is_kept(here: MakeHere, tmp_path: Path) -> None:
    provider = await here()
    await within(provider.start_engine())
    assert any("Listening on" in line for line in (await provider.engines())[0].log_tail)
    assert (provider.context.data_dir / "engines" / "ollama.log").is_file()


# Where it may not be started


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"base_url": "192.0.2.7:11434"}, "engine_not_startable"),
        ({"base_url": "https://127.0.0.1:11434"}, "engine_not_startable"),
        ({"base_url": "http://127.0.0.1:11434/behind"}, "engine_not_startable"),
        ({"base_url": "http://me:secret@127.0.0.1:11434"}, "engine_not_startable"),
        ({"base_url": "[::1]:11434"}, "engine_not_startable"),
        ({"start": "never"}, "engine_not_startable"),
        ({"program": "/there/is/no/ollama"}, "engine_missing"),
    ],
)
@pytest.mark.parametrize("start", ["asked", "auto"])
async def test_refused(
    here: MakeHere, program: FakeProgram, settings: dict[str, Any], code: str, start: str
) -> None:
    provider = await here(**{"start": start, **settings})
    with pytest.raises(VenomError) as refused:
        await within(provider.start_engine())
    assert refused.value.code == code
    assert refused.value.fix and "secret" not in str(refused.value)
    assert await state(provider) == "none"
    assert program.starts() == []


async def test_a_missing_program_says_how_to_get_it(here: MakeHere) -> None:
    provider = await here(program="/there/is/no/ollama")
    with pytest.raises(EngineMissing) as refused:
        await provider.start_engine()
    assert "https://ollama.com/download" in (refused.value.fix or "")
    assert "VENOM_OLLAMA__PROGRAM" in (refused.value.fix or "")


async def test_a_program_that_does_not_start_is_missing(
    here: MakeHere, program: FakeProgram
) -> None:
    program.behave(version_code=127)  # a version manager's shim of a version that is gone
    with pytest.raises(EngineMissing, match="127"):
        await (await here()).start_engine()
    assert program.starts() == []


async def test_path_finds_it(
    here: MakeHere, program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{program.path.parent}{os.pathsep}{os.environ['PATH']}")
    provider = await here(program=None)
    await within(provider.start_engine())
    assert len(program.starts()) == 1


# Where somebody else's answers


@pytest.mark.parametrize("start", ["asked", "auto"])
async def test_somebody_elses_is_used_and_left_alone(
    here: MakeHere, program: FakeProgram, fake: FakeOllama, start: str
) -> None:
    provider = await here(base_url=fake.url, start=start)
    await provider.start_engine()
    assert (await provider.health()).status is ProviderStatus.READY
    with pytest.raises(Conflict) as refused:
        await provider.stop_engine()
    assert refused.value.code == "engine_not_ours"
    assert (await provider.health()).status is ProviderStatus.READY
    assert await provider.engines() == ()
    assert program.starts() == []


async def test_somebody_elses_that_ends_is_not_replaced_unasked(
    here: MakeHere, program: FakeProgram
) -> None:
    with FakeOllama() as theirs:
        provider = await here(base_url=theirs.url)
        await provider.start_engine()
        theirs.kill()
        health = await provider.health()
    assert health.status is ProviderStatus.UNAVAILABLE
    assert health.reason is not None and health.reason.code == "ollama_down"
    assert "venom engines start ollama" in (health.reason.fix or "")
    assert program.starts() == []


async def test_a_port_that_another_program_holds(here: MakeHere, program: FakeProgram) -> None:
    """It took the port between the look and the start: Ollama ends with the words of record 736."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, and not listening: nobody answers there
        provider = await here(base_url=f"127.0.0.1:{held.getsockname()[1]}")
        with pytest.raises(Conflict) as refused:
            await within(provider.start_engine())
    assert refused.value.code == "port_in_use"
    assert len(program.starts()) == 1


# By itself


async def test_auto_starts_at_the_first_need(here: MakeHere, program: FakeProgram) -> None:
    provider = await here(start="auto")
    assert program.starts() == [], "opening it is no need"
    assert await within(collect(provider.chat(chat(HELLO))))
    assert len(program.starts()) == 1


@pytest.mark.parametrize("start", ["asked", "never"])
async def test_nobody_else_starts_it(here: MakeHere, program: FakeProgram, start: str) -> None:
    provider = await here(start=start)
    with pytest.raises(Unavailable):
        await collect(provider.chat(chat(HELLO)))
    with pytest.raises(Unavailable):
        await provider.models()
    assert program.starts() == []


async def test_health_and_listing_do_not_wait_for_a_slow_start(
    here: MakeHere, program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venom_ollama.provider.HEALTH_SECONDS", 0.3)
    monkeypatch.setattr("venom_ollama.provider.LISTING_SECONDS", 0.3)
    program.behave(late=600)
    provider = await here(start="auto")
    health = await within(provider.health())
    assert health.reason is not None and health.reason.code == "ollama_starting"
    with pytest.raises(Unavailable) as refused:
        await within(provider.models())
    assert refused.value.code == "ollama_starting"
    assert len(program.starts()) == 1 and await state(provider) == "starting"


async def test_an_answer_waits_for_a_slow_start(
    here: MakeHere, program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound of each call stands still meanwhile: it is for an Ollama that runs."""
    provider = await here(start="auto")
    monkeypatch.setattr("venom_ollama.client.VERSION_TIMEOUT", patience(0.5))
    program.behave(late=patience(1))
    assert await within(collect(provider.chat(chat(HELLO))), 30)
    assert len(program.starts()) == 1


async def test_many_who_need_it_share_one_start(here: MakeHere, program: FakeProgram) -> None:
    provider = await here(start="auto")
    answers = await within(asyncio.gather(*(collect(provider.chat(chat(HELLO))) for _ in range(5))))
    assert all(answers) and len(program.starts()) == 1


async def test_stopped_by_a_person_it_stays_stopped(here: MakeHere, program: FakeProgram) -> None:
    provider = await here(start="auto")
    await within(provider.start_engine())
    await within(provider.stop_engine())
    with pytest.raises(Unavailable):
        await collect(provider.chat(chat(HELLO)))
    await within(provider.start_engine())
    assert await within(collect(provider.chat(chat(HELLO))))
    assert len(program.starts()) == 2


# Faults


async def test_one_that_ends_at_once(
    here: MakeHere, program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.behave(ends_with=3)
    provider = await here()
    with pytest.raises(Unavailable) as refused:
        await within(provider.start_engine())
    assert refused.value.code == "engine_exited" and "3" in refused.value.message
    assert refused.value.fix == "Read its log: venom logs ollama."
    assert await state(provider) == "failed"
    program.behave()
    await within(provider.start_engine())  # at a person's word, without a wait
    assert await state(provider) == "running"


async def test_one_that_fails_again_and_again_rests(here: MakeHere, program: FakeProgram) -> None:
    program.behave(ends_with=3)
    provider = await here(start="auto")
    waits = []
    for _ in range(6):
        with pytest.raises(Unavailable) as refused:
            await within(collect(provider.chat(chat(HELLO))), 60)
        waits.append(refused.value.code)
    assert waits[-1] == "engine_crashed"
    assert len(program.starts()) == 4, "its budget of restarts"


async def test_one_that_answers_too_late(
    here: MakeHere, program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "READY_SECONDS", 0.5)
    program.behave(late=600)
    provider = await here()
    with pytest.raises(Unavailable) as refused:
        await within(provider.start_engine())
    assert refused.value.code == "engine_not_ready"
    assert "smaller model" not in (refused.value.fix or "")
    (start,) = program.starts()
    await until(lambda: not psutil.pid_exists(start.pid))


async def test_an_old_one_serves_and_says_so(here: MakeHere, program: FakeProgram) -> None:
    program.behave(version="0.12.5")
    provider = await here()
    await within(provider.start_engine())
    health = await provider.health()
    assert (health.status, health.version) == (ProviderStatus.DEGRADED, "0.12.5")
    assert health.reason is not None and health.reason.code == "ollama_too_old"


async def test_one_that_is_killed_comes_back_at_the_next_request(
    here: MakeHere, program: FakeProgram
) -> None:
    provider = await here()
    await within(provider.start_engine())
    assert await collect(provider.chat(chat(HELLO)))
    psutil.Process(program.starts()[0].pid).kill()
    await until_dead(provider)
    assert await within(collect(provider.chat(chat(HELLO))))
    assert len(program.starts()) == 2
    (engine,) = await provider.engines()
    assert (engine.state, engine.restarts) == ("running", 1)


async def test_what_was_known_of_another_version_is_forgotten(
    here: MakeHere, program: FakeProgram
) -> None:
    provider = await here()
    await within(provider.start_engine())
    assert (await provider.health()).version == "0.24.0"
    program.behave(version="0.12.5")
    psutil.Process(program.starts()[0].pid).kill()
    await until_dead(provider)
    await within(provider.models(), 30)
    assert provider._version != "0.24.0"


async def until_dead(provider: OllamaProvider) -> None:
    process: EngineProcess | None = provider._own._process
    assert process is not None
    await until(lambda: not process.running)


# What it is started with


async def test_it_listens_on_loopback_whatever_the_environment_says(
    here: MakeHere, program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "0.0.0.0:9999")
    monkeypatch.setenv("OLLAMA_API_KEY", "secret")
    monkeypatch.setenv("OLLAMA_MODELS", "/some/models")
    provider = await here()
    await within(provider.start_engine())
    (start,) = program.starts()
    assert start.env["OLLAMA_HOST"] == provider.endpoint.removeprefix("http://")
    assert start.env["OLLAMA_MODELS"] == "/some/models"
    assert "OLLAMA_API_KEY" not in start.env


BALANCED = {
    "OLLAMA_CONTEXT_LENGTH": "32768",
    "OLLAMA_NUM_PARALLEL": "2",
    "OLLAMA_MAX_QUEUE": "256",
    "OLLAMA_KV_CACHE_TYPE": "q8_0",
    "OLLAMA_KEEP_ALIVE": "30m",
    "OLLAMA_FLASH_ATTENTION": "1",
}


@pytest.mark.parametrize(
    ("settings", "environment", "wanted"),
    [
        ({}, {}, {}),
        ({"profile": "balanced-12-24gb"}, {}, BALANCED),
        (
            {"profile": "low-vram-8-12gb"},
            {},
            {
                "OLLAMA_CONTEXT_LENGTH": "16384",
                "OLLAMA_NUM_PARALLEL": "1",
                "OLLAMA_MAX_QUEUE": "128",
                "OLLAMA_KV_CACHE_TYPE": "q4_0",
                "OLLAMA_KEEP_ALIVE": "20m",
                "OLLAMA_FLASH_ATTENTION": "1",
            },
        ),
        (
            {"profile": "max-context-24gb-plus"},
            {},
            {
                "OLLAMA_CONTEXT_LENGTH": "65536",
                "OLLAMA_NUM_PARALLEL": "1",
                "OLLAMA_MAX_QUEUE": "128",
                "OLLAMA_KV_CACHE_TYPE": "q8_0",
                "OLLAMA_KEEP_ALIVE": "45m",
                "OLLAMA_FLASH_ATTENTION": "1",
            },
        ),
        (
            {"profile": "balanced-12-24gb", "context_length": 8192, "keep_alive": "-1"},
            {"OLLAMA_NUM_PARALLEL": "7", "OLLAMA_FLASH_ATTENTION": ""},
            {
                **BALANCED,
                "OLLAMA_CONTEXT_LENGTH": "8192",
                "OLLAMA_KEEP_ALIVE": "-1",
                "OLLAMA_NUM_PARALLEL": "7",
            },
        ),
        ({"context_length": 8192}, {}, {"OLLAMA_CONTEXT_LENGTH": "8192"}),
        ({"keep_alive": "90"}, {}, {"OLLAMA_KEEP_ALIVE": "90"}),
    ],
)
async def test_profiles_become_its_environment(
    here: MakeHere,
    program: FakeProgram,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    environment: dict[str, str],
    wanted: dict[str, str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    provider = await here(**settings)
    await within(provider.start_engine())
    found = program.starts()[0].env
    del found["OLLAMA_HOST"]
    assert found == wanted


async def test_what_of_a_profile_cannot_apply_is_said(here: MakeHere, fake: FakeOllama) -> None:
    theirs = await here(base_url=fake.url, profile="low-vram-8-12gb")
    health = await theirs.health()
    assert health.status is ProviderStatus.READY
    assert health.reason is not None and health.reason.code == "ollama_profile_in_part"
    assert "OLLAMA_KV_CACHE_TYPE=q4_0" in (health.reason.fix or "")
    ours = await here(profile="low-vram-8-12gb")
    await within(ours.start_engine())
    assert (await ours.health()).reason is None


@pytest.mark.parametrize(
    ("settings", "context", "kept"),
    [
        ({"profile": "balanced-12-24gb"}, 32_768, "30m"),
        ({"profile": "low-vram-8-12gb", "context_length": 2048}, 2048, "20m"),
        ({"profile": "max-context-24gb-plus", "keep_alive": "0"}, 65_536, 0),
    ],
)
async def test_of_somebody_elses_the_requests_say_what_they_can(
    here: MakeHere, fake: FakeOllama, settings: dict[str, Any], context: int, kept: str | int
) -> None:
    fake.scenario("any_chat")
    provider = await here(base_url=fake.url, **settings)
    await collect(provider.chat(chat(HELLO)))
    (asked,) = [one["body"] for one in fake.requests() if one["path"] == "/api/chat"]
    assert (asked["options"]["num_ctx"], asked["keep_alive"]) == (context, kept)
