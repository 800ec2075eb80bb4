"""``kill -9`` of the server at random points of installs: does each go on, and end right?

A Hub of our own sends a model at a steady pace; the server is killed between its start and a moment
after the last byte, and started again. ``VENOM_KILLS=500`` asks for more than fifty.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.processes import free_port, serving
from bench.report import Figure, Goal, Report
from bench.subjects import VENOM
from venom_core.testing.gguf import gguf_bytes
from venom_core.testing.hub import FakeHub

SIZE = 8 * 1024 * 1024
PACE = 8_000_000
LONGEST = 2.0
END_SECONDS = 60.0
#: What installs it, and the name that it has there.
SOURCES = {"llamacpp": "llamacpp://hf.co/org/tiny:Q4_K_M", "hf": "hf://org/tiny:Q4_K_M"}


@dataclass(slots=True)
class Outcome:
    """The outcome; everything but the first two should stay empty."""

    kills: int = 0
    installs: int = 0
    fell: list[str] = field(default_factory=list)
    not_resumed: list[str] = field(default_factory=list)
    wrong_digest: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


def run(*, quick: bool = False) -> Report:
    kills = 6 if quick else int(os.environ.get("VENOM_KILLS", "50"))
    report = Report("kills", rounds=1)
    seed = int(time.time())
    for source in SOURCES:
        outcome = kill_installs(source, kills, seed)
        faults = {
            "not gone on with": outcome.not_resumed,
            "wrong digests": outcome.wrong_digest,
            "orphan files": outcome.orphans,
            "times that progress fell": outcome.fell,
        }
        report.figures += [
            Figure(f"{source}: kills", "", [float(outcome.kills)]),
            Figure(f"{source}: installs ended", "", [float(outcome.installs)]),
            *(
                Figure(f"{source}: {name}", "", [float(len(seen))], goals=(Goal("value", 0),))
                for name, seen in faults.items()
            ),
        ]
        report.notes += [f"{source}: {name}: {seen}" for name, seen in faults.items() if seen]
    report.extra = {"seed": seed, "bytes": SIZE, "bytes_a_second": PACE}
    return report


def kill_installs(source: str, kills: int, seed: int) -> Outcome:
    """Install, kill, start again, until so many kills are done and the last install has ended."""
    outcome, chance = Outcome(), random.Random(seed)
    header = gguf_bytes({"general.architecture": "llama"})
    model = header + random.Random(seed).randbytes(SIZE - len(header))
    with FakeHub() as hub, tempfile.TemporaryDirectory(prefix="venom-kills-") as folder:
        hub.add("org/tiny", {"tiny-Q4_K_M.gguf": model})
        hub.pace = PACE
        home = Path(folder)
        installing = Installing(home, source, hub.url, hashlib.sha256(model).hexdigest(), outcome)
        while outcome.kills < kills:
            installing.one_life(time.monotonic() + chance.uniform(0.3, LONGEST))
        installing.one_life(None)
    return outcome


@dataclass(slots=True)
class Installing:
    """One data directory over many lives of its server."""

    home: Path
    source: str
    hub: str
    sha256: str
    outcome: Outcome
    operation: str | None = None
    seen: tuple[int, int] = (0, 0)

    def one_life(self, killed_at: float | None) -> None:
        """Start a server and watch it: until the moment comes, or, without one, until the install
        has ended."""
        port = free_port()
        argv = [*VENOM, "serve", "--port", str(port)]
        env = {
            "VENOM_HOME": str(self.home),
            "OLLAMA_HOST": "127.0.0.1:9",
            "HF_ENDPOINT": self.hub,
            "HF_HUB_CACHE": str(self.home / "huggingface"),
        }
        with serving(argv, port, self.home / "serve.log", env) as server:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
                for shown in self._watched(client, killed_at):
                    self._look(shown)
                    if shown["status"] == "completed":
                        self._check(client)
            if killed_at is not None:
                server.process.kill()
                self.outcome.kills += 1

    def _watched(self, client: httpx.Client, killed_at: float | None) -> Iterator[dict[str, Any]]:
        gives_up = time.monotonic() + END_SECONDS
        while killed_at is None or time.monotonic() < killed_at:
            if self.operation is None:
                if killed_at is None and self.outcome.installs:
                    return
                body = {"name": SOURCES[self.source]}
                begun = client.post("/api/v1/models/install", json=body)
                begun.raise_for_status()
                self.operation, self.seen = begun.json()["operation_id"], (0, 0)
            path = f"/api/v1/models/operations/{self.operation}"
            shown = client.get(path).raise_for_status().json()["operation"]
            yield shown
            if time.monotonic() > gives_up:
                self.outcome.not_resumed.append(f"{shown['status']}: {shown['message']}")
                return
            time.sleep(0.02)

    def _look(self, shown: dict[str, Any]) -> None:
        now = (shown["progress"], shown["bytes_done"])
        if now < self.seen:
            self.outcome.fell.append(f"{self.seen} -> {now}")
        self.seen = max(now, self.seen)
        if shown["status"] in ("failed", "cancelled", "paused"):
            self.outcome.not_resumed.append(f"{shown['status']}: {shown['error']}")
            self.operation = None

    def _check(self, client: httpx.Client) -> None:
        """The model is there, whole and alone; then it goes, so that the next install is one."""
        large = [path for path in self._files() if path.stat().st_size == SIZE]
        if [_sha256(path) for path in large] != [self.sha256]:
            self.outcome.wrong_digest.append(f"{len(large)} files")
        self.outcome.installs += 1
        self.operation = None
        client.delete(f"/api/v1/models/{SOURCES[self.source]}").raise_for_status()
        self.outcome.orphans += [
            path.name
            for path in self._files()
            if path.suffix in (".part", ".gguf", ".incomplete") or path.stat().st_size > SIZE // 100
        ]

    def _files(self) -> list[Path]:
        folders = (self.home / "models", self.home / "huggingface")
        found = [path for folder in folders for path in folder.rglob("*")]
        return [path for path in found if path.is_file() and not path.is_symlink()]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
