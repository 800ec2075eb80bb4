"""Run benchmarks: ``python bench/run.py [name ...] [--quick]``. Without a name, all of them.

Each prints a table and writes ``bench/results/<name>.json``. They report and never assert: a goal
that is not met is printed as such, and the exit status is 1 only where a benchmark could not run.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.report import Report, show, write  # noqa: E402

NAMES = (
    *("startup", "memory", "request", "stream", "engine", "fit", "ledger", "kills", "dead"),
    "config_kills",
    *(
        "damaged",
        "healthz",
        "twelve",
        "install",
        "engines",
        "card",
        "tools",
        "selftest",
        "dependencies",
    ),
    *("profile_kills", "profile_switch", "connects", "page", "images", "light"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it works")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    failed = False
    for name in options.names or NAMES:
        started = time.time()
        try:
            report: Report = importlib.import_module(f"bench.{name}").run(quick=options.quick)
        except Exception:
            traceback.print_exc()
            sys.stdout.write(f"\n{name}: could not run\n")
            failed = True
            continue
        show(report)
        if not report.skipped and not options.no_write:
            path = write(report, [name, *(["--quick"] if options.quick else [])], started)
            sys.stdout.write(f"  written to {path.relative_to(sys.path[0])}\n")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
