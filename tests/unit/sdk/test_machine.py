"""Memory as a container sees it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from venom_core.sdk import machine
from venom_core.sdk.machine import this_machine

GIB = 1024**3


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    places = (
        (tmp_path, "memory.max", "memory.current"),
        (tmp_path / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    )
    monkeypatch.setattr(machine, "CGROUPS", places)
    return tmp_path


def test_without_a_limit_it_is_the_systems_memory(cgroup: Path) -> None:
    assert this_machine().memory_total_bytes == psutil.virtual_memory().total
    (cgroup / "memory.max").write_text("max\n")
    (cgroup / "memory.current").write_text("1000\n")
    assert this_machine().memory_total_bytes == psutil.virtual_memory().total


def test_a_containers_limit_is_what_there_is(cgroup: Path) -> None:
    (cgroup / "memory.max").write_text(f"{GIB}\n")
    (cgroup / "memory.current").write_text(f"{GIB // 2}\n")
    (cgroup / "memory.stat").write_text(f"anon 5\ninactive_file {GIB // 8}\n")
    found = this_machine()
    assert (found.memory_total_bytes, found.memory_available_bytes) == (GIB, GIB // 2 + GIB // 8)


def test_the_first_version_of_control_groups_is_read_too(cgroup: Path) -> None:
    (cgroup / "memory").mkdir()
    (cgroup / "memory" / "memory.limit_in_bytes").write_text(f"{GIB}\n")
    (cgroup / "memory" / "memory.usage_in_bytes").write_text(f"{2 * GIB}\n")
    assert this_machine().memory_available_bytes == 0


@pytest.mark.parametrize("text", ["", "nonsense", "-5", "9" * 30])
def test_what_cannot_be_a_limit_is_none(cgroup: Path, text: str) -> None:
    (cgroup / "memory.max").write_text(text)
    (cgroup / "memory.current").write_text("0")
    assert this_machine().memory_total_bytes == psutil.virtual_memory().total
