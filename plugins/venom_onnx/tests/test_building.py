"""Builds, with a script in the builder's place that does what the source folder says: the real
builder is tried with ``make test-engines``."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.environments import Environment
from venom_core.sdk.errors import Conflict, VenomError
from venom_core.sdk.provider import BuildProgress, BuildRequest
from venom_core.testing.deadlines import patience
from venom_core.testing.onnx import write_decoder
from venom_onnx import build_child, building
from venom_onnx.building import Builder
from venom_onnx.plugin import BUILD_ENVIRONMENT
from venom_onnx.provider import OnnxProvider

#: Does the steps as the builder does, and between them what ``behave.json`` says.
FAKE = """
import json, os, shutil, sys, time
work, precision, provider = sys.argv[1:]
behave = json.load(open(BEHAVE))
model = os.path.join(work, "model")
with open(os.path.join(work, "calls"), "a") as calls: calls.write("started\\n")
seen = {name: open(os.path.join(work, "source", name), "rb").read(9).decode("latin-1")
        for name in os.listdir(os.path.join(work, "source"))}
json.dump(seen, open(os.path.join(os.path.dirname(BEHAVE), "seen.json"), "w"))
if not os.path.isdir(model):
    shutil.rmtree(model + ".part", ignore_errors=True)
    shutil.copytree(behave["result"], model + ".part")
    if behave.get("at") == "model": time.sleep(1000)
    if behave.get("exit"): sys.exit(behave["exit"])
    os.replace(model + ".part", model)
    with open(os.path.join(work, "calls"), "a") as calls: calls.write("made\\n")
if behave.get("at") == "try": time.sleep(1000)
if behave.get("kill"): os.kill(os.getpid(), 9)
open(os.path.join(work, "tried"), "w").close()
"""
EXITS = {
    build_child.NO_SPACE: "disk_full", build_child.NO_MEMORY: "out_of_memory", 137: "out_of_memory",
    build_child.UNSUPPORTED: "model_not_capable", build_child.FAILED: "build_failed",
    build_child.MISSING: "build_environment_damaged",
}  # fmt: skip


def request_of(folder: Path, precision: str = "int8", provider: str = "cpu") -> BuildRequest:
    return BuildRequest("hf://org/tiny", folder, "onnx", precision, provider)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["TinyForCausalLM"]}))
    (folder / "tokenizer.json").write_text("{}")
    header = b'{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"abcd")
    write_decoder(tmp_path / "result", {"?": ["Warsaw"]})
    behave(folder)
    return folder


def behave(source: Path, **how: Any) -> None:
    home = source.parent
    (home / "behave.json").write_text(json.dumps({"result": str(home / "result"), **how}))


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    script = tmp_path / "fake_builder.py"
    script.write_text(f"BEHAVE = {str(tmp_path / 'behave.json')!r}\n{FAKE}")
    monkeypatch.setattr(building, "CHILD", str(script))
    monkeypatch.setattr(building, "POLL_SECONDS", 0.01)
    return make(tmp_path, Path(sys.executable))


def make(home: Path, python: Path | None) -> Builder:
    return Builder(home / "onnx", environment_of(home), python, home / "build.log")


def environment_of(home: Path) -> Environment:
    return Environment(BUILD_ENVIRONMENT, home)


async def built(builder: Builder, request: BuildRequest) -> list[BuildProgress]:
    return [step async for step in builder.build(request)]


def calls(home: Path) -> list[str]:
    (file,) = home.glob("onnx/.building/*/calls")
    return file.read_text().split()


async def stopped_at(builder: Builder, request: BuildRequest, is_there: Callable[[], bool]) -> None:
    """Begin a build, and close it once something is so."""
    steps = builder.build(request)
    task = asyncio.create_task(_all(steps))
    await until(is_there)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await steps.aclose()


async def until(is_there: Callable[[], bool]) -> None:
    async with asyncio.timeout(patience(20)):
        while not await asyncio.to_thread(is_there):  # noqa: ASYNC110 -- a file of another process
            await asyncio.sleep(0.01)


async def _all(steps: Any) -> None:
    async for _ in steps:
        pass


async def test_a_build_from_its_plan_to_its_listing(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    request = request_of(source)
    plan = await builder.plan(request)
    assert (plan.ref, plan.bytes_total) == ("org/tiny-int8", 130)
    steps = await built(builder, request)
    percents = [step.percent for step in steps]
    assert percents == sorted(percents) and steps[-1].status == "completed"
    folder = tmp_path / "onnx/org/tiny-int8"
    assert json.loads((folder / "venom_build.json").read_text()) == {"source": "hf://org/tiny"}
    assert not (tmp_path / "onnx/.building").exists()
    with pytest.raises(Conflict) as refused:
        await builder.plan(request)
    assert refused.value.code == "already_built"


async def test_a_build_that_was_stopped_goes_on_behind_its_steps(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    behave(source, at="try")
    work = tmp_path / "onnx/.building/org--tiny-int8"
    await stopped_at(builder, request_of(source), (work / "model").is_dir)
    assert not (tmp_path / "onnx/org").exists()
    inode = await asyncio.to_thread(lambda: (work / "model/model.onnx").stat().st_ino)
    behave(source)
    await built(builder, request_of(source))
    result = tmp_path / "onnx/org/tiny-int8"
    assert (result / "genai_config.json").is_file()
    # gigabytes get another name, and are not copied
    assert await asyncio.to_thread(lambda: (result / "model.onnx").stat().st_ino) == inode


async def test_what_was_done_is_not_done_again(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    behave(source, kill=True)
    for _ in range(2):
        with pytest.raises(VenomError) as raised:
            await built(builder, request_of(source))
        assert raised.value.code == "out_of_memory"  # who kills it is the system
    assert calls(tmp_path) == ["started", "made", "started"]
    # what was made takes no more room
    plan = await builder.plan(request_of(source))
    assert plan.bytes_here == plan.bytes_total and plan.bytes_to_write == plan.bytes_needed


async def test_another_state_of_the_source_begins_anew(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    behave(source, kill=True)
    with pytest.raises(VenomError):
        await built(builder, request_of(source))
    await asyncio.to_thread((source / "config.json").write_text, '{"architectures": ["Other"]}')
    with pytest.raises(VenomError):
        await built(builder, request_of(source))
    assert calls(tmp_path) == ["started", "made"]


async def test_a_stopped_build_leaves_no_process_and_forgotten_nothing(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    behave(source, at="model")
    work = tmp_path / "onnx/.building/org--tiny-int8"
    await stopped_at(builder, request_of(source), (work / "model.part").is_dir)
    assert await asyncio.to_thread(_running, work) == []
    await builder.forget(request_of(source))
    assert not work.exists()
    await builder.forget(request_of(source))


def _running(work: Path) -> list[Path]:
    told = Path("/proc").glob("[0-9]*/cmdline")
    return [path for path in told if str(work).encode() in _read(path)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("code", EXITS)
async def test_what_an_end_means(builder: Builder, source: Path, tmp_path: Path, code: int) -> None:
    behave(source, exit=code)
    with pytest.raises(VenomError) as raised:
        await built(builder, request_of(source))
    assert raised.value.code == EXITS[code] and raised.value.fix
    assert str(tmp_path) not in str(raised.value.record())
    assert not await asyncio.to_thread(lambda: list(tmp_path.glob("onnx/.building/*/model.part")))


async def test_a_result_that_cannot_be_run_is_not_listed(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    await asyncio.to_thread((tmp_path / "result/tokenizer.json").unlink)
    with pytest.raises(VenomError) as raised:
        await built(builder, request_of(source))
    assert raised.value.code == "model_incomplete"
    assert not (tmp_path / "onnx/org").exists()


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "not_buildable"),
    "no configuration": (lambda folder: (folder / "config.json").unlink(), "not_buildable"),
    "no architecture": (lambda folder: (folder / "config.json").write_text("{}"), "not_buildable"),
    "no JSON": (lambda folder: (folder / "config.json").write_text("{"), "model_damaged"),
    "code of its own": (
        lambda folder: (folder / "config.json").write_text(
            '{"architectures": ["X"], "auto_map": {"AutoModel": "evil.X"}}'
        ),
        "unsafe_model",
    ),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "not_buildable"),
    "code of its tokenizer": (
        lambda folder: (folder / "tokenizer_config.json").write_text('{"auto_map": {"A": "x"}}'),
        "unsafe_model",
    ),
    "a tokenizer that is a link": (
        lambda folder: linked(folder / "tokenizer.json", folder.parent / "behave.json"),
        "unsafe_model",
    ),
    "a tokenizer of absurd length": (
        lambda folder: (folder / "tokenizer.json").write_text("[" * 200), "model_damaged",
    ),
    "weights that are a link": (
        lambda folder: linked(folder / "model.safetensors", folder.parent / "behave.json"),
        "unsafe_model",
    ),
    "an index to elsewhere": (
        lambda folder: (folder / "model.safetensors.index.json").write_text(
            '{"weight_map": {"w": "../x.safetensors"}}'
        ),
        "unsafe_model",
    ),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "model_incomplete"),
    "cut weights": (
        lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 9), "model_damaged",
    ),
}  # fmt: skip


def linked(name: Path, target: Path) -> None:
    name.unlink()
    name.symlink_to(target)


@pytest.mark.parametrize("case", BAD)
async def test_what_cannot_be_built_from(
    builder: Builder, source: Path, tmp_path: Path, case: str
) -> None:
    harm, code = BAD[case]
    await asyncio.to_thread(harm, source)
    for ask in (builder.plan, lambda request: built(builder, request)):
        with pytest.raises(VenomError) as raised:
            await ask(request_of(source))
        assert (raised.value.code, bool(raised.value.fix)) == (code, True)
    assert not (tmp_path / "onnx").exists()


@pytest.mark.parametrize("provider", ["cuda", "dml"])
async def test_a_card_has_its_own_name_and_sixteen_bits(
    builder: Builder, source: Path, provider: str
) -> None:
    assert (await builder.plan(request_of(source, "fp16", provider))).ref == (
        f"org/tiny-fp16-{provider}"
    )
    with pytest.raises(VenomError) as raised:
        await builder.plan(request_of(source, "fp16"))
    assert raised.value.code == "unknown_precision"


HARM: dict[str, tuple[Callable[[Environment], object], str]] = {
    "none": (lambda _: None, "build_environment_missing"),
    "half of it": (lambda one: one.folder.mkdir(parents=True), "build_environment_damaged"),
    "no interpreter": (lambda one: recorded(one), "build_environment_damaged"),
    "another release's": (
        lambda one: recorded(one, python=True, packages=["torch==1.0"]),
        "build_environment_damaged",
    ),
    "an interpreter that is none": (
        lambda one: recorded(one, python=True), "build_environment_damaged",
    ),
}  # fmt: skip


def recorded(one: Environment, python: bool = False, packages: list[str] | None = None) -> None:
    one.python.parent.mkdir(parents=True)
    if python:
        one.python.write_text("nothing that runs")
    content = {"packages": packages or list(BUILD_ENVIRONMENT.packages)}
    one.record_file.write_text(json.dumps(content))


@pytest.mark.parametrize("case", HARM)
async def test_without_a_whole_environment_the_command_is_said(
    builder: Builder, source: Path, tmp_path: Path, case: str
) -> None:
    harm, code = HARM[case]
    alone = make(tmp_path, None)
    await asyncio.to_thread(harm, environment_of(tmp_path))
    with pytest.raises(VenomError) as raised:
        await built(alone, request_of(source))
    assert raised.value.code == code
    assert "venom engines install onnx-build" in str(raised.value.fix)
    if case != "an interpreter that is none":  # only starting it tells
        with pytest.raises(VenomError) as planned:
            await alone.plan(request_of(source))
        assert planned.value.code == code


async def test_a_python_that_was_named_is_looked_for(source: Path, tmp_path: Path) -> None:
    with pytest.raises(VenomError) as raised:
        await make(tmp_path, tmp_path / "none/python").plan(request_of(source))
    assert raised.value.code == "build_environment_missing"
    assert "VENOM_ONNX__BUILD_PYTHON" in raised.value.message


async def test_an_environment_in_use_is_kept(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    one = environment_of(tmp_path)
    await asyncio.to_thread(recorded, one)
    await asyncio.to_thread(one.python.symlink_to, sys.executable)
    behave(source, at="model")
    alone = make(tmp_path, None)
    work = tmp_path / "onnx/.building/org--tiny-int8"
    steps = alone.build(request_of(source))
    task = asyncio.create_task(_all(steps))
    await until((work / "model.part").is_dir)
    with pytest.raises(Conflict) as busy, one.held():
        pass
    assert busy.value.code == "environment_busy"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await steps.aclose()
    with one.held():
        behave(source)
        with pytest.raises(Conflict):
            await built(alone, request_of(source))
    await built(alone, request_of(source))


async def test_the_builder_sees_what_was_looked_at_and_nothing_else(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    def add() -> None:
        for name in ("pytorch_model.bin", "modeling_x.py", "notes.txt", "vocab.pkl"):
            (source / name).write_text("x")
        (source / "tokenizer_config.json").write_text("{}")
        (source / "chat_template.jinja").write_text("{{ messages }}")

    await asyncio.to_thread(add)
    await built(builder, request_of(source))
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert sorted(seen) == [
        "chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json",
    ]  # fmt: skip


async def test_a_source_that_changes_meanwhile_is_not_listed(
    builder: Builder, source: Path, tmp_path: Path
) -> None:
    steps = builder.build(request_of(source))
    with pytest.raises(VenomError) as raised:
        async for step in steps:
            if step.message == "Checking the result":
                weights = source / "model.safetensors"
                await asyncio.to_thread(os.utime, weights, ns=(1, 1))
    assert raised.value.code == "model_damaged" and not (tmp_path / "onnx/org").exists()


NAMES = {
    "hf://org/tiny": "org/tiny-int8",
    "hf://hf.co/org/tiny": "org/tiny-int8",
    "hf://org/tiny:branch": "org/tiny-branch-int8",
    "x://a/../../../etc/passwd": "a/etc/passwd-int8",
    "x://../..": "model-int8",
    "x:///abs": "abs-int8",
    "x://.hidden/.x": "hidden/x-int8",
    "x://a/b/c/d/e": "a/b/c--d--e-int8",
    "x://a b\\c\n": "a-b-c-int8",
    f"x://{'a' * 5000}": f"{'a' * 100}-int8",
}


@pytest.mark.parametrize("case", range(len(NAMES)))
def test_a_result_lies_in_the_store_whatever_its_source_is_called(case: int) -> None:
    source, name = list(NAMES.items())[case]
    assert building.result_name(BuildRequest(source, Path(), "onnx", "int8", "cpu")) == name


async def test_the_builder_gets_no_secret_and_no_network(
    builder: Builder, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Path(building.CHILD)
    said = tmp_path / "said.json"
    tell = f"import json, os; json.dump(dict(os.environ), open({str(said)!r}, 'w'))"
    whole = await asyncio.to_thread(script.read_text)
    await asyncio.to_thread(script.write_text, f"{tell}\n{whole}")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    await built(builder, request_of(source))
    environment = json.loads(said.read_text())
    assert (environment["HF_HUB_OFFLINE"], environment["TRANSFORMERS_OFFLINE"]) == ("1", "1")
    assert "HF_TOKEN" not in environment


def test_a_look_while_the_result_is_renamed_is_a_step_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(self: Path, pattern: str) -> Iterator[Path]:
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "glob", gone)
    assert building._step(tmp_path).percent == 85


async def test_a_provider_builds_what_it_lists_and_says_from_what(
    make_provider: Callable[..., OnnxProvider], builder: Builder, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(VenomError) as raised:
        await make_provider().plan_build(request_of(source))
    assert raised.value.code == "build_environment_missing"
    provider = make_provider(build_python=sys.executable)
    ref = (await provider.plan_build(request_of(source))).ref
    assert [step.status async for step in provider.build(request_of(source))][-1] == "completed"
    (model,) = [one for one in await provider.models() if one.ref == ref]
    assert (model.type, model.details["built_from"]) == ("onnx", "hf://org/tiny")
    assert (await make_provider().describe(ref)).details["built_from"] == "hf://org/tiny"
    await provider.remove(ref)
    assert (await provider.plan_build(request_of(source))).ref == ref
    behave(source, exit=1)
    with pytest.raises(VenomError):
        [step async for step in provider.build(request_of(source))]
    (work,) = await asyncio.to_thread(lambda: list(tmp_path.rglob(".building/*")))
    await provider.forget_build(request_of(source))
    assert not work.exists()
