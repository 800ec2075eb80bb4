"""The usage ledger beside the upstream's own count, with faults; and what a kill -9 loses.

Every kind of end is among the requests: whole answers, errors, broken and abandoned streams,
answers without usage. The upstream counts on its own side; the two are to be equal.
``VENOM_LEDGER`` is the number of requests, 100,000 where it is not set.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import Connection, Outcome, request_bytes
from bench.processes import Server, ask
from bench.report import Figure, Goal, Report
from bench.servers.faulty import KINDS
from bench.servers.upstream import MODEL
from bench.subjects import VENOM, module, venom, venom_env

CONNECTIONS = 16
#: Of each hundred requests, as ``KINDS`` are ordered.
WEIGHTS = (38, 30, 3, 3, 6, 3, 2, 5, 4, 3, 3)
STREAMED = {kind for kind in KINDS if "stream" in kind} | {"client leaves"}
PATIENCE = 30.0
KILL_AFTER = (1.0, 3.0)


def run(*, quick: bool = False) -> Report:
    count = int(os.environ.get("VENOM_LEDGER", "2000" if quick else "100000"))
    kills = 2 if quick else 10
    report = Report("ledger", rounds=1)
    told = against_upstream(count)
    report.figures += [_equal(*row) for row in told.rows]
    ages = [_killed(seconds) for seconds in _moments(kills)]
    report.figures.append(
        Figure(
            "oldest request lost by kill -9, worst", "s", [max(ages)], [], "", (Goal("value", 1),)
        )
    )
    report.extra = {
        "requests": count,
        "connections": CONNECTIONS,
        "kinds": told.kinds,
        "errors": told.errors,
        "without_usage": told.without_usage,
        "kills": kills,
        "oldest_lost_seconds": [round(age, 3) for age in ages],
    }
    return report


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of two sides: name, the ledger's figure, the other side's, whose that is."""

    rows: list[tuple[str, int, int, str]]
    kinds: dict[str, int]
    errors: dict[str, int]
    without_usage: int


def against_upstream(count: int) -> Counts:
    """Send ``count`` requests, with faults, through a server to an upstream that counts too."""
    with _stage() as (home, upstream, server, keys):
        sent = asyncio.run(_send(server.port, count, keys))
        counted = ask(upstream.port, "/count")
        found = _ledger(home, counted["requests"])
    names = ("requests", "prompt_tokens", "completion_tokens")
    rows = [(name.replace("_", " "), found[name], counted[name], "upstream") for name in names]
    bad = ("failed and abandoned", sum(found["errors"].values()), _bad(counted["kinds"]))
    by_key = [
        (f"requests of key {number}", found["keys"].get(key_id, 0), sent[key_id], "client")
        for number, (key_id, _) in enumerate(keys, 1)
    ]
    return Counts(
        [*rows, (*bad, "upstream"), *by_key],
        dict(counted["kinds"]),
        found["errors"],
        found["without_usage"],
    )


def _equal(name: str, ours: int, theirs: int, whose: str) -> Figure:
    goals = (Goal("added", 0), Goal("added", 0, at_least=True))
    return Figure(name, "1", [ours], [theirs], whose, goals)


def _bad(kinds: dict[str, int]) -> int:
    fine = {"whole", "stream", "whole without usage", "stream without usage"}
    return sum(count for kind, count in kinds.items() if kind not in fine)


def _moments(kills: int) -> Iterator[float]:
    moments = random.Random(7)
    for _ in range(kills):
        yield moments.uniform(*KILL_AFTER)


@contextlib.contextmanager
def _stage() -> Iterator[tuple[Path, Server, Server, list[tuple[str, str]]]]:
    """A data directory with two keys, the faulty upstream, and Venom over it."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="venom-bench-")))
        keys = [_key(home, name) for name in ("one", "two")]
        upstream = stack.enter_context(module("faulty", home))
        # A node that broke a connection is not left out here: every request is to reach it.
        env = {"VENOM_REMOTE__RETRY_AFTER": "0"}
        server = stack.enter_context(venom(home, upstream.port, env))
        yield home, upstream, server, keys


def _key(home: Path, name: str) -> tuple[str, str]:
    """The id and the text of a new key."""
    made = subprocess.run(
        [*VENOM, "keys", "create", name],
        env={**os.environ, **venom_env(home)},
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    return made.split("-")[1], made


def _body(kind: int) -> dict[str, Any]:
    question = [{"role": "user", "content": "What is the capital of Poland?"}]
    return {"model": MODEL, "messages": question, "seed": kind, "stream": KINDS[kind] in STREAMED}


class _Leaving(Connection):
    """Closes as soon as an answer's first bytes are there."""

    def data_received(self, data: bytes) -> None:
        outcome = self._now
        super().data_received(data)
        if outcome is not None and outcome.first and outcome.done is not None:
            self.close()
            if not outcome.done.done():
                outcome.done.set_result(None)


async def _send(port: int, count: int, keys: list[tuple[str, str]]) -> Counter[str]:
    """``count`` requests, the kinds mixed by their weights; how many went out with each key."""
    kinds = random.Random(1).choices(range(len(KINDS)), WEIGHTS, k=count)
    work = iter(enumerate(kinds))
    sent: Counter[str] = Counter()
    ready = {
        (kind, key): request_bytes(port, _body(kind), key=key)
        for kind in range(len(KINDS))
        for _, key in keys
    }

    async def one() -> None:
        connection: Connection | None = None
        for number, kind in work:
            key_id, key = keys[number % len(keys)]
            leaves = KINDS[kind] == "client leaves"
            if connection is None or leaves:
                _close(connection)
                connection = await _connect(port, _Leaving if leaves else Connection)
            sent[key_id] += 1
            outcome: Outcome = connection.send(ready[kind, key])
            assert outcome.done is not None
            async with asyncio.timeout(PATIENCE):
                await outcome.done
            if leaves:
                connection = None
        _close(connection)

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    await asyncio.sleep(0.05)  # until the closed ones are closed
    return sent


def _close(connection: Connection | None) -> None:
    if connection is not None:
        connection.close()


async def _connect(port: int, kind: type[Connection]) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(kind, "127.0.0.1", port)
    return connection


def _ledger(home: Path, expected: int) -> dict[str, Any]:
    """Return the store's counts, as soon as it has what is expected or stopped growing."""
    end = time.monotonic() + PATIENCE
    while _rows(home)["requests"] < expected and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(2)  # more than was expected would be wrong too
    return _rows(home)


def _rows(home: Path) -> dict[str, Any]:
    sums = ("requests", "prompt_tokens", "completion_tokens", "without_usage")
    with contextlib.closing(sqlite3.connect(home / "venom.db")) as store:
        columns = ", ".join(f"coalesce(sum({name}), 0)" for name in sums)
        whole = store.execute(f"SELECT {columns} FROM usage_days").fetchone()
        keys = store.execute("SELECT key_id, sum(requests) FROM usage_days GROUP BY key_id")
        found: dict[str, Any] = dict(zip(sums, whole, strict=True)) | {"keys": dict(keys)}
        errors = store.execute("SELECT code, sum(requests) FROM usage_errors GROUP BY code")
        return found | {"errors": dict(errors)}


def _killed(after: float) -> float:
    """Seconds between the end of the oldest request that is lost and the kill; 0 if none is."""
    with _stage() as (home, upstream, server, keys):
        killed: list[float] = []

        async def load() -> None:
            sending = asyncio.create_task(_send(server.port, 1_000_000, keys))
            await asyncio.sleep(after)
            server.process.kill()
            killed.append(time.monotonic())
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
                sending.cancel()
                await sending

        asyncio.run(load())
        server.process.wait(10)
        ends = sorted(end for end in ask(upstream.port, "/count?ends=1")["ends"] if end < killed[0])
        kept = _rows(home)["requests"]
        return killed[0] - ends[kept] if kept < len(ends) else 0.0


if __name__ == "__main__":
    sys.exit("python bench/run.py ledger")
