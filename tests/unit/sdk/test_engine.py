"""The supervisor against a scripted engine: starts, faults, ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from venom_core.sdk import engine as engine_module
from venom_core.sdk.engine import EngineAddress, EngineCommand, EngineProcess, reap_orphans
from venom_core.sdk.errors import EngineMissing, StorageError, Unavailable
from venom_core.testing.deadlines import patience, until
from venom_core.testing.processes import living

SCRIPT = Path(__file__).with_name("scripted_engine.py")
Make = Callable[..., EngineProcess]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Makes engines and stops them after the test."""
    made: list[EngineProcess] = []

    def engine(*words: str, on_exit: Callable[[int], None] | None = None, **more: Any) -> Any:
        more.setdefault("stop_timeout", 2.0)
        more.setdefault("ready_timeout", 20.0)
        command = EngineCommand(
            name="scripted",
            args=(str(SCRIPT), *words),
            log_file=tmp_path / "logs" / "engine.log",
            pid_file=tmp_path / "run" / "engine.pid",
            **more,
        )
        made.append(EngineProcess(command, on_exit=on_exit))
        return made[-1]

    yield engine
    for each in made:
        await each.stop()


async def get(address: EngineAddress, path: str) -> Any:
    def ask() -> Any:
        request = urllib.request.Request(
            address.base_url + path, headers={"Authorization": f"Bearer {address.key}"}
        )
        with urllib.request.urlopen(request, timeout=patience(10)) as answer:
            return json.loads(answer.read())

    return await asyncio.to_thread(ask)


async def crash(engine: EngineProcess, address: EngineAddress) -> None:
    with pytest.raises((OSError, urllib.error.URLError)):
        await get(address, "/crash")
    await until(lambda: engine.state == "failed")


def tree_of(engine: EngineProcess) -> list[psutil.Process]:
    assert engine._run is not None
    root = psutil.Process(engine._run.process.pid)
    return [root, *root.children(recursive=True)]


def gone(processes: list[psutil.Process]) -> bool:
    return not living(processes)


async def test_ready_engine_has_an_address_a_key_and_figures(make: Make) -> None:
    engine = make("slow")
    address = await engine.start()
    assert address.base_url == f"http://127.0.0.1:{address.port}"
    assert (await get(address, "/"))["args"] == ["slow"]
    status = await engine.status()
    assert (status.state, status.port, status.restarts) == ("running", address.port, 0)
    assert status.ready_seconds is not None and status.ready_seconds >= 0.6
    assert status.memory_bytes is not None and status.memory_bytes > 5_000_000
    assert status.started_at is not None
    assert any("engine begins" in line for line in status.log_tail)
    assert await engine.start() == address


async def test_key_is_in_no_command_line_and_in_no_repr(make: Make) -> None:
    engine = make()
    address = await engine.start()
    lines = [" ".join(process.cmdline()) for process in tree_of(engine)]
    assert len(lines) == 2 and not any(address.key in line for line in lines)
    assert address.key not in repr(address)


async def test_environment_has_placeholders_filled_and_nothing_of_venoms(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENOM_SOMETHING_SECRET", "s3cret")
    engine = make("{port}", env={"THEIR_KEY": "{key}", "THEIR_PORT": "{port}"})
    address = await engine.start()
    environment = await get(address, "/environment")
    assert environment["THEIR_KEY"] == address.key
    assert environment["THEIR_PORT"] == str(address.port)
    assert "VENOM_SOMETHING_SECRET" not in environment
    assert (await get(address, "/"))["args"] == [str(address.port)]


async def test_simultaneous_starts_make_one_process(make: Make) -> None:
    engine = make("slow")
    addresses = await asyncio.gather(*(engine.start() for _ in range(5)))
    assert len(set(addresses)) == 1


async def test_a_caller_that_goes_away_does_not_end_the_start(make: Make) -> None:
    engine = make("slow")
    impatient = asyncio.create_task(engine.start())
    await until(lambda: engine._run is not None)
    processes = tree_of(engine)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await engine.start()
    assert tree_of(engine)[0] == processes[0] and engine.restarts == 0


async def test_a_start_says_how_far_it_is_and_nothing_else_does(make: Make) -> None:
    def progress(lines: Sequence[str]) -> str | None:
        return next((f"begun: {line}" for line in lines if "engine begins" in line), None)

    engine = make("never-ready", progress=progress, ready_timeout=60.0)
    assert (await engine.status()).progress is None
    start = asyncio.create_task(engine.start())
    async with asyncio.timeout(patience(20)):
        while (await engine.status()).progress is None:  # noqa: ASYNC110 -- it has no event
            await asyncio.sleep(0.02)
    status = await engine.status()
    assert status.state == "starting" and (status.progress or "").startswith("begun: engine")
    await engine.stop()
    with pytest.raises(Unavailable):
        await start
    assert (await engine.status()).progress is None
    ready = make(progress=progress)
    await ready.start()
    assert (await ready.status()).progress is None


async def test_never_ready_is_refused_and_ended(make: Make) -> None:
    engine = make("never-ready", ready_timeout=patience(0.8))
    task = asyncio.create_task(engine.start())
    await until(lambda: engine._run is not None)
    processes = tree_of(engine)
    with pytest.raises(Unavailable) as caught:
        await task
    assert caught.value.code == "engine_not_ready"
    assert gone(processes) and engine.state == "failed"


async def test_early_exit_is_noticed_at_once_and_logged(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make("exit-at-once", ready_timeout=60.0)
    with caplog.at_level(logging.WARNING), pytest.raises(Unavailable) as caught:
        await asyncio.wait_for(engine.start(), patience(20.0))
    assert caught.value.code == "engine_exited"
    assert "exit code 3" in caught.value.message
    assert "the model is damaged" in caplog.text
    assert "damaged" not in caught.value.message


async def test_missing_interpreter_is_a_missing_engine(make: Make) -> None:
    with pytest.raises(EngineMissing):
        await make(python="/no/such/python").start()


@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter of the test is a script")
@pytest.mark.parametrize("code", [126, 127])
async def test_a_shim_without_its_interpreter_is_a_missing_engine(
    make: Make, tmp_path: Path, code: int
) -> None:
    shim = tmp_path / "python"
    shim.write_text(f"#!/bin/sh\nexit {code}\n")
    shim.chmod(0o755)
    with pytest.raises(EngineMissing):
        await asyncio.wait_for(make("serve", python=str(shim)).start(), patience(20.0))


async def test_no_place_for_the_log_is_a_storage_error(tmp_path: Path, make: Make) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    with pytest.raises(StorageError) as caught:
        await make().start()
    assert caught.value.code == "store_not_writable"


async def test_stop_ends_the_whole_family(make: Make) -> None:
    engine = make("family")
    await engine.start()
    await until(lambda: len(tree_of(engine)) == 4)
    processes = tree_of(engine)
    await engine.stop()
    assert gone(processes)
    assert (engine.state, (await engine.status()).pid) == ("stopped", None)
    await engine.stop()


async def test_deaf_engine_is_killed_after_the_grace(make: Make) -> None:
    engine = make("deaf", stop_timeout=0.5)
    await engine.start()
    processes = tree_of(engine)
    await asyncio.wait_for(engine.stop(), patience(10.0))
    assert gone(processes)


async def test_stop_while_starting_tells_who_waits(make: Make) -> None:
    engine = make("never-ready")
    waiting = asyncio.create_task(engine.start())
    await until(lambda: engine._run is not None)
    processes = tree_of(engine)
    await engine.stop()
    with pytest.raises(Unavailable) as caught:
        await waiting
    assert caught.value.code == "engine_stopped"
    assert gone(processes)


async def test_crash_is_noticed_and_mended_at_the_next_start(make: Make) -> None:
    codes: list[int] = []
    engine = make("family", on_exit=codes.append)
    first = await engine.start()
    await until(lambda: len(tree_of(engine)) == 4)
    processes = tree_of(engine)
    await crash(engine, first)
    await until(lambda: codes == [7])
    assert gone(processes)
    second = await engine.start()
    assert second.key != first.key
    assert (await engine.status()).restarts == 1
    assert codes == [7]


async def test_confirm_knows_of_a_killed_engine_before_it_returns(make: Make) -> None:
    engine = make()
    address = await engine.start()
    assert await engine.confirm()
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    writer.write(b"GET ")
    await get(address, "/")
    tree_of(engine)[1].kill()
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()
    assert not await engine.confirm() and engine.state == "failed"
    assert (await get(await engine.start(), "/"))["args"] == []


async def test_budget_of_restarts_ends_in_a_refusal(make: Make) -> None:
    engine = make("exit-at-once", max_restarts=2, backoff=0.01, restart_window=100.0)
    for _ in range(3):
        with pytest.raises(Unavailable, match="exit code 3"):
            await engine.start()
    with pytest.raises(Unavailable) as caught:
        await engine.start()
    assert caught.value.code == "engine_crashed"
    assert caught.value.retry_after is not None and 0 < caught.value.retry_after <= 100.0
    with pytest.raises(Unavailable, match="exit code 3"):
        await engine.restart()


async def test_backoff_doubles_from_the_second_restart(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    engine = make(max_restarts=9, backoff=8.0)
    now = engine_module.time.monotonic()
    monkeypatch.setattr(engine_module.asyncio, "sleep", sleep)
    for crashes in range(1, 7):
        engine._crashes = [now] * crashes
        await engine._await_turn()
    assert [round(pause) for pause in pauses] == [0, 8, 16, 32, 60, 60]


async def test_log_is_capped_and_the_last_lines_are_kept(make: Make, tmp_path: Path) -> None:
    engine = make("chatty", log_limit=100_000)
    await engine.start()
    await until(lambda: "line 19999 " in (tmp_path / "logs/engine.log").read_text())
    sizes = [path.stat().st_size for path in (tmp_path / "logs").iterdir()]
    assert len(sizes) == 2 and sum(sizes) <= 100_000
    assert (await engine.log_tail(1))[0].startswith("line 19999 ")
    assert (tmp_path / "logs/engine.log").stat().st_mode & 0o077 == 0


async def test_a_stranger_on_the_port_is_not_taken_for_the_engine(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(engine_module, "free_port", lambda: port)
    async with server:
        with pytest.raises(Unavailable) as caught:
            await make().start()
    assert caught.value.code == "engine_exited"


async def test_the_launcher_survives_ctrl_c(make: Make) -> None:
    engine = make()
    address = await engine.start()
    assert engine._run is not None
    pid = engine._run.process.pid
    assert os.getsid(pid) == pid != os.getsid(0)
    os.kill(pid, signal.SIGINT)
    await asyncio.sleep(0.3)
    assert (await get(address, "/"))["args"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death signal is Linux only")
async def test_killed_launcher_takes_the_engine_with_it(make: Make) -> None:
    engine = make()
    await engine.start()
    processes = tree_of(engine)
    processes[0].kill()
    await until(lambda: gone(processes))
    await until(lambda: engine.state == "failed")


async def test_an_orphan_is_reaped_only_when_its_owner_is_dead(make: Make, tmp_path: Path) -> None:
    engine = make("family")
    await engine.start()
    await until(lambda: len(tree_of(engine)) == 4)
    processes = tree_of(engine)
    pid_file = tmp_path / "run" / "engine.pid"
    assert reap_orphans(tmp_path / "run") == 0 and not gone(processes)
    record = json.loads(pid_file.read_text())
    pid_file.write_text(json.dumps({**record, "owner": {"pid": 2**30, "started": 1.0}}))
    assert await asyncio.to_thread(reap_orphans, tmp_path / "run") == 1
    await until(lambda: gone(processes))
    assert not pid_file.exists()


async def test_a_stranger_with_an_old_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(60)"
    )
    try:
        dead = {"pid": 2**30, "started": 1.0}
        record = {"owner": dead, "processes": [{"pid": stranger.pid, "started": 1_000_000.0}]}
        (tmp_path / "x.pid").write_text(json.dumps(record))
        (tmp_path / "y.pid").write_text("no json")
        assert reap_orphans(tmp_path) == 0
        assert stranger.returncode is None
        assert not any((tmp_path / name).exists() for name in ("x.pid", "y.pid"))
    finally:
        stranger.kill()
        await stranger.wait()
