"""The script that an engine's interpreter runs: ``python engine_child.py MODULE:CLASS ORIGIN``.

That interpreter may be one of an environment without Venom. It then finds the package
``venom_core`` where this file lies, and the top package of the engine's module at ``ORIGIN``; to
put our whole environment on its path would mix two sets of dependencies.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


class Lent:
    """Finds the given packages, and nothing else, for an interpreter that does not have them."""

    def __init__(self, origins: dict[str, Path]) -> None:
        self.origins = origins

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        origin = self.origins.get(name)
        if origin is None:
            return None
        is_package = origin.name == "__init__.py"
        places = [str(origin.parent)] if is_package else None
        return importlib.util.spec_from_file_location(
            name, origin, submodule_search_locations=places
        )


def main(argv: list[str]) -> int:
    target, origin = argv[1:3]
    module, _, name = target.partition(":")
    core = Path(__file__).resolve().parent.parent / "__init__.py"
    # Last: what the interpreter has of its own comes first.
    lent = Lent({"venom_core": core, module.partition(".")[0]: Path(origin)})
    sys.meta_path.append(lent)
    server = importlib.import_module("venom_core.sdk.engine_server")
    kind = getattr(importlib.import_module(module), name)
    return int(server.serve(kind))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
