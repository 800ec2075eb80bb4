"""Services of a real server with the real embedded engine: started, watched, killed, stopped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.integration.test_real_engine import SMALL_TALK, Running, serve
from tests.unit.cli.processes import TEST_HOME, VENOM, environment, fetch_models
from venom_core.testing.deadlines import eventually, patience

NAME = "llamacpp"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fetch_models()
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Running]:
    yield from serve(TEST_HOME / "models", home)


def call(server: Running, method: str, path: str, body: Any = None) -> Any:
    answer = httpx.request(method, f"{server.url}/api/v1{path}", json=body, timeout=patience(120))
    assert answer.status_code == 200, answer.text
    return answer.json()


def service(server: Running) -> dict[str, Any]:
    found = call(server, "GET", "/runtime/status")["services"]
    return next(one for one in found if one["name"] == NAME)


def act(server: Running, action: str) -> Any:
    return call(server, "POST", f"/runtime/{NAME}/{action}")


def venom(home: Path, *words: str) -> str:
    done = subprocess.run(
        [*VENOM, *words], env=environment(home), capture_output=True, text=True, check=True
    )
    return done.stdout


def test_its_life_over_the_api_and_the_command_line(server: Running, home: Path) -> None:
    call(server, "POST", "/models/switch", {"name": SMALL_TALK})
    assert service(server)["status"] == "stopped"
    started = act(server, "start")
    assert started["models"] == [f"llamacpp://{SMALL_TALK}"] and started["changed"]
    running = service(server)
    launcher = psutil.Process(running["pid"])
    assert running["status"] == "running" and launcher in server.engines()
    assert running["memory_mb"] > 50 and running["port"] and running["last_log"]
    assert running["uptime_seconds"] >= 0 and running["cpu_percent"] is not None

    assert not act(server, "start")["changed"]
    assert service(server)["pid"] == running["pid"], "what runs is left as it is"
    assert act(server, "restart")["models"] == started["models"]
    assert service(server)["pid"] != running["pid"]
    assert eventually(lambda: not launcher.is_running())

    # What a kill leaves is told, and cleared by a restart.
    psutil.Process(service(server)["pid"]).kill()
    assert eventually(lambda: service(server)["code"] == "engine_crashed")
    assert service(server)["status"] == "degraded"
    venom(home, "services", "restart", NAME)
    assert service(server)["status"] == "running"

    assert "was stopped" in venom(home, "services", "stop", NAME)
    assert service(server)["status"] == "stopped" and server.engines() == []
    told = call(server, "GET", "/runtime/history?limit=4")["history"]
    assert [one["action"] for one in told] == ["stop", "restart", "restart", "start"]


def test_its_own_figures_are_those_of_the_server(server: Running) -> None:
    found = call(server, "GET", "/runtime/status")["services"]
    core = next(one for one in found if one["name"] == "backend")
    assert core["pid"] == server.process.pid and core["status"] == "running"
    assert core["endpoint"] == server.url and str(core["port"]) in server.url
    assert core["memory_mb"] > 20 and core["last_log"] is not None
