"""Environments of engines: made, stopped, mended, removed; pip is played."""

from __future__ import annotations

import asyncio
import platform
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.made_environments import PlayedPip, file_of
from venom_core.installing import environments as module
from venom_core.installing import planned
from venom_core.installing.environments import (
    EnvironmentInstaller,
    environments_of,
    find_environment,
    wheels_of,
)
from venom_core.plugins.validation import BadSpec, providers_of
from venom_core.sdk.environments import Environment
from venom_core.sdk.errors import Conflict, NoDiskSpace, NotFound, VenomError
from venom_core.sdk.pip import InstallFailed, NoSpaceToInstall
from venom_core.sdk.provider import BuildProgress
from venom_core.sdk.spec import EngineEnvironment
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import ENVIRONMENT, venom_providers


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> PlayedPip:
    played = PlayedPip()
    monkeypatch.setattr(module, "Pip", played)
    monkeypatch.setattr(planned, "_size", lambda package: int(package.url.rpartition("?")[2]))
    return played


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(ENVIRONMENT, tmp_path / "data")


@pytest.fixture
def installer(environment: Environment, pip: PlayedPip) -> EnvironmentInstaller:
    return EnvironmentInstaller(environment)


async def made(installer: EnvironmentInstaller) -> list[BuildProgress]:
    installer.check()
    plan = installer.plan()
    return [step async for step in installer.install(plan)]


async def stopped(
    installer: EnvironmentInstaller, pip: PlayedPip, at: str, *, any_size: bool = False
) -> None:
    """Begin, and end it once pip is asked for this."""
    pip.stops_at = at
    pip.calls.clear()
    installer.check()
    plan = installer.plan(any_size=any_size)

    async def run() -> None:
        async for _ in installer.install(plan):
            pass

    task = asyncio.create_task(run())
    async with asyncio.timeout(patience(20)):
        while at not in pip.calls:  # noqa: ASYNC110 -- played in a thread
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    pip.stops_at = None


def left(environment: Environment) -> list[str]:
    there = environment.folder.parent.iterdir()
    return sorted(path.name for path in there if not path.name.endswith(".lock"))


async def test_it_is_made_and_can_be_used(
    installer: EnvironmentInstaller, environment: Environment
) -> None:
    assert environment.state() == "missing"
    steps = await made(installer)
    percents = [step.percent for step in steps]
    assert percents == sorted(percents) and steps[-1].status == "completed"
    assert environment.state() == "ready" and await installer.fault() is None
    record = environment.record()
    assert record is not None and record["installed"] == ["acme-engine==1.0"]
    assert record["size_bytes"] > 0
    assert left(environment) == ["scripted-tools"]


@pytest.mark.parametrize("at", ["fetch", "unpack"])
async def test_one_that_was_stopped_is_not_used_and_goes_on(
    installer: EnvironmentInstaller, environment: Environment, pip: PlayedPip, at: str
) -> None:
    await stopped(installer, pip, at)
    assert environment.state() == "missing" and left(environment) == [".scripted-tools.wheels"]
    pip.calls.clear()
    await made(installer)
    assert "acme-engine" not in pip.calls  # what had come is not fetched again
    assert environment.state() == "ready"


async def test_mending_that_was_stopped_keeps_what_came_and_uses_nothing_old(
    installer: EnvironmentInstaller, environment: Environment, pip: PlayedPip
) -> None:
    await made(installer)
    await stopped(installer, pip, "fetch")
    assert environment.state() == "missing" and left(environment) == [".scripted-tools.wheels"]


async def test_what_came_whole_is_kept_and_what_was_on_its_way_is_fetched(
    installer: EnvironmentInstaller, environment: Environment, pip: PlayedPip
) -> None:
    pip.sizes = {"small": 10, "acme-engine": 20, "large": 20_000_000, "largest": 30_000_000}
    plan = installer.plan(any_size=True)
    names = [[one.name for one in portion] for portion in plan.portions()]
    assert names == [["largest"], ["large"], ["acme-engine", "small"]]
    pip.calls.clear()
    await stopped(installer, pip, "large", any_size=True)
    assert pip.calls == ["resolve", "fetch", "largest", "fetch", "large"]
    large = wheels_of(environment) / file_of("large")
    await asyncio.to_thread(large.write_bytes, b"half of it")
    pip.calls.clear()
    assert [step async for step in installer.install(plan)][-1].status == "completed"
    assert pip.calls == ["fetch", "large", "fetch", "acme-engine", "small", "unpack"]


async def test_one_whose_making_was_killed_is_not_used_and_made_anew(
    installer: EnvironmentInstaller, environment: Environment
) -> None:
    await made(installer)
    installer.unfinish()
    (environment.folder / "half").touch()
    assert environment.state() == "unfinished"
    await made(installer)
    assert environment.state() == "ready" and not (environment.folder / "half").exists()


async def test_other_packages_than_declared_now_are_outdated(
    installer: EnvironmentInstaller, environment: Environment
) -> None:
    await made(installer)
    newer = replace(ENVIRONMENT, packages=("acme-engine==2.0",))
    assert Environment(newer, environment.folder.parents[1]).state() == "outdated"


@pytest.mark.parametrize("module", ["raise RuntimeError('no card')", None])
async def test_what_does_not_work_is_said_and_not_kept(
    installer: EnvironmentInstaller, environment: Environment, pip: PlayedPip, module: str | None
) -> None:
    pip.module = module
    with pytest.raises(InstallFailed) as raised:
        await made(installer)
    assert raised.value.code == "install_failed"
    assert ("no card" if module else "acme_engine") in raised.value.output
    assert environment.state() == "missing"


async def test_damage_is_found_by_trying(
    installer: EnvironmentInstaller, environment: Environment
) -> None:
    await made(installer)
    for file in environment.folder.glob("lib/python*/site-packages/acme_engine.py"):
        file.write_text("import gone")
    said = await installer.fault()
    assert said is not None and "gone" in said
    environment.python.unlink()
    assert environment.state() == "unfinished" and await installer.fault()


async def test_a_disk_that_becomes_full_leaves_nothing_that_is_used(
    installer: EnvironmentInstaller, environment: Environment, pip: PlayedPip
) -> None:
    pip.fails_at = "unpack"
    pip.failure = NoSpaceToInstall("Full.", fix="Make room.", code="disk_full", output="")
    with pytest.raises(NoDiskSpace):
        await made(installer)
    assert environment.state() == "missing" and left(environment) == [".scripted-tools.wheels"]


REFUSED: dict[str, tuple[EngineEnvironment, str]] = {
    "another machine": (
        replace(ENVIRONMENT, platforms=("plan9-mips",)), "environment_not_available",
    ),
    "no room": (replace(ENVIRONMENT, disk_bytes=1 << 50), "disk_full"),
    "no card": (replace(ENVIRONMENT, card="nvidia"), "no_graphics_card"),
    "too little memory": (replace(ENVIRONMENT, memory_bytes=1 << 50), "too_little_memory"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_before_pip_is_asked(
    tmp_path: Path, pip: PlayedPip, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setattr(module, "has_nvidia", lambda: False)
    declared, code = REFUSED[case]
    with pytest.raises(VenomError) as raised:
        EnvironmentInstaller(Environment(declared, tmp_path)).check()
    assert (raised.value.code, bool(raised.value.fix), pip.calls) == (code, True, [])


def test_this_machine_is_named_as_it_names_itself(
    tmp_path: Path, pip: PlayedPip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.sys, "platform", "win32")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    declared = replace(ENVIRONMENT, platforms=("win32-amd64",))
    EnvironmentInstaller(Environment(declared, tmp_path)).check()


def test_a_machine_with_a_card_and_one_without_get_what_is_of_use(
    tmp_path: Path, pip: PlayedPip, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = EnvironmentInstaller(Environment(replace(ENVIRONMENT, card="nvidia"), tmp_path))
    monkeypatch.setattr(module, "has_nvidia", lambda: True)
    installer.check()
    monkeypatch.setattr(module, "has_nvidia", lambda: False)
    with pytest.raises(VenomError) as raised:
        installer.check()
    assert "venom engines install scripted-tools --cpu" in str(raised.value.fix)


def test_the_memory_that_is_wanted_and_that_is_there_are_told(
    tmp_path: Path, pip: PlayedPip
) -> None:
    declared = replace(ENVIRONMENT, memory_bytes=900_000_000_000_000)
    with pytest.raises(VenomError, match=r"has \d+\.\d GB of memory; .* needs 900000\.0 GB"):
        EnvironmentInstaller(Environment(declared, tmp_path)).check()


async def test_what_is_excluded_is_neither_planned_nor_fetched(
    tmp_path: Path, pip: PlayedPip
) -> None:
    pip.sizes = {"acme-engine": 1000, "acme-vision": 2000}
    environment = Environment(replace(ENVIRONMENT, excludes=("Acme_Vision",)), tmp_path)
    await made(EnvironmentInstaller(environment))
    record = environment.record()
    assert record is not None and record["installed"] == ["acme-engine==1.0"]
    assert "acme-vision" not in pip.calls and "acme-engine" in pip.calls


async def test_far_more_than_was_said_is_asked_for_by_name(
    installer: EnvironmentInstaller, pip: PlayedPip
) -> None:
    pip.sizes["acme-engine"] = 2 * ENVIRONMENT.download_bytes + 1
    with pytest.raises(Conflict) as raised:
        installer.plan()
    assert raised.value.code == "environment_too_large" and "--any-size" in str(raised.value.fix)
    assert installer.plan(any_size=True).size_bytes == pip.sizes["acme-engine"]


def test_an_index_without_the_packages_is_said_in_true_words(
    installer: EnvironmentInstaller, pip: PlayedPip
) -> None:
    pip.fails_at = "resolve"
    pip.failure = InstallFailed("None.", fix="Set it.", code="plugin_not_available", output="pip")
    with pytest.raises(InstallFailed) as raised:
        installer.plan()
    assert (raised.value.code, raised.value.output) == ("environment_not_available", "pip")
    assert "WHEELHOUSE" not in str(raised.value.fix)


def test_one_at_a_time_works_on_it(environment: Environment) -> None:
    waiting, ended = threading.Event(), threading.Event()

    def second() -> None:
        with environment.held(wait=waiting.set):
            ended.set()

    thread = threading.Thread(target=second)
    with environment.held():
        with pytest.raises(Conflict) as raised, environment.held():
            pass
        thread.start()
        assert waiting.wait(patience(10)) and not ended.is_set()
    thread.join(patience(10))
    assert ended.is_set() and raised.value.code == "environment_busy"


async def test_it_is_removed_with_all_that_was_fetched(
    installer: EnvironmentInstaller, environment: Environment, pip: PlayedPip
) -> None:
    await made(installer)
    wheels_of(environment).mkdir()
    installer.remove()
    installer.remove()
    assert environment.state() == "missing" and left(environment) == []


async def test_what_cannot_be_removed_is_not_used_any_more(
    installer: EnvironmentInstaller, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(installer)

    def refuse(_folder: Path) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(VenomError):
        installer.remove()
    assert environment.state() == "unfinished"


def test_they_are_found_by_name(tmp_path: Path) -> None:
    paths = Paths.at(tmp_path)
    (spec,) = venom_providers()
    found = environments_of({"scripted": spec}, paths)
    folder = find_environment(found, "scripted-tools").folder
    assert folder == tmp_path / "providers/scripted/environments/scripted-tools"
    for name, fix in (("x\n", "scripted-tools"), ("onnx-build", "venom plugins install onnx")):
        with pytest.raises(NotFound) as raised:
            find_environment(found, name)
        assert raised.value.code == "environment_not_found" and fix in str(raised.value.fix)


FAULTS: dict[str, Callable[[EngineEnvironment], object]] = {
    "no tuple": lambda one: [one],
    "another type": lambda one: (one.name,),
    "another's name": lambda one: (replace(one, name="onnx-build"),),
    "a path": lambda one: (replace(one, name="../x"),),
    "no title": lambda one: (replace(one, title=""),),
    "an option": lambda one: (replace(one, packages=("--index-url=http://x",)),),
    "no version": lambda one: (replace(one, packages=("acme",)),),
    "a range": lambda one: (replace(one, packages=("acme>=1",)),),
    "an address": lambda one: (replace(one, packages=("acme @ http://x/y.whl",)),),
    "a line more": lambda one: (replace(one, packages=("acme==1\nevil==2",)),),
    "no packages": lambda one: (replace(one, packages=()),),
    "code for a module": lambda one: (replace(one, modules=("os; os.abort()",)),),
    "no size": lambda one: (replace(one, disk_bytes=0),),
    "a size that is text": lambda one: (replace(one, download_bytes="9"),),  # type: ignore[arg-type]
    "a platform": lambda one: (replace(one, platforms=("everywhere",)),),
    "an excluded path": lambda one: (replace(one, excludes=("../x",)),),
    "an excluded version": lambda one: (replace(one, excludes=("acme==1",)),),
    "a card of nobody's": lambda one: (replace(one, card="acme"),),  # type: ignore[arg-type]
    "a card and nothing without": lambda one: (replace(one, card="nvidia"),),
    "memory that is text": lambda one: (replace(one, memory_bytes="9"),),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_declaration_that_cannot_be_is_refused(case: str) -> None:
    (spec,) = venom_providers()
    faulty = replace(spec, environments=FAULTS[case](ENVIRONMENT))  # type: ignore[arg-type]
    with pytest.raises(BadSpec, match="environment"):
        providers_of([faulty], "scripted", "venom-scripted")
    assert providers_of([spec], "scripted", "venom-scripted") == (spec,)


def test_one_that_needs_a_card_has_one_beside_it_that_needs_none() -> None:
    (spec,) = venom_providers()
    card = replace(ENVIRONMENT, card="nvidia", excludes=("acme-vision",), memory_bytes=1)
    both = (card, replace(ENVIRONMENT, name="scripted-tools-cpu"))
    assert providers_of([replace(spec, environments=both)], "scripted", "venom-scripted")
