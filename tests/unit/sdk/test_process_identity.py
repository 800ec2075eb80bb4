"""A number and a start time name a process for good."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from venom_core.sdk.process_identity import TOLERANCE_SECONDS, ProcessIdentity
from venom_core.testing.deadlines import patience


def test_this_process_lives_and_survives_a_file() -> None:
    own = ProcessIdentity.own()
    assert own.lives() and ProcessIdentity.parse(own.record()) == own
    found = own.find()
    assert found is not None and found.pid == own.pid


@pytest.mark.parametrize("away", [-TOLERANCE_SECONDS - 0.1, TOLERANCE_SECONDS + 0.1])
def test_a_later_process_of_the_same_number_is_another(away: float) -> None:
    own = ProcessIdentity.own()
    assert not ProcessIdentity(own.pid, own.started + away).lives()
    assert ProcessIdentity(own.pid, own.started + away / 3).lives()


@pytest.mark.parametrize("pid", [2**22 + 17, 2**40, -1])
def test_no_process_has_this_number(pid: int) -> None:
    assert not ProcessIdentity(pid, 0.0).lives()


def test_a_zombie_does_not_live() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    try:
        identity = ProcessIdentity.of(psutil.Process(child.pid))
        assert child.stdout is not None
        child.stdout.read()  # its end: it closes them all when it exits
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        assert not identity.lives()
    finally:
        child.communicate(timeout=patience(30))


@pytest.mark.parametrize("record", [{}, {"pid": 1}, {"pid": 1, "started": None}, {"pid": "x"}])
def test_a_damaged_record_is_refused(record: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        ProcessIdentity.parse(record)
