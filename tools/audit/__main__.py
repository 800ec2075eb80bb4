"""`python -m tools.audit`: write docs/dependencies.md and docs/pl/dependencies.md.

``--check`` compares instead; ``--json`` prints every import and writes nothing. Each of them is 1
where a heavy package is within reach of a start or a decision is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial

from tools import generated
from tools.audit.packages import problems
from tools.audit.page import TARGETS, rendered
from tools.audit.report import audit, record_of


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__)
    parser.add_argument("--check", action="store_true", help="1 where a page is stale")
    parser.add_argument("--json", action="store_true", help="print the audit, every import in it")
    options = parser.parse_args(arguments)
    found = audit()
    wrong = problems()
    wrong += [f"{name}: a heavy package within reach of a start" for name in found.heavy]
    for line in wrong:
        print(line, file=sys.stderr)
    if options.json:
        print(json.dumps(record_of(found), indent=2))
        return int(bool(wrong))
    passed_on = ["--check"] if options.check else []
    stale = [
        generated.main("tools.audit", target, partial(rendered, language, found), passed_on)
        for language, target in TARGETS.items()
    ]
    return int(bool(wrong) or any(stale))


if __name__ == "__main__":
    sys.exit(main())
