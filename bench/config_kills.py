"""A process that is killed while it changes the configuration: always the old state or the new.

Each round begins a process that changes ``config.toml`` and ``secrets.toml`` in one step, over and
over, and kills it (SIGKILL) at another moment; then both files must be of one and the same change,
nothing must be said of them, and the next change must go through. ``VENOM_KILLS`` sets how many.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import ROOT
from bench.report import Figure, Goal, Report
from venom_core.sdk.spec import ProviderSpec, Setting
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

#: Seconds of work before the kill, at most: some changes.
LONGEST = 0.08
SPEC = ProviderSpec(
    name="acme",
    title="Acme",
    summary="",
    factory="acme:Acme",
    capabilities=frozenset(),
    settings=(
        Setting("token", "str", None, "A secret.", secret=True),
        Setting("mode", "str", None, "Any."),
    ),
)
WRITER = """
import sys
from pathlib import Path
from bench.config_kills import SPEC
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

settings = Settings.load(Paths.at(Path(sys.argv[1])))
begin = int(sys.argv[2])
for number in range(begin, begin + 100_000):
    text = f"{number:09}" * 100
    settings.change({"chat.simple_mode_system_prompt": text, "providers.acme.mode": text,
                     "providers.acme.token": text}, [SPEC])
    if number == begin:
        print("at work", flush=True)
"""


@dataclass(slots=True)
class Outcome:
    kills: int = 0
    changes: int = 0
    mixed: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def run(*, quick: bool = False) -> Report:
    kills = 6 if quick else int(os.environ.get("VENOM_KILLS", "200"))
    report = Report("config_kills", rounds=1)
    seed = int(time.time())
    outcome = kill_writers(kills, seed)
    faults = {
        "states that are neither old nor new": outcome.mixed,
        "files that cannot be used": outcome.told,
        "next changes that were refused": outcome.refused,
    }
    report.figures += [
        Figure("kills", "", [float(outcome.kills)]),
        Figure("changes", "", [float(outcome.changes)]),
        *(
            Figure(name, "", [float(len(seen))], goals=(Goal("value", 0),))
            for name, seen in faults.items()
        ),
    ]
    report.notes += [f"{name}: {seen[:3]}" for name, seen in faults.items() if seen]
    report.extra = {"seed": seed}
    return report


def kill_writers(kills: int, seed: int) -> Outcome:
    """Kill so many writers, each after another time, and look at the files after each."""
    outcome, chance = Outcome(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="venom-config-kills-") as folder:
        paths, last = Paths.at(Path(folder)), 0
        while outcome.kills < kills:
            command = [sys.executable, "-c", WRITER, folder, str(last + 1)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
                assert writer.stdout is not None
                writer.stdout.readline()
                time.sleep(chance.uniform(0, LONGEST))
                writer.kill()
            outcome.kills += 1
            number = look(paths, last, outcome)
            outcome.changes += max(number - last, 0)
            last = max(number, last)
    return outcome


def look(paths: Paths, last: int, outcome: Outcome) -> int:
    """Return the number of the change that the files are of."""
    found = Settings.load(paths)
    outcome.told += found.warnings
    values = found.provider(SPEC).values
    texts = {found.core.simple_mode_system_prompt, values["token"], values["mode"]}
    text = str(next(iter(texts)))
    if len(texts) != 1 or text != text[:9] * 100 or int(text[:9]) <= last:
        outcome.mixed.append(f"{[str(one)[:9] for one in texts]} after {last}")
        return last
    try:
        found.change({"usage.retention_days": outcome.kills})
    except Exception as error:
        outcome.refused.append(repr(error))
    return int(text[:9])
