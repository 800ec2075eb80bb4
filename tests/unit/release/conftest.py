"""A tree to check, and a release in it that has nothing wrong."""

from __future__ import annotations

from tests.unit.checks.conftest import plant

__all__ = ["plant"]
