"""The application and the command line over the scripted provider, for what strangers say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stage import stage
from tests.unit.api.conftest import client, make_venom
from tests.unit.cli.conftest import _scripted_venom, cli, installed, paths
from venom_core.sdk import masking

__all__ = ["_scripted_venom", "cli", "client", "installed", "make_venom", "paths", "stage"]


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    """Know no secret of another test."""
    before = dict(masking._known)
    yield
    for value in set(masking._known) - set(before):
        masking.forget_secret(value)
