"""`python -m tools.sdk_reference`: write docs/plugins/sdk.md from the SDK's docstrings, and what is
new in the plugin API into what is kept of it.

``--check`` compares instead. Both are red where a public name has no docstring, where a plugin of
ours uses what no other plugin has, and where the API lost what plugins were written against.
"""

from __future__ import annotations

import sys
from functools import partial

from tools import generated
from tools.projects import ROOT
from tools.sdk_reference import kept, page, surface

TARGET = ROOT / "docs" / "plugins" / "sdk.md"


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where the SDK is not described, or where ``--check`` finds the file stale."""
    sections = surface.sections()
    problems = [
        *surface.problems(sections),
        *surface.not_public(ROOT, sections),
        *kept.problems(sections),
    ]
    for problem in problems:
        print(problem)
    files = {TARGET: page.rendered, kept.LOCK: kept.written}
    stale = [
        generated.main("tools.sdk_reference", target, partial(make, sections), arguments, __doc__)
        for target, make in files.items()
    ]
    return int(bool(problems) or any(stale))


if __name__ == "__main__":
    sys.exit(main())
