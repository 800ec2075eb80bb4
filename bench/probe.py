"""Asking for ``/healthz`` every 20 ms, in a process of its own: ``python -m bench.probe PORT``.

Each line on standard input is answered with the times in milliseconds since the line before, as one
line of JSON. While one question waits others would have been asked: each of them counts with what
it would have waited.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self

from bench.processes import ROOT

EVERY = 0.02
#: What an answer that did not come counts as.
LONGEST = 60.0


class _Asking:
    def __init__(self, port: int) -> None:
        self._port = port
        self._request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._connection: socket.socket | None = None
        self._times: list[float] = []
        self._lock = threading.Lock()

    def forever(self) -> None:
        while True:
            with self._lock:  # nobody takes the times while a question waits
                took = self._ask()
                while took > 0:
                    self._times.append(round(1000 * took, 3))
                    took -= EVERY
            time.sleep(EVERY)

    def taken(self) -> list[float]:
        with self._lock:
            times, self._times = self._times, []
        return times

    def _ask(self) -> float:
        started = time.perf_counter()
        for _ in range(2):  # a kept connection may be closed under the question
            try:
                if self._connection is None:
                    self._connection = socket.create_connection(("127.0.0.1", self._port), LONGEST)
                self._connection.sendall(self._request)
                if self._connection.recv(4096)[9:12] == b"200":
                    return time.perf_counter() - started
            except OSError:
                pass
            self._connection = None
        return LONGEST


class Probe:
    """The process, from outside."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.probe", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def take(self) -> list[float]:
        """Return the times since this was called last."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        times: list[float] = json.loads(self._process.stdout.readline())
        return times


def main() -> None:
    asking = _Asking(int(sys.argv[1]))
    threading.Thread(target=asking.forever, daemon=True).start()
    for _ in sys.stdin:
        print(json.dumps(asking.taken()), flush=True)


if __name__ == "__main__":
    main()
