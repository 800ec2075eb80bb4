"""Models in use: a transition happens whole or not at all, and outlives the process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.unit.models.stages import Stage, StagedProvider, down
from venom_core.plugins.guarded import SECONDS
from venom_core.sdk.errors import (
    InvalidRequest,
    LlmOff,
    ModelNotCapable,
    ModelNotFound,
    NoDiskSpace,
    NotFound,
    StorageError,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.provider import Model
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.store import in_use
from venom_core.store.audit import Actor, read_audit
from venom_core.store.database import open_database

WHO = Actor("0a1b2c3d", "req-1")


def model(ref: str, **more: Any) -> Model:
    return Model(ref, "folder", **more)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    embedder = model("e", capabilities=frozenset({"embedding"}))
    chats = frozenset({"chat"})
    return Stage(
        tmp_path,
        a=StagedProvider([model("x", capabilities=chats), model("old"), embedder]),
        b=StagedProvider([model("x"), model("only-b")]),
    )


async def active(stage: Stage) -> dict[str, tuple[str, str]]:
    """Return what is active, here and for the next process: they must agree."""
    here, later = await stage.manager.state(), await stage.again().state()
    assert here.active == later.active
    return dict(here.active)


async def test_looking_makes_no_store(stage: Stage) -> None:
    assert (await stage.manager.state()).active == {}
    assert not stage.file.exists()


async def test_a_switch_is_kept_told_and_audited(stage: Stage) -> None:
    first = await stage.manager.use("old", actor=WHO)
    second = await stage.manager.use("b://x", actor=WHO)
    assert (first.before, second.before, second.changed) == (None, "a://old", True)
    assert await active(stage) == {"chat": ("b", "x")}
    assert [event.data["model"] for event in stage.events] == ["old", "x"]
    newest, _ = read_audit(open_database(stage.file))
    assert (newest.subject, newest.key_id, newest.request_id) == ("chat", "0a1b2c3d", "req-1")
    again = await stage.manager.use("b://x", actor=WHO)
    assert not again.changed
    assert len(read_audit(open_database(stage.file))) == 2, "nothing changed, nothing to audit"


async def test_each_role_has_its_own(stage: Stage) -> None:
    await stage.manager.use("old", actor=WHO)
    await stage.manager.use("e", role="embedding", actor=WHO)
    await stage.manager.use("only-b", role="translation", actor=WHO)
    assert set(await active(stage)) == {"chat", "embedding", "translation"}
    embedding = await stage.manager.active("embedding")
    assert embedding is not None
    assert embedding.reference == "a://e"
    assert await stage.manager.deactivate("embedding", WHO) == "a://e"
    assert await stage.manager.active("embedding") is None
    assert await stage.manager.deactivate("embedding", WHO) is None


async def test_the_active_model_of_a_name_wins_at_once(stage: Stage) -> None:
    assert (await stage.registry.resolve("x")).reference == "a://x"
    await stage.manager.use("b://x", actor=WHO)
    assert (await stage.registry.resolve("x")).reference == "b://x"


REFUSED: list[tuple[str, dict[str, Any], type[VenomError]]] = [
    ("ghost", {}, ModelNotFound),
    ("ghost://x", {}, NotFound),
    ("e", {}, ModelNotCapable),
    ("old", {"role": "embedding", "runtime": "b"}, InvalidRequest),
    ("only-b", {"runtime": "a"}, InvalidRequest),
    ("b://x", {"runtime": "a"}, InvalidRequest),
    ("x", {"runtime": "ghost"}, InvalidRequest),
    ("a\nb", {}, InvalidRequest),
]


@pytest.mark.parametrize(("name", "more", "error"), REFUSED)
async def test_a_refusal_leaves_what_was_active(
    stage: Stage, name: str, more: dict[str, Any], error: type[VenomError]
) -> None:
    await stage.manager.use("old", actor=WHO)
    with pytest.raises(error):
        await stage.manager.use(name, actor=WHO, **more)
    assert await active(stage) == {"chat": ("a", "old")}
    assert len(stage.events) == 1


async def test_a_runtime_decides_who_serves_the_name(stage: Stage) -> None:
    switch = await stage.manager.use("x", runtime="b", actor=WHO)
    assert switch.item.reference == "b://x"


async def test_a_provider_that_is_down_is_not_switched_to(stage: Stage) -> None:
    await stage.manager.use("old", actor=WHO)
    stage.providers["b"].health = down()
    with pytest.raises(Unavailable) as raised:
        await stage.manager.use("only-b", actor=WHO)
    assert (raised.value.code, raised.value.fix) == ("a_down", "Start it.")
    assert await active(stage) == {"chat": ("a", "old")}


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Unavailable("No."), Unavailable), (KeyError("own"), UpstreamError),
     (SystemExit(3), UpstreamError), (None, UpstreamTimeout)],
)  # fmt: skip
async def test_what_cannot_be_loaded_does_not_become_active(
    stage: Stage, fault: BaseException | None, error: type[VenomError]
) -> None:
    await stage.manager.use("old", actor=WHO)
    provider = stage.providers["b"]
    if fault is None:
        provider.hangs.add("load")
    else:
        provider.faults["load"] = fault
    with pytest.raises(error):
        await stage.manager.use("only-b", load=True, actor=WHO)
    assert await active(stage) == {"chat": ("a", "old")}


async def test_what_cannot_be_stored_is_not_active_and_leaves_the_memory(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.manager.use("old", actor=WHO)

    def full(*_: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(in_use, "write_audit", full)
    with pytest.raises(StorageError):
        await stage.manager.use("only-b", load=True, actor=WHO)
    assert await active(stage) == {"chat": ("a", "old")}
    assert stage.providers["b"].memory == []


async def test_loading_where_asked_and_possible(stage: Stage) -> None:
    assert (await stage.manager.use("old", load=True, actor=WHO)).loaded
    assert stage.providers["a"].memory == ["old"]
    stage.providers["b"].capabilities -= {Capability.LOAD}
    switch = await stage.manager.use("only-b", load=True, actor=WHO)
    assert (switch.loaded, switch.changed) == (False, True)
    stage.allowed = False
    with pytest.raises(LlmOff):
        await stage.manager.use("old", load=True, actor=WHO)


async def test_switches_at_once_end_in_one_of_them(stage: Stage) -> None:
    names = ["a://x", "b://x", "only-b", "old"] * 3
    switches = await asyncio.gather(*(stage.manager.use(name, actor=WHO) for name in names))
    last = {("a", "old")}
    assert set((await active(stage)).values()) == last
    befores = [one.before for one in switches]
    assert befores == [None, *(one.item.reference for one in switches[:-1])], "one after another"


async def test_a_caller_who_leaves_does_not_split_memory_and_store(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.manager.use("old", actor=WHO)
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    write = in_use.write_audit

    def slow(*args: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        import time

        time.sleep(0.2)
        write(*args)

    monkeypatch.setattr(in_use, "write_audit", slow)
    task = asyncio.create_task(stage.manager.use("only-b", actor=WHO))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await stage.manager.close()
    assert await active(stage) == {"chat": ("b", "only-b")}


async def test_an_active_model_that_is_gone_is_said(stage: Stage) -> None:
    await stage.manager.use("old", actor=WHO)
    stage.providers["a"].stock = [model("x")]
    stage.registry.forget("a")
    with pytest.raises(ModelNotFound) as raised:
        await stage.manager.active("chat")
    assert raised.value.code == "active_model_gone"
    assert "a://old" in raised.value.message


async def test_the_active_model_is_not_removed(stage: Stage) -> None:
    await stage.manager.use("old", actor=WHO)
    await stage.manager.use("old", role="translation", actor=WHO)
    with pytest.raises(InvalidRequest) as raised:
        await stage.manager.check_removable(await stage.registry.resolve("old"))
    assert raised.value.code == "model_active"
    assert "chat, translation" in raised.value.message
    await stage.manager.check_removable(await stage.registry.resolve("b://x"))


async def test_overrides_are_kept_checked_and_forgotten(stage: Stage) -> None:
    item = await stage.registry.resolve("old")
    assert await stage.manager.overrides(item) == {}
    kept = await stage.manager.configure(item, {"temperature": 0.2, "max_tokens": None}, WHO)
    assert kept == {"temperature": 0.2}
    assert await stage.manager.overrides(item) == {"temperature": 0.2}
    with pytest.raises(InvalidRequest):
        await stage.manager.configure(item, {"temperature": float("nan")}, WHO)
    with pytest.raises(InvalidRequest, match="top_p"):
        await stage.manager.configure(item, {"top_p": 0.5}, WHO)
    assert await stage.again().overrides(item) == {"temperature": 0.2}
    assert await stage.manager.overrides(await stage.registry.resolve("b://x")) == {}
    await stage.manager.configure(item, {}, WHO)
    await stage.manager.configure(item, {}, WHO)
    assert await stage.again().overrides(item) == {}
    actions = [entry.action for entry in read_audit(open_database(stage.file))]
    assert actions == ["model.configure", "model.configure"]


async def test_aliases(stage: Stage) -> None:
    await stage.manager.set_alias("fast", "b://x", WHO)
    await stage.manager.set_alias("best", "fast", WHO)
    await stage.manager.set_alias("x", "only-b", WHO)
    assert (await stage.registry.resolve("best")).reference == "b://x"
    assert (await stage.registry.resolve("x")).reference == "b://only-b", "an alias comes first"
    assert (await stage.registry.resolve("a://x")).reference == "a://x"
    assert await stage.manager.remove_alias("best", WHO) == "fast"
    with pytest.raises(NotFound) as raised:
        await stage.manager.remove_alias("best", WHO)
    assert raised.value.code == "alias_not_found"
    assert (await stage.again().state()).aliases == {"fast": "b://x", "x": "only-b"}


@pytest.mark.parametrize(
    ("name", "target", "code"),
    [("loop", "loop", "alias_loop"), ("fast", "best", "alias_loop"),
     ("a://x", "b://x", "invalid_alias"), ("n" * 101, "x", "invalid_alias"),
     ("a b", "x", "invalid_model_name"), ("ok", "x\ny", "invalid_model_name"),
     ("", "x", "invalid_model_name"), ("ok\n", "x", "invalid_model_name")],
)  # fmt: skip
async def test_an_alias_that_leads_nowhere_good_is_refused(
    stage: Stage, name: str, target: str, code: str
) -> None:
    await stage.manager.set_alias("best", "fast", WHO)
    with pytest.raises(InvalidRequest) as raised:
        await stage.manager.set_alias(name, target, WHO)
    assert raised.value.code == code
    assert (await stage.again().state()).aliases == {"best": "fast"}


async def test_the_disk_limit_is_over_all_models(tmp_path: Path) -> None:
    shared = model("one", size_bytes=400, digest="sha256:1")
    stage = Stage(
        tmp_path, 1000,
        a=StagedProvider([shared, model("two", size_bytes=100)]),
        b=StagedProvider([model("same", size_bytes=400, digest="sha256:1"),
                          model("offered", size_bytes=10**9, installed=False)]),
    )  # fmt: skip
    assert stage.manager.disk_bytes() is None, "nobody was asked yet"
    await stage.manager.check_disk_limit(500)
    assert stage.manager.disk_bytes() == 500, "a file that two providers list counts once"
    with pytest.raises(NoDiskSpace) as raised:
        await stage.manager.check_disk_limit(501)
    assert (raised.value.code, raised.value.status) == ("disk_limit", 400)


async def test_unloading_all_asks_each_and_says_who_failed(stage: Stage) -> None:
    stage.providers["c"] = StagedProvider(faults={"ps": Unavailable("Down.", code="c_down")})
    stage.providers["d"] = StagedProvider(capabilities=frozenset())
    stage.providers["a"].memory = ["x", "old"]
    stage.providers["b"].memory = ["x"]
    stage.providers["b"].faults["unload"] = KeyError("its own")
    gone, faults = await stage.manager.memory.unload_all()
    assert gone == ["a://old", "a://x"]
    assert {name: fault.code for name, fault in faults.items()} == {"b": "upstream_error"}
    assert stage.providers["d"].asked == []


async def test_one_that_hangs_keeps_no_other_from_unloading(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SECONDS, "ps", 0.05)
    stage.providers["a"].hangs.add("ps")
    stage.providers["b"].memory = ["x"]
    gone, faults = await stage.manager.memory.unload_all()
    assert gone == ["b://x"]
    assert faults["a"].code == "upstream_timeout"
    assert [one.reference for one in await stage.manager.memory.loaded()] == []


async def test_what_was_active_already_is_no_news(stage: Stage) -> None:
    for _ in range(2):
        await stage.manager.use("old", actor=WHO)
    assert [event.name for event in stage.events] == ["model.activated"]


async def test_a_provider_with_a_caveat_may_be_used(stage: Stage) -> None:
    stage.providers["a"].health = Health(ProviderStatus.DEGRADED, Reason("a_slow", "It is slow."))
    await stage.manager.use("old", actor=WHO)
    assert await active(stage) == {"chat": ("a", "old")}


@pytest.mark.parametrize("before", [True, False])
async def test_a_model_that_cannot_become_active_leaves_memory_as_it_was(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """It is taken out again where this loaded it, and stays where it was in memory before."""
    stage.providers["a"].stock = [model("old", loaded=before)]

    def full(*_: Any) -> None:
        raise StorageError("The disk is full.", code="disk_full")

    monkeypatch.setattr(in_use, "write_audit", full)
    with pytest.raises(StorageError):
        await stage.manager.use("old", load=True, actor=WHO)
    assert stage.providers["a"].memory == (["old"] if before else [])
