"""The field's clients against servers that run: in their own environment, see tools/clients.py.

``server`` is Venom over a fake engine and behind a key, for what no small model does on demand: it
calls tools, sees images and fails when asked to. ``real`` is Venom with the embedded engine and
its models, started by tools.with_server. With ``VENOM_RECORD=1`` what the clients ask of
``server`` is written to tests/contract/openai/clients/.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.exchange import KEY
from tests.clients.node import MODULES
from tests.clients.recorder import Recorder, recording, write
from tests.clients.serving import venom_over_fake
from venom_core.testing.engine import ScriptedEngine

# Read here: each test runs without the VENOM_ variables of whoever started it.
REAL_URL = os.environ.get("VENOM_E2E_URL")
RECORDING = bool(os.environ.get("VENOM_RECORD"))
LITELLM = importlib.util.find_spec("litellm")
# In any other environment there are no clients to import.
collect_ignore_glob = [] if LITELLM else ["test_*.py"]
if LITELLM and LITELLM.origin:
    # Some read this when they are imported. They fetch nothing and report to nobody: what they
    # would fetch ships with LiteLLM.
    tokenizers = Path(LITELLM.origin).parent / "litellm_core_utils" / "tokenizers"
    os.environ |= {
        "TIKTOKEN_CACHE_DIR": str(tokenizers),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HAYSTACK_TELEMETRY_ENABLED": "False",
        "DO_NOT_TRACK": "1",
    }


@dataclass(frozen=True)
class Place:
    """Holds where a client is pointed to, and the engine behind it."""

    url: str
    engine: ScriptedEngine
    key: str = KEY


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_ORG_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def _served() -> Iterator[tuple[ScriptedEngine, str]]:
    with venom_over_fake() as served:
        yield served


@pytest.fixture(scope="session")
def _recorder(_served: tuple[ScriptedEngine, str]) -> Iterator[Recorder | None]:
    if not RECORDING:
        yield None
        return
    made: dict[str, list[dict[str, Any]]] = {}
    with recording(_served[1]) as recorder:
        recorder.made = made
        yield recorder
    for client, requests in made.items():
        write(client, f"recorded from {versions(client)}", requests)


def versions(client: str) -> str:
    """Return the releases that a recording is of."""
    if not client.endswith("-js"):
        names = [client.removesuffix("-python"), "openai"]
        told = {name: importlib.metadata.version(name) for name in dict.fromkeys(names)}
        return ", ".join(f"{name} {version}" for name, version in told.items())
    packages = {"openai-js": ["openai"], "vercel-ai-js": ["ai", "@ai-sdk/openai-compatible"]}
    files = [(name, MODULES / name / "package.json") for name in packages[client]]
    return ", ".join(f"{name} {json.loads(file.read_text())['version']}" for name, file in files)


@pytest.fixture
def server(
    request: pytest.FixtureRequest,
    _served: tuple[ScriptedEngine, str],
    _recorder: Recorder | None,
) -> Iterator[Place]:
    """Venom over the fake engine; a module's ``CLIENT`` is the name that it is recorded under."""
    engine, url = _served
    if _recorder is None:
        yield Place(f"{url}/v1", engine)
        return
    yield Place(f"{_recorder.url}/v1", engine)
    name = request.node.name.removeprefix("test_").replace("_", " ")
    _recorder.made.setdefault(request.module.CLIENT, []).extend(_recorder.taken(name))


@pytest.fixture(scope="session")
def real() -> str:
    """The ``/v1`` of a server with gemma3-270m-base and smollm2:135m."""
    if REAL_URL is None:
        pytest.fail("VENOM_E2E_URL is not set; `make test-clients` does it", pytrace=False)
    return f"{REAL_URL.rstrip('/')}/v1"
