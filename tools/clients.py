"""`make test-clients`: the environment of the field's clients, apart from ours.

.cache/clients/env holds those in Python, from requirements/clients.txt, .cache/clients/js those in
JavaScript and .cache/clients/agents the agents for the terminal (650 MB), both from the
package-lock.json of the folder of their name in tests/clients. Each is made again when its lock
changes.
"""

from __future__ import annotations

import shutil
import sys

from tools.apart import environment, is_stale, stamp
from tools.page import LOGS, npm_ci, npm_missing
from tools.projects import ROOT

HOME = ROOT / ".cache" / "clients"
SOURCES = ROOT / "tests" / "clients"
#: Folders of packages for Node, and what they hold.
NODE = {"js": "the clients in JavaScript", "agents": "the agents for the terminal"}


def main() -> int:
    if missing := npm_missing():
        print(missing, file=sys.stderr)
        return 1
    HOME.mkdir(parents=True, exist_ok=True)
    say = "Fetching the clients in Python (exact versions, hashes checked)"
    environment("clients", HOME / "env", say)
    for name, what in NODE.items():
        lock = SOURCES / name / "package-lock.json"
        if is_stale(HOME / name, lock):
            print(f"Fetching {what} (npm ci)", flush=True)
            _node(name)
            stamp(HOME / name, lock)
    return 0


def _node(name: str) -> None:
    """Nothing of theirs runs at install: what they would fetch then is not in the lock."""
    folder = HOME / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in (".npmrc", "package.json", "package-lock.json"):
        shutil.copy(SOURCES / name / file, folder)
    npm_ci(folder, LOGS / f"clients-{name}.log", "--ignore-scripts")


if __name__ == "__main__":
    sys.exit(main())
