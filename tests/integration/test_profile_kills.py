"""``kill -9`` of the server in the midst of profile switches; ``bench/profile_kills.py`` does it,
and many more times."""

from __future__ import annotations

import os
import time

import pytest

from bench.profile_kills import kill_switches

KILLS = int(os.environ.get("VENOM_KILLS", "4"))


@pytest.mark.timeout(300 + 20 * KILLS)
def test_it_is_the_old_profile_or_the_new_after_every_kill() -> None:
    seed = int(time.time())
    outcome = kill_switches(KILLS, seed)
    assert (outcome.neither, outcome.damaged) == ([], []), f"seed {seed}"
    assert outcome.kills >= KILLS and outcome.under_way == outcome.kills
