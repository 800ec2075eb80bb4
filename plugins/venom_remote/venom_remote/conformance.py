"""The trial of this provider, for ``venom plugins check remote`` and for the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from venom_core.testing import Subject, trial
from venom_core.testing.conformance.openai_upstream import subject_over
from venom_core.testing.engine import scripted_engine
from venom_core.testing.speaking import speaks


@trial("venom_remote.plugin", engine="scripted OpenAI engine")
async def scripted(folder: Path) -> AsyncIterator[Subject]:
    """Serve the OpenAI wire from an engine that holds no model."""
    async with scripted_engine(speaks) as engine:
        yield subject_over(
            engine,
            settings={"urls": (engine.url,)},
            unreachable={"urls": ("http://127.0.0.1:9",)},
        )
