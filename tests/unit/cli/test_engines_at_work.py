"""`venom engines list`, `start`, `stop`, `logs` and `venom ps`, without a server and with one that
is played."""

from __future__ import annotations

import http.server
import json
import os
import re
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import engines_plugin
from tests.unit.cli.conftest import Cli
from tests.unit.cli.test_connection import own_record
from venom_core._version import __version__
from venom_core.cli import log_showing
from venom_core.cli.connection.server_file import publish
from venom_core.cli.exit_codes import ExitCode
from venom_core.plugins.discovery import Found
from venom_core.sdk.disk import safe_name
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.deadlines import eventually
from venom_core.testing.scripted import Script, say

MODEL = "played://org/m"
RUNS = {
    "name": "acme (org/m)", "provider": "played", "model": "org/m", "reference": MODEL,
    "state": "running", "progress": None, "pid": 4711, "port": 8123, "memory_bytes": 2_000_000_000,
    "started_at": "2020-01-02T10:00:00+00:00", "ready_seconds": 3.0, "restarts": 0,
}  # fmt: skip
STARTS = RUNS | {"state": "starting", "progress": "loading the weights: 50%"}
DETAILS = {"model": {"reference": MODEL, "provider": "played"}}
OTHERS = {"model": {"reference": "other://x", "provider": "other"}}


class Server:
    """Answers by method and path; ``asked`` is what was sent to it."""

    def __init__(self) -> None:
        self.version = __version__
        self.answers: dict[str, Any] = {"GET /api/v1/models/loaded": {"models": []}}
        self.asked: list[str] = []
        self.loading = threading.Event()
        self.engines()

    def engines(self, *engines: dict[str, Any]) -> None:
        self.answers["GET /api/v1/engines"] = {
            "success": True, "count": len(engines), "engines": engines, "providers": ["played"],
            "servers": [],
        }  # fmt: skip

    def answer(self, what: str) -> tuple[int, Any]:
        self.asked.append(what)
        if what.endswith("/healthz"):
            return 200, {"component": "venom-core", "version": self.version}
        if what.endswith("/load"):
            self.loading.wait(60)
        found = self.answers.get(what)
        return (
            (404, {"detail": "gone", "code": "model_not_found"}) if found is None else (200, found)
        )


@pytest.fixture
def server(paths: Paths) -> Iterator[Server]:
    played = Server()
    played.loading.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = played.answer(f"{self.command} {urllib.parse.unquote(self.path)}")
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    publish(paths, own_record(f"http://127.0.0.1:{listening.server_address[1]}"))
    yield played
    played.loading.set()
    listening.shutdown()
    listening.server_close()


@pytest.fixture(autouse=True)
def _engines(installed: list[Found]) -> Iterator[None]:
    engines_plugin.reset()
    installed.append(engines_plugin.ENTRY)
    scripted.SCRIPTS["city"] = Script(say("Warsaw"))
    yield
    engines_plugin.reset()


def test_none_runs_where_no_server_does(cli: Cli) -> None:
    for words in (("engines",), ("engines", "list")):
        listed = cli(*words)
        assert listed.code == 0 and "No engine runs now" in listed.out
        assert "venom engines start MODEL" in listed.out and "scripted-tools" in listed.out
    told = json.loads(cli("engines", "--json").out)
    assert told["engines"] == [] and told["environments"]
    assert engines_plugin.PLAYED.opened == 0


@pytest.mark.parametrize(
    ("engine", "state"),
    [
        (RUNS, "running"),
        (STARTS, "starting (loading the weights: 50%)"),
        (STARTS | {"progress": None}, "starting"),
        (RUNS | {"state": "failed", "pid": None, "port": None}, "ended unexpectedly"),
    ],
)
def test_the_engines_of_the_server(
    cli: Cli, server: Server, engine: dict[str, Any], state: str
) -> None:
    server.engines(engine)
    listed = cli("engines", "list")
    (row,) = (line for line in listed.out.splitlines() if MODEL in line)
    assert re.split(r"\s{2,}", row)[1] == state
    assert ("4711" in row and "8123" in row) is (engine["pid"] is not None)
    assert "2.0 GB" in row and "2020" in row
    assert json.loads(cli("engines", "--json").out)["engines"] == [engine]


def test_environments_are_shown_beside_a_server_of_another_version(
    cli: Cli, server: Server
) -> None:
    server.version = "2020.1.0"
    listed = cli("engines", "list", "--json")
    assert listed.code == 0 and "2020.1.0" in listed.err
    told = json.loads(listed.out)
    assert told["engines"] is None and told["environments"]


def test_ps_says_how_far_a_start_is(cli: Cli, server: Server) -> None:
    server.engines(STARTS, RUNS | {"reference": "played://other"})
    shown = cli("ps")
    assert f"{MODEL} is being loaded (loading the weights: 50%)." in shown.out
    assert "No model is in memory." in shown.out and "played://other" not in shown.out
    assert json.loads(cli("ps", "--json").out)["starting"] == [STARTS]


def test_start_says_how_far_it_is_and_loads_as_load_does(cli: Cli, server: Server) -> None:
    server.answers["GET /api/v1/models/m/details"] = DETAILS
    answer = {"success": True, "message": "It is in memory.", "reference": MODEL, "loaded": True}
    load = f"POST /api/v1/models/{MODEL}/load"
    server.answers[load] = answer
    server.engines(STARTS)
    server.loading.clear()
    asked = "GET /api/v1/engines"
    watching = threading.Thread(
        target=lambda: (
            eventually(lambda: server.asked.count(asked) > 2, 60) and server.loading.set()
        )
    )
    watching.start()
    started = cli("engines", "start", "m")
    watching.join()
    assert (started.code, started.out) == (0, "It is in memory.\n"), started.err
    said = f"{MODEL} is being loaded (loading the weights: 50%)."
    assert started.err.count(said) == 1
    assert json.loads(cli("engines", "start", "m", "--json").out) == answer
    assert server.asked.count(load) == 2


def test_stop_unloads(cli: Cli, server: Server) -> None:
    server.answers["GET /api/v1/models/m/details"] = DETAILS
    server.answers["POST /api/v1/models/m/unload"] = {"success": True, "message": "Gone."}
    assert cli("engines", "stop", "m").out == "Gone.\n"
    told = json.loads(cli("engines", "stop", "m", "--json").out)
    assert told == {"success": True, "message": "Gone."}
    assert cli("engines", "stop").code == ExitCode.USAGE


@pytest.mark.parametrize("verb", ["start", "stop", "logs"])
def test_a_model_without_an_engine_of_ours_is_refused(cli: Cli, server: Server, verb: str) -> None:
    server.answers["GET /api/v1/models/x/details"] = OTHERS
    refused = cli("engines", verb, "x")
    assert refused.code == ExitCode.USAGE and "no_own_engine" in refused.err
    assert "other://x" in refused.err and "venom load NAME" in refused.err
    assert not [what for what in server.asked if what.startswith("POST")]
    assert cli("engines", verb, "nothing").code == ExitCode.NOT_FOUND


def test_the_same_without_a_server(cli: Cli) -> None:
    for verb in ("start", "stop", "logs"):
        refused = cli("engines", verb, "city")
        assert refused.code == ExitCode.USAGE and "no_own_engine" in refused.err
    for command in (("engines", "start"), ("load",)):
        refused = cli(*command, MODEL)
        assert refused.code == ExitCode.UNAVAILABLE and "server_needed" in refused.err
    assert engines_plugin.PLAYED.calls == []
    assert cli("engines", "stop", MODEL).code == 0
    assert engines_plugin.PLAYED.calls == ["unload org/m"]


def log(paths: Paths, name: str, text: str = "x\n") -> Path:
    file = paths.providers_dir / "played" / "engines" / f"{name}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_no_log_yet(cli: Cli) -> None:
    shown = cli("engines", "logs")
    assert shown.code == 0 and "venom engines start MODEL" in shown.out
    assert json.loads(cli("engines", "logs", "--json").out)["lines"] == []
    refused = cli("engines", "logs", "org/m")
    assert refused.code == ExitCode.NOT_FOUND and "log_not_found" in refused.err
    assert f"venom engines start {MODEL}" in refused.err
    assert cli("engines", "logs", "-f", "--json").code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (MODEL, ["one", "two"]),
        ("org/m", ["one", "two"]),
        ("org", ["one", "two"]),
        ("alias", ["one", "two"]),
        ("plain", ["plain"]),
        ("played://plain", ["plain"]),
        ("played://plain-e", ["embeds"]),
    ],
)
def test_the_log_of_a_model(cli: Cli, paths: Paths, name: str, shown: list[str]) -> None:
    log(paths, safe_name("org/m"), "one\ntwo\n")
    log(paths, "plain", "plain\n")
    log(paths, "plain-embeddings", "embeds\n")
    assert cli("alias", "set", "alias", MODEL).code == 0
    done = cli("engines", "logs", name)
    assert (done.code, done.out.splitlines()) == (0, shown), done.err
    told = json.loads(cli("engines", "logs", name, "-n", "1", "--json").out)
    assert told["lines"] == shown[-1:] and told["name"].startswith("played/")


def test_a_part_of_several_names_is_refused(cli: Cli, paths: Paths) -> None:
    for name in ("first", "fine"):
        log(paths, name)
    assert cli("engines", "logs", "fi").code == ExitCode.CONFLICT


def test_without_a_model_it_is_the_log_written_last(cli: Cli, paths: Paths) -> None:
    old, new = log(paths, "old", "old\n"), log(paths, "new", "new\n")
    os.utime(old, (1, 1))
    os.utime(new, (2, 2))
    (paths.logs_dir).mkdir(parents=True, exist_ok=True)
    (paths.logs_dir / "venom.log").write_text("server\n")
    shown = cli("engines", "logs")
    assert shown.out == "new\n" and "played/new" in shown.err


def test_a_log_is_followed(cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    file = log(paths, "plain", "there\n")
    monkeypatch.setattr(log_showing, "new_lines", lambda found: iter([f"comes to {found.name}"]))
    followed = cli("engines", "logs", "plain", "-f", "-n", "1")
    assert followed.out.splitlines() == ["there", f"comes to {file.name}"]
    assert "Ctrl-C" in followed.err
