"""pip in an environment's making, played: it fetches and installs a module at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

MODULE = "acme_engine"
WHEEL = b"a wheel"


def file_of(name: str) -> str:
    return f"{name.replace('-', '_')}-1.0-py3-none-any.whl"


@dataclass
class PlayedPip:
    """Stands where ``Pip`` is; what it is to do may be changed meanwhile.

    Args:
        sizes: of the wheels in bytes, as the index says them.
        module: the text of the module that it installs; None installs none.
        stops_at: ``fetch``, the name of what is fetched, or ``unpack``: it comes to no end there.
        failure: what is raised at the step ``fails_at``.
        calls: what it was asked for.
    """

    sizes: dict[str, int] = field(default_factory=lambda: {"acme-engine": 1000})
    module: str | None = ""
    stops_at: str | None = None
    fails_at: str | None = None
    failure: Exception | None = None
    calls: list[str] = field(default_factory=list)
    target: Path | None = None

    def __call__(self, python: str = "", *, target: Path | None = None) -> PlayedPip:
        self.target = target
        return self

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.fails_at == name and self.failure is not None:
            raise self.failure

    def resolve(self, *_: object) -> dict[str, Any]:
        self._called("resolve")
        return {
            "install": [
                {
                    "metadata": {"name": name, "version": "1.0"},
                    "download_info": {
                        "url": f"played://index/{file_of(name)}?{size}",
                        "archive_info": {"hashes": {"sha256": sha256(WHEEL).hexdigest()}},
                    },
                }
                for name, size in self.sizes.items()
            ]
        }

    def _fetch(self, names: Sequence[str], folder: Path, wheels: Path) -> None:
        self._called("fetch")
        self.calls += names
        assert folder.is_dir()
        for name in names:
            (wheels / file_of(name)).write_bytes(WHEEL)

    def _unpack(self, folder: Path) -> None:
        self._called("unpack")
        assert self.target is not None and folder.is_dir()
        (site,) = self.target.parents[1].glob("lib/python*/site-packages")
        if self.module is not None:
            (site / f"{MODULE}.py").write_text(self.module)

    async def download(
        self, requirements: Sequence[str], folder: Path, wheels: Path
    ) -> AsyncGenerator[Sequence[str], None]:
        names = [line.partition("==")[0] for line in requirements]
        await asyncio.to_thread(self._fetch, names, folder, wheels)
        yield ("Saved",)
        if self.stops_at in ("fetch", *names):
            await asyncio.Event().wait()

    async def installing(
        self, pinned: Sequence[str], options: Sequence[str], folder: Path
    ) -> AsyncGenerator[Sequence[str], None]:
        assert pinned and "--no-index" in options
        await asyncio.to_thread(self._unpack, folder)
        yield ("Installed",)
        if self.stops_at == "unpack":
            await asyncio.Event().wait()
