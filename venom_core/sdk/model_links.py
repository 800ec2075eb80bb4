"""A folder of links to the files of a model that were looked at: what an engine opens."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from venom_core.sdk.disk import Place, discard, disk_errors
from venom_core.sdk.errors import StorageError
from venom_core.sdk.model_files import OwnFile

#: Windows lets developers and administrators make links, and nobody else.
_NO_PRIVILEGE = 1314


def link_files(files: Iterable[OwnFile], own: Path, place: Place) -> None:
    """Make ``own`` anew with links to files that were looked at, and nothing else. Blocks.

    Args:
        place: how a disk's refusal names ``own``.

    Raises ``StorageError``.
    """
    with disk_errors(place):
        discard(own)
        own.mkdir(parents=True, mode=0o700)
        for file in files:
            link = own / file.name
            link.parent.mkdir(parents=True, exist_ok=True)
            _link(file.real, link)


def _link(real: Path, place: Path) -> None:
    try:
        place.symlink_to(real)
    except OSError as error:
        # A hard link would do on the same disk, and make the weights such as are refused.
        if getattr(error, "winerror", None) == _NO_PRIVILEGE:
            raise StorageError(
                "Windows lets Venom make no link to the model's files.",
                fix="Turn on the developer mode of Windows, then try again.",
            ) from error
        raise
