"""`make run` and `make dev`: make .venv from the locks, then run Venom in it.

The standard library only, and a syntax that any Python 3 parses: this runs before anything is
installed, and has to say which Python is needed where it is too old.
"""

import os
import shutil
import sys

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def usable_python() -> None:
    """Go on in this interpreter, or start again in a newer one that is installed, or say so."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])
    here = "{}.{} ({})".format(sys.version_info[0], sys.version_info[1], sys.executable)
    sys.exit(
        "Venom needs Python 3.11 or newer; this is Python {}.\n"
        "Install one (Debian, Ubuntu: sudo apt install python3.11 python3.11-venv) and name it:\n"
        "  make run PYTHON=python3.11".format(here)
    )


if __name__ == "__main__":
    usable_python()
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from tools.environment import main

    sys.exit(main(sys.argv[1:]))
