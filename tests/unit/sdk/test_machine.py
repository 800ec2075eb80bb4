"""Memory and CPUs as a container sees them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from venom_core.sdk import machine
from venom_core.sdk.machine import available_memory, this_machine, usable_cores

GIB = 1024**3


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
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


@pytest.fixture
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("250000 100000", 3),
        ("10000 100000", 1),
        ("1600000 100000", 8),
        ("0 100000", 8),
        ("200000 0", 8),
        ("200000", 8),
        ("many few", 8),
    ],
)
@pytest.mark.usefixtures("eight_cpus")
def test_a_cpu_quota_is_what_there_is(cgroup: Path, quota: str, cores: int) -> None:
    (cgroup / "cpu.max").write_text(f"{quota}\n")
    assert usable_cores() == this_machine().cores == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 8), ("150000", 2), ("400000", 4)])
@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
@pytest.mark.usefixtures("eight_cpus")
def test_the_first_versions_quota_is_read_too(
    cgroup: Path, folder: str, quota: str, cores: int
) -> None:
    (cgroup / folder).mkdir()
    (cgroup / folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (cgroup / folder / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores() == cores


def test_available_memory_is_the_machines(cgroup: Path) -> None:
    (cgroup / "memory.max").write_text(f"{GIB}\n")
    (cgroup / "memory.current").write_text(f"{GIB - 4096}\n")
    assert available_memory() == 4096
