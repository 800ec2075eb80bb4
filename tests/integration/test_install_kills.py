"""``kill -9`` of the server in the midst of installs; see ``bench/kills.py``, which does it."""

from __future__ import annotations

import os
import time

import pytest

from bench.kills import SOURCES, kill_installs

KILLS = int(os.environ.get("VENOM_KILLS", "50"))


@pytest.mark.engines
@pytest.mark.timeout(300 + 20 * KILLS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_install_goes_on_after_a_kill(source: str) -> None:
    seed = int(time.time())
    outcome = kill_installs(source, KILLS, seed)
    faults = (outcome.not_resumed, outcome.wrong_digest, outcome.orphans, outcome.fell)
    assert faults == ([], [], [], []), f"seed {seed}"
    assert outcome.kills >= KILLS and outcome.installs > 0
