"""A Chromium for the browser tests: the one that is there, else Debian's where we are root.

VENOM_CHROMIUM  the browser to use, where it is not on the path
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from tools.command import quiet
from tools.projects import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
HOW = (
    "No Chromium was found. Install it (Debian, Ubuntu: sudo apt install chromium; anywhere:"
    " python -m playwright install chromium), or set VENOM_CHROMIUM to its path. The browser tests"
    " do not run without it."
)
# Read here: each test runs without the VENOM_ variables of whoever started it.
CHOSEN = os.environ.get("VENOM_CHROMIUM")


def chromium(bundled: str | None = None) -> str | None:
    """The path of an installed browser, or None; the last resort is one that Playwright fetched."""
    candidates = [CHOSEN, *map(shutil.which, NAMES), bundled]
    return next((path for path in candidates if path and Path(path).is_file()), None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.browser", description=__doc__)
    parser.add_argument("--optional", action="store_true", help="no browser is no error")
    options = parser.parse_args()
    if chromium() is not None:
        return 0
    may_install = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")
    if not may_install:
        print(HOW, file=sys.stderr)
        return 0 if options.optional else 1
    print("Installing Chromium for the browser tests (apt-get install chromium)", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for number, words in enumerate((["update"], ["install", "-y", "chromium"])):
        log = ROOT / ".cache" / "logs" / f"apt-{number}.log"
        quiet(["apt-get", *words], cwd=ROOT, log=log, env=environment)
    return 0 if chromium() else 1


if __name__ == "__main__":
    sys.exit(main())
