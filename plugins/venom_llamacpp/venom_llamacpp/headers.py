"""Headers of files that are here and of files that are not: what `describe` tells a model by."""

from __future__ import annotations

import asyncio
from pathlib import Path

from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.gguf import GgufHeader, NotGguf, read_header
from venom_core.sdk.hub_download import HubFile
from venom_core.sdk.hub_files import HubRef
from venom_llamacpp.hub import Hub

#: Headers kept; a tensor table is a few hundred kilobytes.
KEPT = 32


class Headers:
    """Reads headers, each once for as long as its file does not change."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._files: dict[tuple[str, int, int], GgufHeader] = {}
        self._remote: dict[HubRef, tuple[HubFile, GgufHeader]] = {}

    async def of_file(self, path: Path) -> GgufHeader:
        """Read the header of a file. Raises ``UpstreamError`` for one that cannot be read or is
        damaged."""
        try:
            return await asyncio.to_thread(self._read, path)
        except (OSError, NotGguf) as error:
            raise UpstreamError(
                "The model's file cannot be read.", fix="Remove it and fetch it again."
            ) from error

    def _read(self, path: Path) -> GgufHeader:
        stat = path.stat()
        key = (str(path), stat.st_size, stat.st_mtime_ns)
        if key not in self._files:
            header = read_header(path)
            if len(self._files) >= KEPT:
                self._files.clear()
            self._files[key] = header
        return self._files[key]

    async def of_hub(self, ref: HubRef) -> tuple[HubFile, GgufHeader]:
        """Return the header of the file that a pull would fetch; raises as ``Hub.header`` does."""
        if ref not in self._remote:
            found = await self._hub.header(ref)
            if len(self._remote) >= KEPT:
                self._remote.clear()
            self._remote[ref] = found
        return self._remote[ref]
