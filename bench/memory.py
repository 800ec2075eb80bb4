"""Memory of ``venom serve``, engine children not counted: idle with the store open, and under load.

The load is 64 paced streams of 200 tokens, several times over: what grows from the second to the
last of them would grow for ever.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from bench.processes import Client, Server
from bench.report import Figure, Goal, Report
from bench.subjects import BODY, module, venom

STREAMS = 64


def run(*, quick: bool = False) -> Report:
    rounds, loads, tokens = (1, 3, 50) if quick else (3, 8, 200)
    report = Report("memory", rounds=rounds)
    idle, bare, peak, growth = [], [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
            home = Path(folder)
            key = _make_key(home)
            with (
                module("bare", home) as baseline,
                module("upstream", home) as upstream,
                venom(home, upstream.port) as server,
                Client() as client,
            ):
                _load(client, server, key, 1, 2)  # opens the store and the provider
                time.sleep(2)
                idle.append(server.memory_mb())
                bare.append(baseline.memory_mb())
                peaks = [_load(client, server, key, STREAMS, tokens) for _ in range(loads)]
                peak.append(max(peaks))
                growth.append(peaks[-1] - peaks[1])
    report.figures = [
        Figure("idle, store open", "MB", idle, bare, "bare FastAPI", (Goal("value", 80.0),)),
        Figure("most under 64 streams", "MB", peak, goals=(Goal("value", 130.0),)),
        Figure(f"growth, load 2 to load {loads}", "MB", growth),
    ]
    report.extra = {"streams": STREAMS, "tokens": tokens, "loads": loads, "measure": "PSS"}
    return report


def _make_key(home: Path) -> str:
    """A key, so that each request goes through the store."""
    from venom_core.settings.paths import Paths
    from venom_core.store.database import open_database
    from venom_core.store.keys import KeyRepository

    engine = open_database(Paths.resolve({"VENOM_HOME": str(home)}).store_file)
    key, _ = KeyRepository(engine).create("bench")
    engine.dispose()
    return key


def _load(client: Client, server: Server, key: str, streams: int, tokens: int) -> float:
    """One load; the most memory seen during it, in MB."""
    seen = [0.0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            seen.append(server.memory_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        body = {**BODY, "max_tokens": tokens, "seed": 20_000}
        client.do("streams", port=server.port, count=streams, body=body, key=key)
    finally:
        over.set()
        watcher.join()
    return max(seen)
