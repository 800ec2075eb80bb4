"""Finding a server, or working here: the lock, ``server.json``, and one interface for both."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.served import served
from venom_core._version import __version__
from venom_core.cli.connection import local
from venom_core.cli.connection.files import read_record
from venom_core.cli.connection.interface import Connection
from venom_core.cli.connection.lock import hold_data_directory, holder_file, read_holder
from venom_core.cli.connection.server import ServerClient
from venom_core.cli.connection.server_file import (
    ServerRecord,
    find_server,
    publish,
    server_file,
    withdraw,
)
from venom_core.cli.exit_codes import ExitCode
from venom_core.sdk.errors import Conflict, StorageError, VenomError
from venom_core.sdk.frames import delta
from venom_core.sdk.process_identity import ProcessIdentity
from venom_core.sdk.provider import PullProgress
from venom_core.settings.paths import Paths
from venom_core.testing.scripted import PULLS, SCRIPTS, Pause, Script, say


def own_record(url: str = "http://127.0.0.1:1") -> ServerRecord:
    identity = ProcessIdentity.own()
    return ServerRecord(identity.pid, identity.started, url, "the-token", __version__)


# -- server.json ----------------------------------------------------------------------------------


def test_the_record_is_readable_by_its_owner_only_whatever_the_umask(paths: Paths) -> None:
    before = os.umask(0)
    try:
        publish(paths, own_record())
    finally:
        os.umask(before)
    assert stat.S_IMODE(server_file(paths).stat().st_mode) == 0o600
    assert find_server(paths) == own_record()
    assert [path.name for path in paths.run_dir.iterdir()] == ["server.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"started": 1.0},  # the number belongs to another process now
        {"pid": 2**22 - 1},
        {"pid": -5},
        {"pid": "x"},
        {"url": None, "pid": None},
    ],
)
def test_a_stale_or_broken_record_is_no_server(paths: Paths, change: dict[str, Any]) -> None:
    publish(paths, own_record())
    record = read_record(server_file(paths)) or {}
    server_file(paths).write_text(json.dumps(record | change))
    assert find_server(paths) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x00"])
def test_a_damaged_file_is_no_server(paths: Paths, content: str) -> None:
    publish(paths, own_record())
    server_file(paths).write_text(content)
    assert find_server(paths) is None


def test_a_server_withdraws_its_own_record_only(paths: Paths) -> None:
    publish(paths, own_record())
    withdraw(paths, 1)
    assert find_server(paths) is not None
    withdraw(paths, os.getpid())
    assert not server_file(paths).exists()


def test_the_token_is_in_no_repr() -> None:
    assert "the-token" not in repr(own_record())


class _Health(http.server.BaseHTTPRequestHandler):
    """Answers like a server of some version, or not at all; keeps what it was sent."""

    version = __version__
    seen: list[tuple[str, str | None]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        type(self).seen.append((self.path, self.headers.get("Authorization")))
        body = {"status": "ok", "component": "venom-core", "version": self.version}
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def health_server() -> Iterator[Callable[[str], str]]:
    """Starts a server that says it is of some version; gives its URL."""
    started: list[http.server.ThreadingHTTPServer] = []

    def start(version: str) -> str:
        handler = type("Handler", (_Health,), {"version": version, "seen": []})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def test_a_server_of_another_version_is_refused_before_it_gets_the_token(
    cli, paths: Paths, health_server: Callable[[str], str]
) -> None:
    publish(paths, own_record(health_server("2020.1.0")))
    done = cli("list")
    assert done.code == ExitCode.CONFLICT
    assert "2020.1.0" in done.err and __version__ in done.err and "venom serve" in done.err
    assert "Code:  server_version_mismatch" in done.err


def test_a_stranger_on_the_port_gets_no_token(paths: Paths, health_server) -> None:
    from venom_core.cli.connection.server_file import answers

    url = health_server(__version__)
    record = replace(own_record(url), pid=2**22 - 1)  # the server is gone, its port is another's
    publish(paths, record)
    assert find_server(paths) is None
    assert answers(own_record(url)) == __version__


def test_a_server_that_does_not_answer_is_named_and_reading_goes_on(cli, paths: Paths) -> None:
    SCRIPTS["city"] = Script(say("x"))
    publish(paths, own_record("http://127.0.0.1:1"))
    done = cli("list")
    assert done.code == 0 and "city" in done.out
    assert "does not answer" in done.err and str(os.getpid()) in done.err
    refused = cli("run", "What is it?")
    assert refused.code == ExitCode.CONFLICT and "server_not_answering" in refused.err


# -- the lock -------------------------------------------------------------------------------------


def test_who_holds_the_directory_is_named(paths: Paths, other_process) -> None:
    child = other_process("venom run")
    with pytest.raises(Conflict) as caught, hold_data_directory(paths, "venom x", patience=0.1):
        pass
    assert caught.value.code == "data_directory_busy"
    assert f"venom run (pid {child.pid})" in caught.value.message
    assert "venom serve" in (caught.value.fix or "")


def test_a_second_server_is_told_how_to_stop_the_first(paths: Paths, other_process) -> None:
    child = other_process("venom serve")
    with pytest.raises(Conflict) as caught, hold_data_directory(paths, "venom x", patience=0.1):
        pass
    assert f"kill {child.pid}" in (caught.value.fix or "")


def test_a_killed_holder_leaves_nothing_in_the_way(paths: Paths, other_process) -> None:
    child = other_process("venom run")
    child.kill()
    child.wait()
    assert read_holder(paths) is None  # its record is still there, its process is not
    with hold_data_directory(paths, "venom x", patience=1.0):
        holder = read_holder(paths)
        assert holder is not None and holder.pid == os.getpid()
    assert not holder_file(paths).exists()


def test_a_command_that_reads_goes_on_beside_the_holder_and_says_so(cli, other_process) -> None:
    SCRIPTS["city"] = Script(say("x"))
    child = other_process("venom run")
    done = cli("list")
    assert done.code == 0 and "city" in done.out
    assert f"venom run (pid {child.pid}) works here too" in done.err


def test_a_command_that_writes_is_refused_beside_the_holder(
    cli, monkeypatch, other_process
) -> None:
    from venom_core.cli.connection import lock, session

    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    monkeypatch.setattr(
        session,
        "hold_data_directory",
        lambda paths, command, patience=0.1: hold_data_directory(paths, command, patience),
    )
    SCRIPTS["city"] = Script(say("x"))
    other_process("venom run")
    done = cli("stop", "city")
    assert done.code == ExitCode.CONFLICT and "data_directory_busy" in done.err


def test_a_home_that_cannot_be_written_is_named_for_those_who_write(
    cli, monkeypatch, tmp_path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VENOM_HOME", str(tmp_path / "file" / "home"))
    SCRIPTS["city"] = Script(say("Warsaw"))
    assert "city" in cli("list").out
    done = cli("run", "What is it?")
    assert done.code == ExitCode.STORAGE
    assert "home_not_writable" in done.err and "VENOM_HOME" in done.err


# -- one interface --------------------------------------------------------------------------------


@asynccontextmanager
async def here() -> AsyncIterator[Connection]:
    connection = await local.LocalVenom.open(local.make_venom())
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def over_http() -> AsyncIterator[Connection]:
    from venom_core.api.app import create_app

    venom = local.make_venom()
    async with served(create_app(venom)) as url:
        connection = ServerClient(url, venom.local_token)
        yield connection
        await connection.close()


BOTH = pytest.mark.parametrize("way", [here, over_http], ids=["here", "over HTTP"])


@BOTH
async def test_both_ways_tell_the_same(way) -> None:
    SCRIPTS["city"] = Script(say("Warsaw"))
    PULLS["city"] = [PullProgress("completed", "ready", 1, 1)]
    async with way() as connection:
        assert (await connection.models())["models"][0]["id"] == "city"
        assert (await connection.loaded())[0]["reference"] == "scripted://city"
        assert (await connection.details("scripted://city"))["details"] == {"steps": 3}
        assert (await connection.overview())["default_model"] == "city"
        assert (await connection.plugins())[0]["id"] == "scripted"
        assert (await connection.change_plugin("scripted", "retry"))["state"] == "loaded"
        *_, last = [step async for step in connection.pull("city")]
        assert (last["status"], last["progress"]) == ("completed", 100)
        listed = (await connection.operations(10))["operations"]
        assert listed == [await connection.operation(last["operation_id"])] == [last]
        assert "no longer in memory" in await connection.unload("city")
        assert (await connection.readiness())[0]["code"] == "provider_not_found"
        assert await connection.doctor() == []
        assert "was removed" in await connection.remove("city")


async def both(read: Callable[[Connection], Any]) -> list[Any]:
    found = []
    for way in (here, over_http):
        async with way() as connection:
            found.append(await read(connection))
    return found


@pytest.mark.parametrize("what", ["models", "loaded", "readiness"])
async def test_the_records_are_equal(what: str) -> None:
    SCRIPTS["city"] = Script(say("Warsaw"))
    first, second = await both(lambda connection: getattr(connection, what)())
    assert first == second


async def test_details_are_equal() -> None:
    SCRIPTS["city"] = Script(say("Warsaw"))
    first, second = await both(lambda connection: connection.details("city"))
    assert first == second


@BOTH
async def test_an_answer(way) -> None:
    SCRIPTS["city"] = Script(say("War", "saw"))
    body = {"messages": [{"role": "user", "content": "x"}]}
    async with way() as connection, connection.ask(None, body) as answer:
        assert [piece async for piece in answer.pieces()] == [("War", False), ("saw", False)]
    assert answer.reference == "scripted://city" and answer.content == "Warsaw"
    assert answer.usage is not None and answer.usage.completion_tokens == 2
    assert answer.because and answer.headers["Venom-Model-Reason"] == answer.because
    assert answer.headers["Venom-Model"] == "scripted://city"


@BOTH
@pytest.mark.parametrize("length", [10, 20_000], ids=["short", "too long for a header"])
async def test_an_explained_answer(way, length: int) -> None:
    SCRIPTS["city"] = Script(say("Warsaw"))
    body = {"messages": [{"role": "user", "content": "ż" * length}], "temperature": 0.5}
    async with way() as connection, connection.ask("city", body, explain=True) as answer:
        assert [text async for text, _ in answer.pieces()] == ["Warsaw"]
    assert answer.origins == {"temperature": "request"}
    assert answer.upstream_body is not None
    assert answer.upstream_body["messages"] == body["messages"]
    assert answer.upstream_body["temperature"] == 0.5


@BOTH
@pytest.mark.parametrize(
    ("work", "status", "code"),
    [
        (lambda c: c.details("nothing"), 404, "model_not_found"),
        (lambda c: c.details("two/../lines"), 400, "invalid_model_name"),
        (lambda c: c.change_plugin("nothing", "retry"), 404, "plugin_not_found"),
        (lambda c: c.remove("nothing"), 404, "model_not_found"),
    ],
)
async def test_refusals_are_the_same_errors(way, work, status: int, code: str) -> None:
    async with way() as connection:
        with pytest.raises(VenomError) as caught:
            await work(connection)
    assert (caught.value.status, caught.value.code) == (status, code)


@BOTH
async def test_an_answer_that_breaks_off_raises(way) -> None:
    SCRIPTS["city"] = Script([delta("War", role="assistant")])
    body = {"messages": [{"role": "user", "content": "x"}]}
    async with way() as connection:
        with pytest.raises(VenomError) as caught:
            async with connection.ask("city", body) as answer:
                async for _ in answer.pieces():
                    continue
    assert caught.value.code == "upstream_incomplete" and answer.content == "War"


@BOTH
async def test_a_pull_that_fails_raises(way) -> None:
    SCRIPTS["city"] = Script(say("x"))
    PULLS["city"] = [PullProgress("pulling", "x"), StorageError("Full.", code="disk_full")]
    async with way() as connection:
        with pytest.raises(VenomError) as caught:
            async for _ in connection.pull("city"):
                continue
    assert caught.value.code == "disk_full"


async def test_a_server_that_went_away_is_said() -> None:
    connection = ServerClient("http://127.0.0.1:1", "token")
    with pytest.raises(VenomError) as caught:
        await connection.models()
    await connection.close()
    assert caught.value.code == "server_gone" and "venom serve" in (caught.value.fix or "")


@BOTH
async def test_a_pull_that_is_left_is_paused_and_goes_on(way) -> None:
    SCRIPTS["city"] = Script(say("x"))
    PULLS["city"] = [PullProgress("pulling", "x", 40, 100), Pause(forever=True)]
    async with way() as connection:
        async with contextlib.aclosing(connection.pull("city")) as steps:
            async for step in steps:
                if step["bytes_done"] == 40:
                    break
        (left,) = (await connection.operations(10))["operations"]
        assert (left["status"], left["progress"]) == ("paused", 40)
        PULLS["city"] = [PullProgress("completed", "x", 100, 100)]
        *_, last = [step async for step in connection.pull("city")]
        assert (last["operation_id"], last["status"]) == (left["operation_id"], "completed")


@BOTH
async def test_progress_never_goes_back_when_the_total_grows(way) -> None:
    SCRIPTS["city"] = Script(say("x"))
    PULLS["city"] = [
        PullProgress("pulling", "x", 90, 100),
        Pause(0.6),
        PullProgress("pulling", "x", 100, 1000),
        Pause(0.6),
        PullProgress("completed", "x", 1000, 1000),
    ]
    async with way() as connection:
        seen = [step["progress"] async for step in connection.pull("city")]
    assert seen == sorted(seen) and seen[-1] == 100
    assert set(seen) <= {0, 90, 99, 100}  # 99 where the end is fetched and not yet stored


async def choose(connection: Connection) -> list[Any]:
    """Each choice about models, and what is said of it."""
    told = [
        await connection.set_alias("team/fast", "city"),
        await connection.aliases(),
        await connection.use("team/fast", "chat"),
        await connection.use(None, "chat"),
        await connection.configure("city", {"temperature": 0.5}),
        await connection.generation("team/fast"),
        await connection.configure("city", {}),
        await connection.unload_all(),
        await connection.remove_alias("team/fast"),
    ]
    for refused in (connection.use("ghost", "chat"), connection.configure("city", {"top_k": 1})):
        with pytest.raises(VenomError) as raised:
            await refused
        told.append(raised.value.record())
    return told


async def test_choices_are_equal() -> None:
    SCRIPTS["city"] = Script(say("Warsaw"))
    first, second = await both(choose)
    assert first == second
