"""Fixtures of the embedded provider's tests: GGUF files, wheels, a provider, the real models."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.provider import ProviderContext, PullProgress
from venom_core.testing.contexts import provider_context
from venom_core.testing.gguf import gguf_bytes
from venom_llamacpp.plugin import venom_providers
from venom_llamacpp.provider import LlamaCppProvider

# Read at import: each test gets an environment without VENOM_* variables.
REPOSITORY = Path(__file__).resolve().parents[3]
TEST_HOME = Path(os.environ.get("VENOM_TEST_HOME") or REPOSITORY / ".cache" / "test-home")
REAL_MODELS = ("smollm2:135m", "gemma3-270m-base")

MakeProvider = Callable[..., LlamaCppProvider]


def context(models_dir: Path, data_dir: Path, **settings: Any) -> ProviderContext:
    return provider_context(venom_providers()[0], data_dir, models_dir, settings)


@pytest.fixture
async def make_provider(tmp_path: Path) -> AsyncIterator[MakeProvider]:
    """Makes providers with a home in the test's folder and closes them after the test."""
    made: list[LlamaCppProvider] = []

    def make(**settings: Any) -> LlamaCppProvider:
        made.append(LlamaCppProvider(context(tmp_path / "models", tmp_path / "data", **settings)))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()


@pytest.fixture(scope="session")
def real_models() -> Path:
    """The model store with both built-in models, fetched by the provider's own pull, once."""

    async def fetch() -> None:
        provider = LlamaCppProvider(context(TEST_HOME / "models", TEST_HOME / "data"))
        for ref in REAL_MODELS:
            async for step in provider.pull(ref):
                logging.getLogger("llamacpp").info("%s %s", ref, step)
        await provider.close()

    asyncio.run(fetch())
    return TEST_HOME / "models"


# -- GGUF files ------------------------------------------------------------------------------


@pytest.fixture
def gguf() -> Callable[..., bytes]:
    """Builds the bytes of a GGUF header."""
    return gguf_bytes


# -- wheels ----------------------------------------------------------------------------------


def write_wheel(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    module = name.replace("-", "_")
    info = f"{module}-1.0.0.dist-info"
    path = folder / f"{module}-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as wheel:
        for member, data in files.items():
            wheel.writestr(member, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def wheel() -> Callable[[Path, str, dict[str, bytes]], Path]:
    """Writes a wheel ``name`` 1.0.0 with these members into a folder."""
    return write_wheel


@pytest.fixture
def only_index(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes pip look at one place only: a folder, or the URL of an index."""

    def use(place: str) -> None:
        for name in list(os.environ):
            if name.startswith("PIP_"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_RETRIES", "0")
        if place.startswith("http"):
            monkeypatch.setenv("PIP_INDEX_URL", place)
        else:
            monkeypatch.setenv("PIP_NO_INDEX", "1")
            monkeypatch.setenv("PIP_FIND_LINKS", place)

    return use


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def collect(steps: Any) -> list[PullProgress]:
    """All steps of a pull; fails where the bytes ever fall."""
    found: list[PullProgress] = []
    async for step in steps:
        assert not found or step.bytes_done >= found[-1].bytes_done
        found.append(step)
    return found


@pytest.fixture
def steps_of() -> Callable[[Any], Awaitable[list[PullProgress]]]:
    return collect
