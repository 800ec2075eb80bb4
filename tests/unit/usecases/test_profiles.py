"""Switching profiles while Venom runs: all of it or nothing, and no answer is lost."""

from __future__ import annotations

import asyncio
import contextlib
import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests import held_plugin
from tests.held_plugin import MODEL, Held
from venom_core.chat.service import ChatCall
from venom_core.chat.stream import ChatStream
from venom_core.composition import Venom
from venom_core.sdk.errors import Conflict, LlmOff, NotFound, StorageError, Unavailable
from venom_core.sdk.frames import FrameKind
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.audit import Actor
from venom_core.testing.deadlines import patience, until, within
from venom_core.testing.staging import entry, venom_over

WHO = Actor.local()
HELD_PLUGIN = entry("tests.held_plugin", "vllm")
NO_SUCH_VARIABLE: dict[str, str] = {}


class Watched:
    """The events of the core, as an observer gets them."""

    def __init__(self) -> None:
        self.events: list[ObservedEvent] = []

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        self.events.append(event)

    def switches(self) -> list[tuple[str, str, bool]]:
        found = [one.data for one in self.events if one.name == "profile.switched"]
        return [(data["before"], data["profile"], data["success"]) for data in found]


class Place:
    """One data directory, and the Venoms over it."""

    def __init__(self, home: Path) -> None:
        self.paths = Paths.at(home)
        self.watched = Watched()

    def venom(self, **env: str) -> Venom:
        venom = venom_over(Settings.load(self.paths, env), [HELD_PLUGIN])
        venom.host.add_observer("test", self.watched)
        return venom

    @contextlib.asynccontextmanager
    async def started(self, **env: str) -> AsyncIterator[Venom]:
        venom = self.venom(**env)
        await venom.start()
        try:
            yield venom
        finally:
            await venom.close()

    def write(self, text: str) -> None:
        self.paths.make(self.paths.home)
        self.paths.config_file.write_text(text)

    def kept(self) -> str | None:
        """The profile in the file."""
        if not self.paths.config_file.exists():
            return None
        found = tomllib.loads(self.paths.config_file.read_text())
        return found.get("runtime", {}).get("profile")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home")


@pytest.fixture(autouse=True)
def held() -> Held:
    return held_plugin.reset()


async def opened(venom: Venom, number: int = 0) -> ChatStream:
    body = {"messages": [{"role": "user", "content": "x"}]}
    return await venom.chat.open(ChatCall(f"vllm://{MODEL}", body, f"r{number}", stream=True))


async def read(stream: ChatStream) -> tuple[int, bool]:
    """The deltas of an answer, and whether it came to its end."""
    deltas, ended = 0, False
    async for frame in stream.frames():
        deltas += FrameKind.DELTA in frame.kind
        ended = ended or FrameKind.FINISH in frame.kind
    return deltas, ended


async def audited(venom: Venom) -> list[tuple[Any, Any]]:
    page = await venom.journal.page(50)
    return [(e["before"], e["after"]) for e in page["entries"] if e["action"] == "profile.switch"]


async def test_a_switch_counts_at_once_is_kept_recorded_and_told(place: Place) -> None:
    place.write("# mine\n[server]\nport = 0 # any\n")
    async with place.started() as venom:
        done = await venom.profiles.switch("beast", WHO)
        assert (done["success"], done["profile"], done["before"]) == (True, "full", "light")
        assert (done["changed"], done["until_restart"]) == (True, False)
        assert (venom.profile.name, place.kept()) == ("full", "full")
        assert await venom.host.provider("vllm")
        assert await audited(venom) == [
            ({"profile": "light"}, {"profile": "full", "until_restart": False})
        ]
        await until(place.watched.switches)
        assert place.watched.switches() == [("light", "full", True)]
    assert "# mine" in place.paths.config_file.read_text(), "comments stay"
    async with place.started() as again:
        assert again.profile.name == "full"


async def test_the_second_time_changes_nothing_and_is_a_success(place: Place) -> None:
    async with place.started() as venom:
        assert (await venom.profiles.switch("llm_off", WHO))["changed"]
        again = await venom.profiles.switch("api", WHO)
        assert (again["success"], again["changed"]) == (True, False)
        assert again["message"] == "The profile llm_off is active already."
        assert len(await audited(venom)) == 1
        await until(place.watched.switches)
        assert len(place.watched.switches()) == 1


async def test_an_unknown_profile(place: Place) -> None:
    async with place.started() as venom:
        with pytest.raises(NotFound) as caught:
            await venom.profiles.switch("dark", WHO)
        assert (caught.value.code, caught.value.status) == ("unknown_profile", 404)
        assert (venom.profile.name, place.kept()) == ("light", None)


async def test_a_switch_during_a_switch_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.started() as venom:
        record, go = venom.journal.record_audit, asyncio.Event()

        async def slow(*arguments: Any) -> None:
            await go.wait()
            await record(*arguments)

        monkeypatch.setattr(venom.journal, "record_audit", slow)
        first = asyncio.create_task(venom.profiles.switch("full", WHO))
        await until(lambda: place.kept() == "full")
        assert (await venom.profiles.listing())["switching"] == "full"
        second = asyncio.create_task(venom.profiles.switch("llm_off", WHO))
        await asyncio.wait({second}, timeout=patience(5))
        go.set()
        with pytest.raises(Conflict) as caught:
            await second
        assert (caught.value.code, caught.value.retry_after) == ("profile_switching", 1)
        assert (await within(first))["profile"] == "full"
        assert (await venom.profiles.switch("llm_off", WHO))["profile"] == "llm_off"


async def test_the_setting_is_followed_behind_a_switch(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.started() as venom:
        record, go = venom.journal.record_audit, asyncio.Event()

        async def slow(actor: Actor, action: str, *more: Any) -> None:
            if action == "profile.switch":
                await go.wait()
            await record(actor, action, *more)

        monkeypatch.setattr(venom.journal, "record_audit", slow)
        first = asyncio.create_task(venom.profiles.switch("full", WHO))
        await until(lambda: place.kept() == "full")
        wanted = {"VENOM_RUNTIME_PROFILE": "llm_off"}
        second = asyncio.create_task(venom.configuration.change(wanted, WHO))
        await until(lambda: place.kept() == "llm_off")
        assert not second.done()
        go.set()
        assert (await within(first))["profile"] == "full"
        assert (await within(second))["changed_keys"] == ["VENOM_RUNTIME_PROFILE"]
        assert venom.profile.name == place.kept() == "llm_off"


def break_record(venom: Venom, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    async def fails(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(venom.journal, "record_audit", fails)


def break_file(venom: Venom, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fails(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(venom.settings, "change", fails)


@pytest.mark.parametrize("breaks", [break_file, break_record])
@pytest.mark.parametrize("before", [None, "llm_off", "beast"])
@pytest.mark.parametrize("error", [StorageError("The disk is full."), ZeroDivisionError("x")])
async def test_where_a_step_fails_everything_is_as_before(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[Venom, pytest.MonkeyPatch, BaseException], None],
    before: str | None,
    error: Exception,
) -> None:
    if before is not None:
        place.write(f'[runtime]\nprofile = "{before}"\n')
    target = "light" if before else "full"
    async with place.started() as venom:
        was = (venom.profile.name, list(venom.profile.excludes))
        breaks(venom, monkeypatch, error)
        with pytest.raises(type(error)):
            await venom.profiles.switch(target, WHO)
        assert (venom.profile.name, list(venom.profile.excludes)) == was
        assert place.kept() == before, "as it was written, an alias too"
        listed = await venom.profiles.listing()
        assert (listed["active"], listed["switching"]) == (was[0], None)
        allowed = "vllm" not in was[1]
        assert (await venom.host.health("vllm")).status.label == "ready" if allowed else "disabled"
        await until(place.watched.switches)
        assert [ok for *_, ok in place.watched.switches()] == [False]


async def test_who_asked_may_leave_and_the_switch_is_whole(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.started() as venom:
        change, entered, go = venom.settings.change, asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(updates: Any) -> Any:
            loop.call_soon_threadsafe(entered.set)
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
            return change(updates)

        monkeypatch.setattr(venom.settings, "change", slow)
        asked = asyncio.create_task(venom.profiles.switch("full", WHO))
        await within(entered.wait())
        asked.cancel()
        await asyncio.wait({asked})
        go.set()
        await until(lambda: venom.profiles._switching is None)
        assert (venom.profile.name, place.kept()) == ("full", "full")
        assert len(await audited(venom)) == 1


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"VENOM_RUNTIME_PROFILE": "llm_off"}, "VENOM_RUNTIME_PROFILE names llm_off"),
        ({"VENOM_RUNTIME_PROFILE": "cloud"}, "VENOM_RUNTIME_PROFILE names llm_off"),
    ],
)
async def test_over_one_of_the_environment_it_holds_until_restart(
    place: Place, env: dict[str, str], says: str
) -> None:
    place.write('[runtime]\nprofile = "light"\n')
    async with place.started(**env) as venom:
        done = await venom.profiles.switch("full", WHO)
        assert (done["success"], done["until_restart"]) == (True, True)
        assert "until Venom is started again" in done["message"] and says in done["message"]
        assert (venom.profile.name, place.kept()) == ("full", "light"), "the file is not touched"
        listed = await venom.profiles.listing()
        assert (listed["active"], listed["configured"], listed["until_restart"]) == (
            "full", "llm_off", True,
        )  # fmt: skip
        assert (listed["origin"], listed["fixed_by"]) == ("env", "VENOM_RUNTIME_PROFILE")
        again = await venom.profiles.switch("full", WHO)
        assert (again["changed"], again["until_restart"]) == (False, True)
        back = await venom.profiles.switch("llm_off", WHO)
        assert (back["changed"], back["until_restart"]) == (True, False)
    async with place.started(**env) as again_started:
        assert again_started.profile.name == "llm_off"


async def test_over_one_of_the_command_line_it_holds_until_restart(place: Place) -> None:
    settings = Settings.load(place.paths, {}, {"runtime_profile": "light"})
    venom = venom_over(settings, [HELD_PLUGIN])
    await venom.start()
    try:
        done = await venom.profiles.switch("full", WHO)
        assert done["until_restart"] and "--profile names light" in done["message"]
    finally:
        await venom.close()


async def test_what_could_not_be_kept_is_refused_where_the_process_ends_behind_it(
    place: Place,
) -> None:
    async with place.started(VENOM_RUNTIME_PROFILE="light") as venom:
        with pytest.raises(Conflict) as caught:
            await venom.profiles.switch("full", WHO, lasting=True)
        assert "VENOM_RUNTIME_PROFILE" in f"{caught.value.message} {caught.value.fix}"
        assert (venom.profile.name, place.kept()) == ("light", None)


async def test_a_hundred_answers_come_to_their_end_and_then_the_engine_stops(
    place: Place, held: Held
) -> None:
    async with place.started(VENOM_RUNTIME_PROFILE="full") as venom:
        streams = [await opened(venom, number) for number in range(100)]
        reading = [asyncio.create_task(read(stream)) for stream in streams]
        done = await venom.profiles.switch("light", WHO)
        told = {one["service"]: one["message"] for one in done["results"]}
        assert told["vllm"] == (
            "vllm stops when what it was asked for has ended (100 under way), after 600 s at the"
            " latest."
        )
        with pytest.raises(Unavailable) as caught:
            await opened(venom)
        assert caught.value.code == "profile", "nothing new is begun"
        assert (held.running, held.closed) == (100, [])
        held.go.set()
        assert await within(asyncio.gather(*reading)) == [(2, True)] * 100
        assert held.broken_off == 0
        await until(lambda: held.closed == ["vllm"])


async def test_who_waits_in_the_queue_is_answered_too(place: Place, held: Held) -> None:
    env = {"VENOM_RUNTIME_PROFILE": "full", "VENOM_MAX_CONCURRENT": "1"}
    async with place.started(**env) as venom:
        first = await opened(venom)
        waiting = asyncio.create_task(opened(venom, 1))
        await until(lambda: venom.chat.queues().get("vllm") == (1, 1))
        await venom.profiles.switch("light", WHO)
        reading = asyncio.create_task(read(first))
        held.go.set()
        assert await within(reading) == (2, True)
        assert await within(read(await within(waiting))) == (2, True)
        await until(lambda: held.closed == ["vllm"])


async def test_who_was_let_through_is_waited_for(
    place: Place, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has its provider, and is in no queue yet."""
    async with place.started(VENOM_RUNTIME_PROFILE="full") as venom:
        take, entered, go = venom.quotas.take, asyncio.Event(), asyncio.Event()

        async def slow(key_id: str | None) -> None:
            entered.set()
            await go.wait()
            await take(key_id)

        monkeypatch.setattr(venom.quotas, "take", slow)
        opening = asyncio.create_task(opened(venom))
        await within(entered.wait())
        await venom.profiles.switch("light", WHO)
        assert held.closed == []
        go.set()
        held.go.set()
        assert await within(read(await within(opening))) == (2, True)
        await until(lambda: held.closed == ["vllm"])


async def test_who_was_asked_for_before_models_went_is_refused_behind_it(
    place: Place, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that has passed the first check starts no engine again."""
    async with place.started(VENOM_RUNTIME_PROFILE="full") as venom:
        serving, entered, go = venom.registry.serving, asyncio.Event(), asyncio.Event()

        async def slow(item: Any) -> Any:
            entered.set()
            await go.wait()
            return await serving(item)

        monkeypatch.setattr(venom.registry, "serving", slow)
        opening = asyncio.create_task(opened(venom))
        await within(entered.wait())
        await venom.profiles.switch("llm_off", WHO)
        go.set()
        with pytest.raises(LlmOff):
            await within(opening)
        assert (held.running, held.memory) == (0, set())


async def test_an_answer_that_does_not_end_is_broken_off_at_the_time_that_was_said(
    place: Place, held: Held
) -> None:
    env = {"VENOM_RUNTIME_PROFILE": "full", "VENOM_DRAIN_TIMEOUT": "0"}
    async with place.started(**env) as venom:
        stream = await opened(venom)
        told = (await venom.profiles.switch("light", WHO))["results"]
        assert any("after 0 s at the latest" in one["message"] for one in told)
        await until(lambda: held.closed == ["vllm"])
        await stream.close()


async def test_back_again_before_the_answers_have_ended_nothing_stops(
    place: Place, held: Held
) -> None:
    async with place.started(VENOM_RUNTIME_PROFILE="full") as venom:
        stream = await opened(venom)
        await venom.profiles.switch("light", WHO)
        await venom.profiles.switch("full", WHO)
        held.go.set()
        assert await within(read(stream)) == (2, True)
        assert await within(read(await opened(venom))) == (2, True)
        assert held.closed == []
    assert held.closed == ["vllm"], "with Venom"


async def test_without_models_engines_stop_behind_their_answers_and_nothing_starts_one(
    place: Place, held: Held
) -> None:
    async with place.started(VENOM_RUNTIME_PROFILE="full") as venom:
        stream = await opened(venom)
        await venom.profiles.switch("llm_off", WHO)
        with pytest.raises(LlmOff):
            await opened(venom)
        with pytest.raises(LlmOff):
            await venom.models.load(f"vllm://{MODEL}", WHO)
        assert (held.memory, held.unloaded) == ({MODEL}, [])
        held.go.set()
        assert await within(read(stream)) == (2, True)
        await until(lambda: held.unloaded == [MODEL])
        assert [one["name"] for one in (await venom.models.listing())["models"]] == [MODEL]
        assert held.closed == [], "it is listed on"


async def test_an_idle_engine_has_stopped_when_the_switch_is_told(place: Place, held: Held) -> None:
    async with place.started(VENOM_RUNTIME_PROFILE="full") as venom:
        await venom.models.load(f"vllm://{MODEL}", WHO)
        done = await venom.profiles.switch("llm_off", WHO)
        assert {"service": "vllm", "success": True, "message": "vllm runs no model.",
                "code": None, "fix": None} in done["results"]  # fmt: skip
        assert held.unloaded == [MODEL]


async def test_full_succeeds_and_names_what_is_missing_with_its_fix(place: Place) -> None:
    async with place.started() as venom:
        done = await venom.profiles.switch("full", WHO)
        missing = {one["service"]: one["fix"] for one in done["results"] if not one["success"]}
        assert done["success"]
        assert missing["onnx"] == "venom plugins install onnx"
        assert {"ollama", "llamacpp", "onnx", "hf"} <= missing.keys() and "vllm" not in missing


class TestLegacyLight:
    """The one feature flag: light as it was before it ran Ollama."""

    async def test_off_unless_it_is_set(self, place: Place) -> None:
        async with place.started() as venom:
            assert venom.profile.chat
            assert (await venom.profiles.listing())["profiles"][0]["services"] == [
                "backend", "ui", "ollama"
            ]  # fmt: skip

    @pytest.mark.parametrize("by", ["variable", "file"])
    async def test_on(self, place: Place, by: str) -> None:
        env = {"VENOM_LEGACY_LIGHT": "true"} if by == "variable" else NO_SUCH_VARIABLE
        if by == "file":
            place.write("[features]\nlegacy_light = true\n")
        async with place.started(**env) as venom:
            assert (venom.profile.name, venom.profile.chat) == ("light", False)
            with pytest.raises(LlmOff) as caught:
                await opened(venom)
            assert "The profile light is active" in caught.value.message
            assert "legacy_light" in (caught.value.fix or "")
            assert await venom.runtime.readiness() == [], "nothing is required"
            rows = {one["name"]: one for one in (await venom.profiles.listing())["profiles"]}
            assert rows["light"]["services"] == rows["llm_off"]["services"] == ["backend", "ui"]
            done = await venom.profiles.switch("full", WHO)
            assert done["profile_capabilities"]["uses_local_llm"], "the others are as they are"

    async def test_rolled_back_from_an_older_configuration(self, place: Place) -> None:
        """A file that was written before the setting came is put back over one that has it."""
        older = '[runtime]\nprofile = "privacy"\n'
        place.write(older + "[features]\nlegacy_light = true\n")
        async with place.started() as venom:
            assert not venom.profile.chat
        place.write(older)
        async with place.started() as venom:
            assert (venom.profile.name, venom.profile.chat) == ("light", True)
            assert venom.settings.warnings == []

    async def test_switching_under_it_stops_engines_as_without_models(
        self, place: Place, held: Held
    ) -> None:
        async with place.started(VENOM_LEGACY_LIGHT="1") as venom:
            await venom.profiles.switch("full", WHO)
            await venom.models.load(f"vllm://{MODEL}", WHO)
            await venom.profiles.switch("light", WHO)
            assert held.unloaded == [MODEL]
