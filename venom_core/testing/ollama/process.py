"""The fake in a process of its own, with its control paths as methods."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.request import ProxyHandler, Request, build_opener

from venom_core.testing.deadlines import eventually, patience

# The environment may name a proxy; loopback never goes through one.
_OPENER = build_opener(ProxyHandler({}))


class FakeOllama:
    """Starts the fake, ends it on exit.

    Example::

        with FakeOllama() as fake:
            fake.fault("/api/chat", "reset", after_bytes=200)
            ...
            assert fake.requests()[-1]["client_gone"]

    Args:
        version: the Ollama version that it claims to be.
        scenarios: derived answers to switch on (:mod:`venom_core.testing.ollama.scenarios`).
    """

    def __init__(self, *, version: str | None = None, scenarios: tuple[str, ...] = ()) -> None:
        self._arguments: list[str] = []
        if version:
            self._arguments += ["--version", version]
        for name in scenarios:
            self._arguments += ["--scenario", name]
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> Self:
        """Start the process and wait for its URL. Raises RuntimeError with what it printed."""
        command = [sys.executable, "-m", "venom_core.testing.ollama", "--port", "0"]
        # The pipe on stdin ties its life to ours: it ends when the pipe closes, however we end.
        self._process = subprocess.Popen(
            [*command, "--until-stdin-closes", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line.startswith("http://"):
            self.close()
            raise RuntimeError(f"the fake did not start, it said {line!r}; stderr has the reason")
        self.url = line
        return self

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=patience(5))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=patience(5))
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def kill(self) -> None:
        """End it as a crash would, to see what is said of an Ollama that went away."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=patience(5))

    def fault(self, path: str, kind: str, **details: Any) -> None:
        """Let something go wrong with the next request to ``path``."""
        self._call("POST", "/faults", {"path": path, "kind": kind, **details})

    def prefer(self, *records: str) -> None:
        """Let these answer of several records of one request."""
        self._call("POST", "/settings", {"prefer": list(records)})

    def scenario(self, *names: str) -> None:
        """Switch to these scenarios (none: faithful replay)."""
        self._call("POST", "/settings", {"scenarios": list(names)})

    def ask(self, path: str, body: Any) -> None:
        """Send what another client would, and read the answer to its end."""
        request = Request(f"{self.url}{path}", data=json.dumps(body).encode(), method="POST")
        with _OPENER.open(request, timeout=patience(10)) as answer:
            answer.read()

    def loads(self) -> list[dict[str, Any]]:
        """Return the engines started so far, each with what it was started with; of an Ollama from
        0.30 on."""
        loads: list[dict[str, Any]] = self._call("GET", "/engine")["loads"]
        return loads

    def shifted(self) -> int:
        """Return how many answers went on past the context; of an Ollama from 0.30 on."""
        return int(self._call("GET", "/engine")["shifted"])

    def settings(self, **values: Any) -> None:
        """Change ``version``, ``line_ms``, ``default_context`` or ``keeps`` (:mod:`.keeping`)."""
        self._call("POST", "/settings", values)

    def reset(self) -> None:
        """Return to the state after the start: no faults, no requests, no scenarios but the first
        ones."""
        self._call("POST", "/reset", {})

    def requests(self) -> list[dict[str, Any]]:
        """Return what was asked, in order; see :class:`venom_core.testing.ollama.fake.Entry`."""
        requests: list[dict[str, Any]] = self._call("GET", "/requests")
        return requests

    def wait_for(
        self, condition: Callable[[dict[str, Any]], bool], seconds: float = 5.0
    ) -> dict[str, Any]:
        """Wait for the first request that meets ``condition``. Raises TimeoutError listing the
        requests."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = filter(condition, self.requests())
            return bool(found)

        if not eventually(is_there, seconds):
            raise TimeoutError(f"no such request: {self.requests()}")
        return found[0]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        # The URL is the one that our own child printed.
        request = Request(f"{self.url}/__fake__{path}", data=data, method=method)
        with _OPENER.open(request, timeout=patience(10)) as answer:
            return json.load(answer)
