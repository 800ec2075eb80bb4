"""Downloads: bytes, resuming, stopping, and the child that never outlives its parent."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from plugins.venom_hf.tests.conftest import FILES, REPO, Opened, gguf, halves, pulled, tensors
from venom_core.sdk.errors import UpstreamIncomplete
from venom_core.sdk.hub_download import STEP_BYTES
from venom_core.testing.deadlines import patience, until
from venom_core.testing.hub import FakeHub
from venom_core.testing.processes import lives

BIG = tensors(3_000_000)


def children() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if "venom_hf.fetcher" in process.cmdline()
    ]


def one_blob(cache: Path, data: bytes) -> bool:
    """Return whether exactly these bytes lie in the cache, once, under their digest."""
    digest = hashlib.sha256(data).hexdigest()
    return [path.read_bytes() for path in cache.rglob(f"blobs/{digest}")] == [data]


async def test_a_whole_pull(hub: FakeHub, opened: Opened, cache: Path) -> None:
    commit = hub.add(REPO, {**FILES, "model.safetensors": BIG})
    total = len(BIG) + sum(map(len, FILES.values())) - len(FILES["model.safetensors"])
    async with opened() as provider:
        steps = await pulled(provider)
        (model,) = await provider.models()
    done = [step.bytes_done for step in steps]
    assert done == sorted(done) and done[-1] == total
    assert {step.bytes_total for step in steps} == {total}
    assert [step.status for step in steps][-2:] == ["verifying", "completed"]
    assert (model.ref, model.type, model.installed) == (REPO, "folder", True)
    assert (model.size_bytes, model.digest) == (total, f"commit:{commit}")
    assert model.details["commit"] == commit
    assert model.location is not None and model.location.name == commit  # a build starts from it
    assert str(cache) not in str(replace(model, location=None))
    # As every other program of this cache finds it.
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(REPO, cache_dir=cache, local_files_only=True))
    assert folder.name == commit
    assert (folder / "model.safetensors").read_bytes() == BIG
    assert one_blob(cache, BIG)
    assert children() == []


async def test_a_second_pull_fetches_nothing(hub: FakeHub, opened: Opened) -> None:
    hub.add(REPO, FILES)
    async with opened() as provider:
        await pulled(provider)
        hub.seen.clear()
        steps = await pulled(provider)
    assert steps[-1].status == "completed"
    assert not hub.asked("storage") and not hub.asked("hub", "/resolve/")


async def test_a_revision_is_pinned(hub: FakeHub, opened: Opened, cache: Path) -> None:
    """A repository that changes while it is fetched does not mix two commits."""
    first = hub.add(REPO, {"model.safetensors": BIG, "config.json": b'{"v": 1}'})
    hub.pace = 4_000_000
    async with opened() as provider, contextlib.aclosing(provider.pull(REPO)) as steps:
        await anext(steps)
        hub.add(REPO, {"model.safetensors": tensors(100), "config.json": b'{"v": 2}'})
        async for _ in steps:
            pass
        (model,) = await provider.models()
    assert model.details["commit"] == first
    (config,) = await asyncio.to_thread(lambda: list(cache.rglob("config.json")))
    assert config.read_bytes() == b'{"v": 1}'


@pytest.mark.parametrize("ranges", [True, False])
async def test_stopped_and_resumed(hub: FakeHub, opened: Opened, cache: Path, ranges: bool) -> None:
    """Closing the generator is a pause: the child ends, the half stays, the next pull goes on."""
    hub.add(REPO, {"model.safetensors": BIG})
    hub.pace = 800_000
    async with opened() as provider:
        async with contextlib.aclosing(provider.pull(REPO)) as steps:
            async for step in steps:
                if step.bytes_done > 200_000:
                    break
        assert children() == []
        (half,) = halves(cache)
        have = half.stat().st_size
        assert 200_000 < have < len(BIG)
        assert not await asyncio.to_thread(lambda: list(cache.rglob("refs/*")))
        assert await provider.models() == []
        hub.pace, hub.without_ranges = None, not ranges
        hub.seen.clear()
        resumed = await pulled(provider)
    (request,) = hub.asked("storage")
    assert request.headers["range"] == f"bytes={have}-"
    assert request.status == (206 if ranges else 200)
    assert resumed[0].bytes_done >= have
    done = [step.bytes_done for step in resumed]
    assert done == sorted(done)
    assert one_blob(cache, BIG) and halves(cache) == []


async def test_a_child_killed_in_the_middle(hub: FakeHub, opened: Opened, cache: Path) -> None:
    hub.add(REPO, {"model.safetensors": BIG})
    hub.pace = 800_000
    async with opened() as provider:
        with pytest.raises(UpstreamIncomplete, match="process ended"):
            async with contextlib.aclosing(provider.pull(REPO)) as steps:
                async for step in steps:
                    if step.bytes_done > 200_000:
                        for child in children():
                            child.kill()
        assert halves(cache) and await provider.models() == []
        hub.pace = None
        await pulled(provider)
    assert hub.asked("storage")[-1].status == 206
    assert one_blob(cache, BIG)


async def test_a_connection_that_breaks_off(hub: FakeHub, opened: Opened, cache: Path) -> None:
    """Half a file, then the end, twice: it goes on from there each time, by itself."""
    hub.add(REPO, {"model.safetensors": BIG})
    hub.cut["model.safetensors"] = [1_000_000, 700_000]
    async with opened() as provider:
        steps = await pulled(provider)
    starts = [one.headers.get("range") for one in hub.asked("storage")]
    first = 1_000_000 // STEP_BYTES * STEP_BYTES
    second = first + 700_000 // STEP_BYTES * STEP_BYTES
    assert starts == [None, f"bytes={first}-", f"bytes={second}-"]
    done = [step.bytes_done for step in steps]
    assert done == sorted(done)
    assert one_blob(cache, BIG)


async def test_an_address_that_has_expired(hub: FakeHub, opened: Opened, cache: Path) -> None:
    """The storage's addresses hold for an hour: another is asked for, and it goes on."""
    hub.add(REPO, {"model.safetensors": BIG})
    hub.cut["model.safetensors"] = [1_000_000]
    hub.expired = 1
    async with opened() as provider:
        await pulled(provider)
    assert [one.status for one in hub.asked("storage")] == [403, 200, 206]
    assert one_blob(cache, BIG)


async def test_a_half_that_is_too_long(hub: FakeHub, opened: Opened, cache: Path) -> None:
    hub.add(REPO, {"model.safetensors": BIG})
    blobs = cache / "models--org--tiny" / "blobs"
    blobs.mkdir(parents=True)
    digest = hashlib.sha256(BIG).hexdigest()
    (blobs / f"{digest}.incomplete").write_bytes(b"x" * (len(BIG) + 5))
    async with opened() as provider:
        await pulled(provider)
    assert one_blob(cache, BIG)


async def test_a_half_of_other_bytes(hub: FakeHub, opened: Opened, cache: Path) -> None:
    """Bytes that lay there are checked with the rest: they are thrown away and fetched anew."""
    hub.add(REPO, {"model.safetensors": BIG})
    blobs = cache / "models--org--tiny" / "blobs"
    blobs.mkdir(parents=True)
    digest = hashlib.sha256(BIG).hexdigest()
    (blobs / f"{digest}.incomplete").write_bytes(b"y" * 1000)
    async with opened() as provider:
        with pytest.raises(Exception, match="digest differs"):
            await pulled(provider)
        await pulled(provider)
    assert one_blob(cache, BIG)


async def test_two_pulls_of_one_model_at_once(hub: FakeHub, opened: Opened, cache: Path) -> None:
    hub.add(REPO, {"model.safetensors": BIG})
    hub.pace = 6_000_000
    async with opened() as provider:
        first, second = await asyncio.gather(pulled(provider), pulled(provider))
    assert first[-1].status == second[-1].status == "completed"
    assert len(hub.asked("storage")) == 1
    assert one_blob(cache, BIG)


async def test_closing_the_provider_ends_its_children(hub: FakeHub, opened: Opened) -> None:
    hub.add(REPO, {"model.safetensors": BIG})
    hub.pace = 500_000
    async with opened() as provider:
        steps = provider.pull(REPO)
        await anext(steps)
        assert children()
        await provider.close()
        assert children() == []
        with pytest.raises(UpstreamIncomplete):
            async for _ in steps:
                pass


def open_files() -> set[Path]:
    """Return every file that some process of ours has open."""
    found: set[Path] = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            found |= {Path(entry.path) for entry in process.open_files()}
    return found


PARENT = """
import asyncio, contextlib, json, logging, sys
from dataclasses import replace
from pathlib import Path
from venom_core.sdk.provider import ProviderContext
from venom_hf.plugin import venom_providers
from venom_hf.provider import HuggingFaceProvider

async def main():
    url, folder = sys.argv[1:]
    spec = venom_providers()[0]
    values = {one.name: one.default for one in spec.settings}
    values |= {"endpoint": url, "cache_dir": folder}
    context = ProviderContext(spec, values, Path(folder), Path(folder), logging.getLogger("x"))
    provider = HuggingFaceProvider(context)
    async for step in provider.pull("org/tiny"):
        print(step.bytes_done, flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
async def test_a_killed_parent_leaves_no_child(
    hub: FakeHub, opened: Opened, cache: Path, tmp_path: Path
) -> None:
    hub.add(REPO, {"model.safetensors": BIG})
    hub.pace = 1_000_000
    parent = subprocess.Popen(  # noqa: ASYNC220 - it is killed, and nothing waits for it
        [sys.executable, "-c", PARENT, hub.url, str(cache)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        while int(parent.stdout.readline()) < 200_000:
            pass
        (child,) = psutil.Process(parent.pid).children()
        assert "venom_hf.fetcher" in child.cmdline()
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(patience(5))
        await until(lambda: not lives(child))
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    (half,) = halves(cache)
    assert half not in open_files()  # nobody writes any more
    hub.pace = None
    async with opened() as provider:
        assert await provider.models() == []
        await pulled(provider)
    assert hub.asked("storage")[-1].status == 206
    assert one_blob(cache, BIG)


async def test_the_token_is_in_no_command_line_and_no_environment(
    hub: FakeHub, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_environment")
    hub.add(REPO, {"model.safetensors": BIG}, gated="manual")
    hub.accepts.add(REPO)
    hub.pace = 500_000
    from venom_core.testing.hub import TOKEN

    async with opened(token=TOKEN) as provider, contextlib.aclosing(provider.pull(REPO)) as steps:
        await anext(steps)
        (child,) = children()
        seen = json.dumps([child.cmdline(), child.environ()])
    assert TOKEN not in seen and "hf_of_the_environment" not in seen


async def test_gguf_models_are_pulled_one_by_one(hub: FakeHub, opened: Opened) -> None:
    small, large = gguf(400), gguf(900)
    hub.add(REPO, {"m-Q4_K_M.gguf": small, "m-Q8_0.gguf": large, "README.md": b"# m"})
    async with opened() as provider:
        await pulled(provider)
        (model,) = await provider.models()
        assert (model.ref, model.type, model.quantization) == (f"{REPO}:Q4_K_M", "gguf", "Q4_K_M")
        assert model.digest == f"sha256:{hashlib.sha256(small).hexdigest()}"
        await pulled(provider, f"hf.co/{REPO}:q8_0")
        refs = [model.ref for model in await provider.models()]
    assert refs == [f"{REPO}:Q4_K_M", f"{REPO}:Q8_0"]
