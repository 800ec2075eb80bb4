"""``GET /healthz`` every 20 ms while one client does its worst, and the memory before and after.

The twelve largest bodies go to this checkout and, where ``BENCH_BEFORE`` names another one (its
folder, with a ``.venv`` in it), to that one's server too, in turns. Each round begins with a quiet
second: what ``/healthz`` takes then is what the machine takes for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.attacks import ATTACKS, Attack, Target, at_once
from bench.bodies import TAKEN, TWELVE
from bench.probe import Probe
from bench.processes import ROOT, Server, free_port, serving
from bench.report import Figure, Goal, Report
from bench.subjects import VENOM, module, venom_env

GOAL = Goal("value", 200.0)
QUIET_SECONDS = 1.0
GIVEN_BACK_AFTER = 10.0
GIVEN_BACK_QUICKLY = 3.0
BEFORE = "BENCH_BEFORE"


@dataclass
class Samples:
    """One attack on one server, round by round. Times in ms, memory (resident) in MB."""

    worst: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    quiet_worst: list[float] = field(default_factory=list)
    quiet_p99: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        return {
            "worst_ms": self.worst,
            "p99_ms": self.p99,
            "quiet_worst_ms": self.quiet_worst,
            "quiet_p99_ms": self.quiet_p99,
            "answer": self.answers[-1],
            "seconds": [round(seconds, 2) for seconds in self.seconds],
            "memory_mb": {name: round(value) for name, value in self.memory.items()},
        }


@dataclass
class Subject:
    """A server under attack."""

    server: Server
    probe: Probe
    target: Target

    def attacked(self, attack: Attack, into: Samples, *, wait: float | None) -> None:
        """Let it be attacked; with ``wait``, memory is looked at so many seconds later."""
        self.probe.take()
        time.sleep(QUIET_SECONDS)
        quiet = self.probe.take()
        begun = time.monotonic()
        with self._memory(into, wait):
            into.answers.append(asyncio.run(attack(self.target)))
            into.seconds.append(time.monotonic() - begun)
            time.sleep(0.1)  # what was asked at its end is answered
            times = self.probe.take()
        into.worst.append(max(times))
        into.p99.append(_p99(times))
        into.quiet_worst.append(max(quiet))
        into.quiet_p99.append(_p99(quiet))

    @contextlib.contextmanager
    def _memory(self, into: Samples, wait: float | None) -> Iterator[None]:
        over = threading.Event()
        seen = [self._resident()]

        def watch() -> None:
            while not over.wait(0.05):
                seen.append(self._resident())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
        if wait is not None:
            time.sleep(wait)
            into.memory = {"before": seen[0], "most": max(seen), "given back": self._resident()}

    def _resident(self) -> float:
        return float(self.server.process.memory_info().rss) / 1e6


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[-1] if len(times) > 1 else times[0]


def run(*, quick: bool = False) -> Report:
    rounds, wait = (1, GIVEN_BACK_QUICKLY) if quick else (3, GIVEN_BACK_AFTER)
    report = Report("healthz", rounds=rounds)
    before = os.environ.get(BEFORE)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="venom-bench-")))
        upstream = stack.enter_context(module("hostile", home)).port
        after = stack.enter_context(_subject(ROOT, home / "after", upstream))
        subjects = {"after": after}
        if before:
            other = _subject(Path(before).resolve(), home / "before", upstream)
            subjects = {"before": stack.enter_context(other), **subjects}
        twelve = {name: at_once(1, sent) for name, sent in TWELVE.items()}
        found = _rounds(twelve, subjects, rounds, wait)
        taken = {name: at_once(1, sent) for name, sent in TAKEN.items()}
        others = _rounds({**taken, **ATTACKS}, {"after": after}, rounds, wait)
    report.figures = [
        *(_compared(f"body: {name}", one) for name, one in found.items()),
        *(_compared(name, one) for name, one in others.items()),
    ]
    report.extra = {
        "twelve_largest_bodies": _records(found),
        "attacks": {name: one["after"].record() for name, one in others.items()},
        "before": _commit(before) if before else None,
        "memory_given_back_after_seconds": wait,
    }
    _say(report, {**found, **others}, wait)
    return report


def _rounds(
    attacks: Mapping[str, Attack], subjects: Mapping[str, Subject], rounds: int, wait: float
) -> dict[str, dict[str, Samples]]:
    found: dict[str, dict[str, Samples]] = {}
    for name, attack in attacks.items():
        samples = {which: Samples() for which in subjects}
        for number in range(rounds):
            for which, subject in subjects.items():
                seen = number == rounds - 1 and which == "after"
                subject.attacked(attack, samples[which], wait=wait if seen else None)
        found[name] = samples
        after = samples["after"]
        said = f"{name}: {max(after.worst):.0f} ms, {after.answers[-1]}, {after.memory}\n"
        sys.stderr.write(said)
    return found


def _compared(name: str, samples: Mapping[str, Samples]) -> Figure:
    after = samples["after"]
    if "before" in samples:
        worst = samples["before"].worst
        return Figure(name, "ms", after.worst, worst, "before", (GOAL,))
    return Figure(name, "ms", after.worst, after.quiet_worst, "quiet", (GOAL,))


def _records(found: Mapping[str, Mapping[str, Samples]]) -> dict[str, Any]:
    return {
        name: {which: samples[which].record() if which in samples else None
               for which in ("before", "after")}
        for name, samples in found.items()
    }  # fmt: skip


def _say(report: Report, found: Mapping[str, Mapping[str, Samples]], wait: float) -> None:
    every = [samples["after"] for samples in found.values()]
    quiet = [value for one in every for value in one.quiet_worst]
    worst = [value for one in every for value in one.worst]
    kept = {name: one["after"].memory for name, one in found.items()}
    grown = max(kept, key=lambda name: kept[name]["given back"] - kept[name]["before"])
    memory = kept[grown]
    calm = statistics.median(quiet)
    back = f"{memory['before']:.0f}, {memory['most']:.0f}, {memory['given back']:.0f} MB"
    report.notes = [
        f"worst of all: {max(worst):.0f} ms; median of them: {statistics.median(worst):.0f} ms",
        f"quiet seconds: median of the worst {calm:.1f} ms, at most {max(quiet):.0f} ms",
        f"over 200 ms: {sum(value > GOAL.limit for value in worst)} of {len(worst)} rounds",
        f"least memory given back ({grown}): before, at most, {wait:g} s later {back}",
    ]


def _commit(checkout: str) -> str:
    argv = ["git", "rev-parse", "HEAD"]
    return subprocess.run(
        argv, cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.strip()


@contextlib.contextmanager
def _subject(checkout: Path, home: Path, upstream: int) -> Iterator[Subject]:
    """The server of a checkout, with a key, over the hostile upstream."""
    python = sys.executable if checkout == ROOT else str(checkout / ".venv" / "bin" / "python")
    command = [python, *VENOM[1:]]
    env = venom_env(home, upstream)
    home.mkdir()
    key = subprocess.run(
        [*command, "keys", "create", "bench"],
        env={**os.environ, **env},
        cwd=checkout,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    port = free_port()
    argv = [*command, "serve", "--host", "127.0.0.1", "--port", str(port)]
    log = home / "bench-serve.log"
    with serving(argv, port, log, env, cwd=checkout) as server, Probe(port) as probe:
        yield Subject(server, probe, Target(port, key, upstream))
