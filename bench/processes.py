"""Starting what is measured, and reading what it costs."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 60.0
_POLL_SECONDS = 0.002


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Server:
    """A process that answers ``/healthz``, and its children."""

    process: psutil.Popen
    port: int
    ready_seconds: float
    log: Path

    def cpu(self) -> float:
        """CPU seconds of the process and its living children, user and system."""
        return sum(cpu_seconds(process) for process in self._tree())

    def memory_mb(self) -> float:
        """PSS of the process itself, without children (an engine is not ours to count); where the
        system does not tell PSS, the unique set size."""
        info = self.process.memory_full_info()
        return float(getattr(info, "pss", info.uss)) / 1e6

    def _tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def cpu_seconds(process: psutil.Process) -> float:
    """Linux counts a thread's nanoseconds on the CPU; elsewhere the clock ticks of 10 ms do."""
    try:
        tasks = list(Path(f"/proc/{process.pid}/task").iterdir())
        counts = [int((task / "schedstat").read_text().split()[0]) for task in tasks]
    except (OSError, ValueError, IndexError):
        counts = []
    return sum(counts) / 1e9 if counts and any(counts) else float(sum(process.cpu_times()[:2]))


@contextlib.contextmanager
def serving(
    argv: Sequence[str],
    port: int,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> Iterator[Server]:
    """Run ``argv`` until the block ends; entered at its first 200 on ``/healthz``.

    It sees no ``VENOM_`` or ``OLLAMA_`` variable but those given. Raises ``RuntimeError`` with the
    end of its log where it ends or stays silent.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("VENOM_", "OLLAMA_"))}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        started = time.perf_counter()
        process = psutil.Popen(
            argv,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=cwd,
            env={**clean, **(env or {})},
        )
        try:
            ready = _wait_healthy(process, port, started, log)
            yield Server(process, port, ready, log)
        finally:
            _stop(process)


def _wait_healthy(process: psutil.Popen, port: int, started: float, log: Path) -> float:
    while time.perf_counter() - started < START_TIMEOUT:
        if process.poll() is not None:
            break
        if _healthy(port):
            return time.perf_counter() - started
        time.sleep(_POLL_SECONDS)
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{process.args} did not answer /healthz\n{tail}")


def _healthy(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            head = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
            probe.sendall(head.encode())
            return probe.recv(64)[9:12] == b"200"
    except OSError:
        return False


def _stop(process: psutil.Popen) -> None:
    children = process.children(recursive=True) if process.is_running() else []
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
    try:
        process.wait(20)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(20)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def ask(port: int, path: str, body: Any = None, timeout: float = 120.0) -> Any:
    """The JSON answer to a GET, or to a POST of ``body``; outside every measurement."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)


class Client:
    """The load in its own process; see ``bench.load``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Run one command of ``bench.load``; raises ``RuntimeError`` with what it says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"do": command, **arguments}), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer
