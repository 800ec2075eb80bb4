"""The trial of this part, for ``venom plugins check otel`` and for the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from venom_core.testing import Subject, trial


@trial("venom_otel.plugin", engine="none: nothing is exported")
async def idle(folder: Path) -> AsyncIterator[Subject]:
    """Open it over a collector that is not there; without requests it asks for none."""
    yield Subject(settings={"endpoint": "http://127.0.0.1:9"})
