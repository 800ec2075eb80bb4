"""A folder for copies of the store that are needed for a moment.

It lies in the data directory, which is the owner's alone, and not in the system's folder for
temporary files. What a killed process leaves there is swept at the next start.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from venom_core.sdk.disk import discard
from venom_core.sdk.process_identity import ProcessIdentity

_PREFIX = ".scratch-"


@contextlib.contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """Give a folder that is gone when the block ends. Raises ``OSError``."""
    sweep(home)
    own = ProcessIdentity.own()
    folder = home / f"{_PREFIX}{own.pid}-{own.started:.2f}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        discard(folder)


def sweep(home: Path) -> None:
    """Remove what processes that live no longer have left."""
    for folder in home.glob(f"{_PREFIX}*"):
        pid, _, rest = folder.name.removeprefix(_PREFIX).partition("-")
        try:
            owner = ProcessIdentity(int(pid), float(rest.partition("-")[0]))
        except ValueError:
            continue
        if not owner.lives():
            discard(folder)
