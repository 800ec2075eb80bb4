"""Run the house's checks over a tree and say what they found."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from pathlib import Path

from tools.house.registry import CHECKS, figure_of
from tools.house.tree import Tree

HERE = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 when every check passes, 1 when one finds something, 2 for a name unknown here."""
    parser = argparse.ArgumentParser(prog="python -m tools.house", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(CHECKS)}; all when none is given")
    parser.add_argument("--root", type=Path, default=HERE)
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in CHECKS]
    if unknown:
        print(f"No check named {', '.join(unknown)}; there are: {', '.join(CHECKS)}")
        return 2
    tree = Tree(options.root)
    failed = 0
    for name in options.names or CHECKS:
        started = time.perf_counter()
        problems = CHECKS[name].check(tree)
        figure = figure_of(CHECKS[name], tree)
        spent = time.perf_counter() - started
        line = f"{'red' if problems else 'ok':4}{name:14}{spent:6.2f} s   {figure}"
        print(line.rstrip())
        for problem in problems:
            print(f"      {problem}")
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    gc.disable()  # a fifth of the time: it looked for garbage among parsed files, kept to the end
    sys.exit(main())
