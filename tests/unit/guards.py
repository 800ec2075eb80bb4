"""Stand-ins for providers, handed out as the host does it: guarded."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from venom_core.plugins.guarded import GuardedProvider, Waits
from venom_core.sdk.provider import ProviderContext
from venom_core.sdk.spec import Capability, ProviderSpec


def context(name: str) -> ProviderContext:
    spec = ProviderSpec(name, name.title(), "", "x:X", frozenset(Capability))
    return ProviderContext(spec, {}, Path(), Path(), logging.getLogger(name))


def guarded(inner: Any, name: str = "stub", waits: Waits | None = None) -> GuardedProvider:
    """The stand-in needs the methods that are called and nothing else."""
    return GuardedProvider(inner, context(name), waits or Waits())
