"""Providers by themselves, as the host makes, opens and closes them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from venom_core.sdk.provider import Provider, ProviderContext
from venom_core.sdk.spec import ProviderSpec

P = TypeVar("P", bound=Provider)


def provider_context(
    spec: ProviderSpec, data_dir: Path, models_dir: Path, settings: Mapping[str, Any] = {}
) -> ProviderContext:
    """Return a provider's context: every setting that it declares, with its default where
    ``settings`` has none."""
    values = {setting.name: setting.default for setting in spec.settings}
    logger = logging.getLogger(f"venom.test.{spec.name}")
    return ProviderContext(spec, {**values, **settings}, data_dir, models_dir, logger)


@contextlib.asynccontextmanager
async def opened(provider: P) -> AsyncGenerator[P, None]:
    """Open a provider, and close it behind the block."""
    await provider.open()
    try:
        yield provider
    finally:
        await provider.close()
