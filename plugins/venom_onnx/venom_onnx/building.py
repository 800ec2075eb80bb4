"""Builds of ONNX folders from Hugging Face folders, in a process and an environment of their own.

A build works in a hidden folder beside its result, on the same disk, and its result gets its name
when it is whole. What is done is told by what lies in that folder, so that a build that was stopped
goes on behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from itertools import islice
from pathlib import Path

from venom_core.sdk.child_process import child_environment, finish, launch
from venom_core.sdk.disk import (
    discard,
    disk_errors,
    make_writable_folder,
    size_of_tree,
    write_file,
)
from venom_core.sdk.environments import Environment
from venom_core.sdk.errors import Conflict, EngineMissing, InvalidRequest, Unavailable
from venom_core.sdk.model_files import OwnFile
from venom_core.sdk.model_links import link_files
from venom_core.sdk.provider import BuildProgress, BuildRequest, PullPlan
from venom_onnx import build_child
from venom_onnx.build_source import check_source
from venom_onnx.folder import BUILD_NOTE, read_folder
from venom_onnx.launch_config import PLACE
from venom_onnx.refusals import build_refusal, damaged_environment

#: The script that builds.
CHILD = build_child.__file__
WORK = ".building"
POLL_SECONDS = 0.5
GRACE = 5.0
#: Bytes of the result for each byte of weights of sixteen bits, its embeddings in full numbers.
_GROWTH = {"int4": 1.5, "int8": 2.0, "fp16": 1.5, "fp32": 2.5}
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_PART = 100
#: Folders of a name that are looked for in the store, below an organisation's.
_MOST_PARTS = 3


class Builder:
    """Plans and carries out builds; keeps nothing between them.

    Args:
        store: the folder in which results are listed.
        environment: what builds; nobody uses it twice at a time.
        python: an interpreter that a person named in its place.
        log_file: of the build under way.
    """

    def __init__(
        self, store: Path, environment: Environment, python: Path | None, log_file: Path
    ) -> None:
        self._store = store
        self._environment = environment
        self._named = python
        self._log_file = log_file

    async def plan(self, request: BuildRequest) -> PullPlan:
        """Return the name and the size of the result. Raises what keeps it from being built."""
        return await asyncio.to_thread(self._plan, request)

    def _plan(self, request: BuildRequest) -> PullPlan:
        name = result_name(request)
        if (self._store / name).exists():
            raise Conflict(
                f"The model {name} is built already.",
                code="already_built",
                fix=f"Use it, or remove it first: venom rm onnx://{name}",
            )
        check_pairing(request)
        self._python()
        weights = check_source(request.folder).weights_bytes
        size = round(weights * _GROWTH[request.precision])
        here = min(size, size_of_tree(self._work(request)))
        # What the builder holds is written once more before the half-made file goes.
        return PullPlan(name, size, here, bytes_needed=size // 4, folder=self._store)

    def _python(self) -> Path:
        """Return the interpreter that builds. Raises where there is none that could."""
        install = f"venom engines install {self._environment.declared.name}"
        if self._named is not None:
            if self._named.is_file():
                return self._named
            raise EngineMissing(
                "The Python that VENOM_ONNX__BUILD_PYTHON names is not there.",
                fix=f"Correct it, or leave it out: {install}",
                code="build_environment_missing",
            )
        state = self._environment.state()
        if state == "missing":
            raise EngineMissing(
                "What builds ONNX models is not installed.",
                fix=install,
                code="build_environment_missing",
            )
        if state == "outdated":
            raise damaged_environment("What builds ONNX models is of another Venom.", install)
        if state == "unfinished":
            raise damaged_environment("What builds ONNX models is not whole.", install)
        return self._environment.python

    async def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        """Build; the model is listed when ``completed`` comes. Closing it ends the process and
        keeps the steps that are done."""
        name = result_name(request)
        result, work = self._store / name, self._work(request)
        check_pairing(request)
        yield BuildProgress("building", "Checking the model's files", 1)
        async with self._held():
            files = await asyncio.to_thread(self._prepare, request, work)
            process = await self._start(request, work)
            try:
                async for step in self._watch(process, work):
                    yield step
                code = await process.wait()
            finally:
                await asyncio.shield(finish(process, GRACE))
        if code != build_child.OK:
            await asyncio.to_thread(discard, work / f"{build_child.MODEL}.part")
            raise build_refusal(code, request.source, self._environment.declared.name)
        yield BuildProgress("building", "Checking the result", 95)
        await asyncio.to_thread(self._place, request, files, work, result)
        yield BuildProgress("completed", f"{name} is built", 100)

    async def forget(self, request: BuildRequest) -> None:
        """Delete what a stopped build left behind."""
        await asyncio.to_thread(self._forget, self._work(request))

    def _forget(self, work: Path) -> None:
        discard(work)
        with contextlib.suppress(OSError):
            work.parent.rmdir()  # where nothing else is being built

    def _work(self, request: BuildRequest) -> Path:
        return self._store / WORK / result_name(request).replace("/", "--")

    @contextlib.asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        """Keep the environment from being removed, or made anew, while the block runs."""
        with contextlib.ExitStack() as stack:
            if self._named is None:
                held = asyncio.to_thread(stack.enter_context, self._environment.held())
                taking = asyncio.ensure_future(held)
                try:
                    await asyncio.shield(taking)
                except asyncio.CancelledError:
                    await asyncio.gather(taking, return_exceptions=True)  # it waits for nobody
                    raise
            yield

    def _prepare(self, request: BuildRequest, work: Path) -> tuple[OwnFile, ...]:
        """Make the folder to work in, with links to the files that were looked at; what lies there
        of other files than these goes first."""
        self._python()
        files = check_source(request.folder).files
        state = json.dumps({"source": request.source, "files": _state(files)})
        note = work / "source.json"
        if _text_of(note) != state:
            discard(work)
            make_writable_folder(work)
            with disk_errors():
                write_file(note, state)
        link_files(files, work / build_child.SOURCE, PLACE)
        make_writable_folder(self._log_file.parent)
        return files

    async def _start(self, request: BuildRequest, work: Path) -> Process:
        python = await asyncio.to_thread(self._python)
        argv = (
            str(python), "-I", CHILD, str(work), request.precision, request.execution_provider,
        )  # fmt: skip
        offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
        own = {"TMPDIR": str(work), "HF_HOME": str(work / "cache")}
        try:
            return await launch(
                argv, log_file=self._log_file, env=child_environment() | offline | own, grace=GRACE
            )
        except OSError as error:
            raise Unavailable(
                "What builds ONNX models cannot be started.",
                fix=f"Install it again: venom engines install {self._environment.declared.name}",
                code="build_environment_damaged",
            ) from error

    async def _watch(self, process: Process, work: Path) -> AsyncGenerator[BuildProgress, None]:
        """Yield what lies in the folder as it comes, until the process ends."""
        told, ended = None, asyncio.create_task(process.wait())
        try:
            while not ended.done():
                step = await asyncio.to_thread(_step, work)
                if step != told:
                    told = step
                    yield step
                await asyncio.wait({ended}, timeout=POLL_SECONDS)
        finally:
            ended.cancel()

    def _place(
        self, request: BuildRequest, files: Sequence[OwnFile], work: Path, result: Path
    ) -> None:
        """Give the result its name. Raises what the folder's own check says of it, and where the
        source was changed meanwhile."""
        made = work / build_child.MODEL
        for file in files:
            file.check()
        if (reason := read_folder(made).reason) is not None:
            discard(work)
            raise reason.error()
        with disk_errors():
            write_file(made / BUILD_NOTE, json.dumps({"source": request.source}))
            result.parent.mkdir(parents=True, exist_ok=True)
            made.rename(result)
        self._forget(work)


def result_name(request: BuildRequest) -> str:
    """Return the name under which a result is listed: the source's, and how it was built."""
    source = request.source.partition("://")[2].removeprefix("hf.co/")
    parts = [_UNSAFE.sub("-", part).strip(".-")[:_LONGEST_PART] for part in source.split("/")]
    kept = [part for part in parts if part] or ["model"]
    kept[_MOST_PARTS - 1 :] = (
        ["--".join(kept[_MOST_PARTS - 1 :])] if kept[_MOST_PARTS:] else kept[_MOST_PARTS - 1 :]
    )
    beside = "" if request.execution_provider == "cpu" else f"-{request.execution_provider}"
    return f"{'/'.join(kept)}-{request.precision}{beside}"


def check_pairing(request: BuildRequest) -> None:
    """Raise ``InvalidRequest`` for numbers that the execution provider does not compute with."""
    if request.precision == "fp16" and request.execution_provider == "cpu":
        raise InvalidRequest(
            "fp16 is for graphics cards.",
            code="unknown_precision",
            param="precision",
            fix="Choose int8 for cpu, or the execution provider cuda or dml.",
        )


def _step(work: Path) -> BuildProgress:
    if (work / build_child.TRIED).exists():
        return BuildProgress("building", "Checking the result", 95)
    if (work / build_child.MODEL).is_dir():
        return BuildProgress("building", "Trying the result", 85)
    half = work / f"{build_child.MODEL}.part"
    try:
        writes = any(islice(half.glob("*.data"), 1))
    except FileNotFoundError:  # it was renamed between the looks
        return BuildProgress("building", "Trying the result", 85)
    if writes:
        return BuildProgress("building", "Writing the model", 60)
    return BuildProgress("building", "Converting the weights", 10)


def _text_of(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _state(files: Sequence[OwnFile]) -> list[list[object]]:
    """Return what tells whether the files of a source are those of before."""
    return sorted([file.name, list(file.identity)] for file in files)
