"""A started Venom over the fake engine, behind a key."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.clients.exchange import KEY
from tests.clients.fake_engine import fake_engine
from tools.with_server import server
from venom_core.testing.engine import ScriptedEngine


@contextlib.contextmanager
def venom_over_fake() -> Iterator[tuple[ScriptedEngine, str]]:
    """Give the engine and the URL of the server before it, a process of its own."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="venom-clients-")))
        (folder / "key").write_text(KEY, encoding="utf-8")
        engine = stack.enter_context(fake_engine())
        more = {
            "VENOM_PLUGINS": "remote",
            "VENOM_REMOTE__URLS": engine.url,
            "VENOM_API_KEY_FILE": str(folder / "key"),
        }
        yield engine, stack.enter_context(server(folder / "home", (), "clients", **more))
