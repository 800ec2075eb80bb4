"""``kill -9`` of the server at random points of profile switches: is it the old one or the new?

The server is switched from one profile to the other without a pause, killed, and started again over
the same data directory. ``VENOM_KILLS=500`` asks for more than two hundred.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import threading
import time
import urllib.error
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from bench.processes import Server, ask, free_port, serving
from bench.report import Figure, Goal, Report
from bench.subjects import VENOM

PROFILES = ("light", "llm_off")
#: Seconds from the first switch of a life to its kill, at most.
LONGEST = 1.5
OTHERS = '# kept by hand\n[server]\nlog_level = "warning"  # and this\n'


@dataclass(slots=True)
class Outcome:
    """The outcome; the lists should stay empty. ``under_way`` counts the kills that met a switch
    nobody had an answer to yet, ``taken`` those after which it had been made."""

    kills: int = 0
    switches: int = 0
    under_way: int = 0
    taken: int = 0
    neither: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def run(*, quick: bool = False) -> Report:
    kills = 6 if quick else int(os.environ.get("VENOM_KILLS", "200"))
    report, seed = Report("profile_kills", rounds=1), int(time.time())
    outcome = kill_switches(kills, seed)
    faults = {
        "neither the old nor the new profile": outcome.neither,
        "files that others' lines were lost from": outcome.damaged,
    }
    counts = {
        "kills": outcome.kills,
        "switches answered": outcome.switches,
        "kills during a switch": outcome.under_way,
        "of these, with the new one kept": outcome.taken,
    }
    report.figures = [
        *(Figure(name, "", [float(count)]) for name, count in counts.items()),
        *(
            Figure(name, "", [float(len(seen))], goals=(Goal("value", 0),))
            for name, seen in faults.items()
        ),
    ]
    report.notes = [f"{name}: {seen}" for name, seen in faults.items() if seen]
    report.extra = {"seed": seed}
    return report


def kill_switches(kills: int, seed: int) -> Outcome:
    """Switch, kill and start again, until so many kills are done and looked at."""
    outcome, chance = Outcome(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="venom-profile-kills-") as folder:
        home = Path(folder)
        (home / "config.toml").write_text(OTHERS, encoding="utf-8")
        may_be = [PROFILES[0]]
        while outcome.kills < kills:
            may_be = _life(home, may_be, chance.uniform(0, LONGEST), outcome)
        _life(home, may_be, None, outcome)
    return outcome


def _life(home: Path, may_be: list[str], killed_after: float | None, outcome: Outcome) -> list[str]:
    """Start a server, see that its profile is one that may be, and switch it until it is killed.
    Returns what the profile of the next life may be: what it was, and what was asked for."""
    port = free_port()
    argv = [*VENOM, "serve", "--port", str(port)]
    env = {"VENOM_HOME": str(home), "OLLAMA_HOST": "127.0.0.1:9"}
    with serving(argv, port, home / "serve.log", env) as server:
        known = _look(home, server, may_be, outcome)
        if killed_after is None:
            return [known]
        killing = threading.Timer(killed_after, server.process.kill)
        killing.start()
        try:
            while True:
                asked = PROFILES[known == PROFILES[0]]
                ask(port, f"/api/v1/runtime/profile/{asked}", {})
                outcome.switches += 1
                known = asked
        except (OSError, HTTPException, json.JSONDecodeError, urllib.error.URLError):
            killing.join()
            server.process.wait(20)
        outcome.kills += 1
        return [known, asked]


def _look(home: Path, server: Server, may_be: list[str], outcome: Outcome) -> str:
    """Return the profile of a server that has just started."""
    told = ask(server.port, "/api/v1/profiles")
    active = str(told["active"])
    if active not in may_be or told["configured"] != active:
        outcome.neither.append(f"{active} ({told['configured']}), and not {' or '.join(may_be)}")
    if len(may_be) > 1:
        outcome.under_way += 1
        outcome.taken += active == may_be[1]
    text = (home / "config.toml").read_text(encoding="utf-8")
    if not text.startswith(OTHERS.rstrip("\n")):
        outcome.damaged.append(text)
    said = server.log.read_text(errors="replace").splitlines()
    outcome.damaged += [line for line in said if "config.toml" in line]
    return active
