"""`make requirements`: the older system's requirement files, for those who install from files.

Each is an extra of ours, held to the lock's versions. No index may answer, for another `venom` is
there: pip is told where the wheels are with `--find-links`. ``--check`` compares instead.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import partial

from tools import generated
from tools.projects import ROOT, declared_version

FOLDER = ROOT / "requirements" / "files"
CONSTRAINTS = FOLDER / "constraints-full.txt"
_PIN = re.compile(r"^[A-Za-z0-9][^\s\\]*==[^\\\n]*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RequirementFile:
    """A file of the older system, and what it is here.

    Args:
        install: what pip is asked for instead; empty where nothing of ours is that.
        lock: the lock whose versions it has.
    """

    name: str
    install: str
    lock: str


FILES = (
    RequirementFile("requirements.txt", "venom[full]", "full"),
    RequirementFile("requirements-docker-minimal.txt", "venom[light]", "light"),
    RequirementFile("requirements-ci-lite.txt", "venom[light,testing]", "dev"),
    RequirementFile("requirements-onnx.txt", "venom[light,onnx]", "full"),
)
#: Training, sandboxes, voice: the older system's, and nothing of Venom's.
WITHOUT = ("requirements-academy.txt",)


def rendered(one: RequirementFile) -> str:
    """Return the text of a file: what it installs, held to the lock's versions."""
    held = f"--no-index\n--constraint constraints-{one.lock}.txt"
    return f"# {_MADE}\n{held}\n{one.install}=={declared_version()}\n"


def constraints(lock: str) -> str:
    """Return a lock's versions without hashes, as pip takes constraints."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    pins = [re.sub(r"\[[^\]]*\]", "", pin).strip() for pin in _PIN.findall(text)]
    return "\n".join([f"# {_MADE}", *pins]) + "\n"


_MADE = "Made by `make requirements` from the locks; not to be edited."


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds a file stale."""
    FOLDER.mkdir(exist_ok=True)
    made = {FOLDER / one.name: partial(rendered, one) for one in FILES}
    for lock in sorted({one.lock for one in FILES}):
        made[FOLDER / f"constraints-{lock}.txt"] = partial(constraints, lock)
    stale = [
        generated.main("tools.requirement_files", target, make, arguments)
        for target, make in made.items()
    ]
    return int(any(stale))


if __name__ == "__main__":
    sys.exit(main())
