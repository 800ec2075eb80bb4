"""`make test-clients`: the environment of the field's clients, apart from ours.

.cache/clients/env holds those in Python, from requirements/clients.txt, .cache/clients/js those in
JavaScript, from tests/clients/js/package-lock.json. Each is made again when its lock changes.
"""

from __future__ import annotations

import shutil
import sys

from tools.apart import environment, is_stale, stamp
from tools.page import LOGS, npm_ci, npm_missing
from tools.projects import ROOT

HOME = ROOT / ".cache" / "clients"
SOURCES = ROOT / "tests" / "clients" / "js"


def main() -> int:
    if missing := npm_missing():
        print(missing, file=sys.stderr)
        return 1
    HOME.mkdir(parents=True, exist_ok=True)
    say = "Fetching the clients in Python (exact versions, hashes checked)"
    environment("clients", HOME / "env", say)
    lock = SOURCES / "package-lock.json"
    if is_stale(HOME / "js", lock):
        print("Fetching the clients in JavaScript (npm ci)", flush=True)
        javascript()
        stamp(HOME / "js", lock)
    return 0


def javascript() -> None:
    """Nothing of theirs runs at install: what they would fetch then is not in the lock."""
    folder = HOME / "js"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in (".npmrc", "package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, folder)
    npm_ci(folder, LOGS / "clients-npm.log", "--ignore-scripts")


if __name__ == "__main__":
    sys.exit(main())
