"""Names that belong to Venom's own release, as its plugins declare them.

Nothing here is imported by name. The core holds the plugins' pyproject.toml as data of its own: it
has to know a plugin that is not installed, and metadata of what is installed is a stranger's word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from venom_core.sdk.entry_points import ENTRY_POINT_PREFIX

CORE_DISTRIBUTION: Final = "venom"

_PACKAGE = Path(__file__).parents[1]
#: In a wheel the projects lie in the package, and then count alone: beside it, where a checkout has
#: them, anything that is installed could put a folder.
ROOTS: Final = (_PACKAGE / "release", _PACKAGE.parent / "plugins")
#: Kept free for plugins of ours that are to come.
ANNOUNCED: Final[Mapping[str, str]] = {}

#: Plugin and provider names: they become parts of references, variables and file names.
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME: Final = 64


def normalized(distribution: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def is_name(text: object) -> bool:
    """Return whether ``text`` can be a plugin's or a provider's name."""
    return isinstance(text, str) and len(text) <= LONGEST_NAME and bool(NAME.fullmatch(text))


def declared_names(roots: tuple[Path, ...] = ROOTS) -> dict[str, str]:
    """Return the names that the release's plugins declare, each with its distribution: their entry
    points, and what ``[tool.venom] reserves`` adds (aliases of their providers).

    Args:
        roots: folders with one folder for each plugin; the first that is there.

    Raises:
        RuntimeError: there is none, so nothing would protect our names.
    """
    import tomllib

    root = next((root for root in roots if root.is_dir()), None)
    if root is None:
        raise RuntimeError("venom_core holds no list of its plugins; install it again")
    found: dict[str, str] = {}
    for file in sorted(root.glob("*/pyproject.toml")):
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        project: dict[str, Any] = data["project"]
        groups = project["entry-points"].items()
        ours = [points for group, points in groups if group.startswith(ENTRY_POINT_PREFIX)]
        names = [name for points in ours for name in points]
        names += data.get("tool", {}).get("venom", {}).get("reserves", [])
        found.update(dict.fromkeys(names, normalized(project["name"])))
    return found


#: Entry points and provider names that only the distribution of our release may use.
RESERVED_NAMES: Final[Mapping[str, str]] = {**ANNOUNCED, **declared_names()}
FIRST_PARTY: Final = frozenset(RESERVED_NAMES.values()) | {CORE_DISTRIBUTION}
