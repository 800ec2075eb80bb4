from __future__ import annotations

import json
import os

import pytest

from venom_core.plugins.discovery import Found
from venom_core.plugins.markers import CrashMarkers
from venom_core.settings.paths import Paths

FOUND = Found("acme", "m", "v1", "venom-acme", "1.0", "third_party")


@pytest.fixture
def paths(tmp_path):
    return Paths.at(tmp_path / "home")


def leave(paths, **changes):
    """A marker as a process leaves it that ended during an import."""
    markers = CrashMarkers(paths)
    with markers.importing(FOUND):
        path = next(paths.run_dir.iterdir())
        content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))
    return path


def test_gone_after_the_import(paths):
    markers = CrashMarkers(paths)
    with markers.importing(FOUND):
        assert len(list(paths.run_dir.iterdir())) == 1
    assert list(paths.run_dir.iterdir()) == []
    with pytest.raises(ValueError, match="x"), markers.importing(FOUND):
        raise ValueError("x")
    assert list(paths.run_dir.iterdir()) == []


def test_import_of_a_living_process_is_no_crash(paths):
    with CrashMarkers(paths).importing(FOUND):
        assert not CrashMarkers(paths).crashed(FOUND)


def test_dead_process_is_a_crash_until_it_is_forgotten(paths):
    leave(paths, pid=2**22 + 1)
    markers = CrashMarkers(paths)
    assert markers.crashed(FOUND)
    markers.forget(FOUND)
    assert not markers.crashed(FOUND)


def test_later_process_with_the_same_number_is_no_alibi(paths):
    leave(paths, pid=os.getpid(), started=1.0)
    assert CrashMarkers(paths).crashed(FOUND)


def test_other_version_gets_a_chance(paths):
    leave(paths, pid=2**22 + 1, version="0.9")
    assert not CrashMarkers(paths).crashed(FOUND)


def test_marker_cut_short_is_a_crash(paths):
    leave(paths).write_text('{"pid": 1')
    assert CrashMarkers(paths).crashed(FOUND)


def test_names_are_made_fit_for_files(paths):
    odd = Found("../../x y", "m", "v1", "venom-acme", "1.0", "third_party")
    with CrashMarkers(paths).importing(odd):
        assert len(list(paths.run_dir.iterdir())) == 1
