"""Whether a disk has room for what is about to be fetched."""

from __future__ import annotations

import shutil
from pathlib import Path

from venom_core.sdk.errors import NoDiskSpace
from venom_core.sdk.provider import PullPlan

#: What a disk needs beside the files themselves.
SPARE_BYTES = 64 * 1024 * 1024


def check_space(plan: PullPlan) -> None:
    """Raise ``NoDiskSpace`` where the plan does not fit its disk. Blocks for a system call.

    A plan without a folder or a size says nothing that could be checked beforehand.
    """
    if plan.folder is None or plan.bytes_total is None:
        return
    needed = max(0, plan.bytes_total - plan.bytes_here) + plan.bytes_needed + SPARE_BYTES
    free = shutil.disk_usage(_existing(plan.folder)).free
    if free < needed:
        raise NoDiskSpace(
            f"The disk has {free / 1e9:.1f} GB free; {plan.ref} needs {needed / 1e9:.1f} GB.",
            fix="Free some space, remove a model with venom rm, or set VENOM_HOME to another disk.",
        )


def _existing(folder: Path) -> Path:
    """The nearest folder above that is there: the one to come will be on its disk."""
    return next(path for path in (folder, *folder.parents) if path.exists())
