"""The script that runs vLLM's server: nobody comes in without the key, on any route."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from venom_vllm import engine
from venom_vllm.engine import KeyedRoutes

#: Stands where vLLM's server is: says whether the middleware that it is told of can be found.
SERVER = """
import importlib, sys
if __name__ == "__main__":
    module, _, name = sys.argv[1].rpartition(".")
    found = getattr(importlib.import_module(module), name)
    print(found.__name__, sys.modules["__main__"].__spec__.name)
"""


def answered(headers: list[tuple[bytes, bytes]], kind: str = "http") -> list[dict[str, Any]]:
    """Return what a client without a server behind gets; nothing where it was let in."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Let everybody in."""

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))

    async def receive() -> MutableMapping[str, Any]:
        return {}

    scope = {"type": kind, "headers": headers, "path": "/invocations"}
    asyncio.run(KeyedRoutes(app)(scope, receive, send))
    return sent


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENOM_ENGINE_KEY", "right")


def test_who_has_the_key_is_let_in() -> None:
    assert answered([(b"authorization", b"Bearer right")]) == []
    assert answered([], "lifespan") == []


@pytest.mark.parametrize(
    "headers", [[], [(b"authorization", b"Bearer wrong")], [(b"authorization", b"right")]]
)
def test_nobody_else_is(headers: list[tuple[bytes, bytes]]) -> None:
    start, body = answered(headers)
    assert start["status"] == 401 and b"Unauthorized" in body["body"]
    assert answered(headers, "websocket")[0]["type"] == "websocket.close"


def test_it_runs_the_server_as_its_own_main_does(tmp_path: Path) -> None:
    package = tmp_path.joinpath(*engine.SERVER.split(".")[:-1])
    package.mkdir(parents=True)
    for folder in (package, *package.parents):
        if folder == tmp_path:
            break
        (folder / "__init__.py").touch()
    (package / "api_server.py").write_text(SERVER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, engine.__file__, engine.MIDDLEWARE],
        env={"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["KeyedRoutes", engine.SERVER], done.stderr
