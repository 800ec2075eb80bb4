"""Files that are made from the code and checked in: written, or compared with ``--check``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.projects import ROOT


def main(
    module: str,
    target: Path,
    make: Callable[[], str],
    arguments: Sequence[str] | None = None,
    description: str | None = None,
) -> int:
    """Write what ``make`` returns to ``target``; with ``--check`` return 1 where that is stale.

    Args:
        module: whose ``python -m`` writes the file.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--check", action="store_true", help="1 where the file is stale")
    options = parser.parse_args(arguments)
    name = target.relative_to(ROOT).as_posix() if target.is_relative_to(ROOT) else target.name
    text = make()
    stale = not target.is_file() or target.read_text(encoding="utf-8") != text
    if options.check:
        if stale:
            print(f"{name} is stale: write it with: python -m {module}")
        return int(stale)
    if stale:
        target.write_text(text, encoding="utf-8")
    print(f"{name} {'is written' if stale else 'was as the code has it'}")
    return 0
