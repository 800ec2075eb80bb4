"""The usage ledger beside an upstream that counts too; the bench of this name asks for more."""

from __future__ import annotations

import pytest

from bench.ledger import against_upstream
from bench.servers.faulty import KINDS

REQUESTS = 10_000


@pytest.mark.engines
def test_the_ledger_says_what_the_upstream_counted() -> None:
    told = against_upstream(REQUESTS)
    assert {name: ours for name, ours, _, _ in told.rows} == {
        name: theirs for name, _, theirs, _ in told.rows
    }
    assert set(told.kinds) == set(KINDS), "a kind of end was not among them"
    assert sum(told.kinds.values()) == REQUESTS
