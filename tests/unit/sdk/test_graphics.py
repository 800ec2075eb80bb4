"""Graphics cards: what each maker's driver tells, and what it may tell instead."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from venom_core.sdk import graphics
from venom_core.sdk.graphics import (
    Card,
    amd_cards,
    cards,
    has_cards,
    has_nvidia,
    parse_nvidia,
    unified_bytes,
)
from venom_core.sdk.machine import Machine

GIB, MIB = 1 << 30, 1 << 20


@pytest.fixture(autouse=True)
def none_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without cards; gives the folder in which AMD's would be listed."""
    monkeypatch.setattr(graphics, "GPU_PROGRAM", "no-such-program")
    folder = tmp_path / "drm"
    monkeypatch.setattr(graphics, "CARDS", folder)
    return folder


def program(path: Path, lines: str) -> str:
    path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def card(folder: Path, name: str, **files: str) -> None:
    device = folder / name / "device"
    device.mkdir(parents=True)
    for file, text in {"vendor": "0x1002", **files}.items():
        (device / file).write_text(f"{text}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12, 1024, 8192\n80, 2048, 8192\n", [(12, 1 * GIB, 8 * GIB), (80, 2 * GIB, 8 * GIB)]),
        ("[N/A], 5, 99999999999999999999\n", [(None, 5 * MIB, None)]),
        ("[N/A], 5, [Not Supported]\n", [(None, 5 * MIB, None)]),
        ("nan, inf, -inf\n", [(None, None, None)]),
        ("-1, -5, 1e308\n", [(None, None, None)]),
        (f"101, {10**30}, {2**63}\n", [(None, None, None)]),
        ("True, None, 12\n", [(None, None, 12 * MIB)]),
    ],
)
def test_what_nvidias_program_prints(text: str, found: list[tuple[float, int, int]]) -> None:
    assert parse_nvidia(text) == tuple(Card(*row) for row in found)


@pytest.mark.parametrize("text", ["", "NVIDIA-SMI has failed", "1, 2", "1, 2, 3, 4"])
def test_what_is_no_card_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no card"):
        parse_nvidia(text)


async def test_cards_of_both_makers(none_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (has_cards(), await cards(5)) == (False, ())
    card(none_here, "card1", mem_info_vram_total=str(24 * GIB), mem_info_vram_used=str(GIB),
         gpu_busy_percent="7")  # fmt: skip
    (none_here / "card1-DP-1" / "device").mkdir(parents=True)  # a socket, whose card is listed
    assert (has_cards(), await cards(5)) == (True, (Card(7, GIB, 24 * GIB),))
    smi = program(none_here.parent / "smi", "echo '1, 2, 3'")
    monkeypatch.setattr(graphics, "GPU_PROGRAM", smi)
    assert await cards(30) == (Card(1, 2 * MIB, 3 * MIB), Card(7, GIB, 24 * GIB))


@pytest.mark.parametrize(
    "files",
    [
        {"vendor": "0x8086", "mem_info_vram_total": str(24 * GIB)},
        {"mem_info_vram_total": str(512 * MIB)},  # a processor's own
        {},
        *({"mem_info_vram_total": text} for text in (
            "-1", "nan", "1e308", str(10**30), str(2**63), "9" * 5000, "", "True", "[]", "٣" * 11)),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_card_of_amds(none_here: Path, files: dict[str, str]) -> None:
    card(none_here, "card0", **files)
    assert amd_cards() == ()


def test_figures_that_cannot_be_leave_the_card(none_here: Path) -> None:
    card(none_here, "card0", mem_info_vram_total=str(16 * GIB), mem_info_vram_used="-3",
         gpu_busy_percent="nan")  # fmt: skip
    assert amd_cards() == (Card(None, None, 16 * GIB),)


@pytest.mark.parametrize(
    ("system", "machine", "set_to", "found"),
    [
        ("Darwin", "arm64", "0", 48 * GIB),
        ("Darwin", "arm64", "57344", 56 * GIB),
        ("Darwin", "arm64", "", 48 * GIB),
        ("Darwin", "arm64", str(10**30), 48 * GIB),
        ("Darwin", "arm64", "-1", 48 * GIB),
        ("Darwin", "arm64", "999999", 64 * GIB),
        ("Darwin", "x86_64", "57344", 0),
        ("Linux", "aarch64", "57344", 0),
    ],
)
async def test_what_metal_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    system: str, machine: str, set_to: str, found: int,
) -> None:  # fmt: skip
    sysctl = program(tmp_path / "sysctl", f"echo '{set_to}'")
    monkeypatch.setattr(graphics.platform, "system", lambda: system)
    monkeypatch.setattr(graphics.platform, "machine", lambda: machine)
    monkeypatch.setattr(graphics.shutil, "which", lambda name: sysctl)
    monkeypatch.setattr(graphics, "APPLE_SECONDS", 30.0)
    monkeypatch.setattr(graphics, "this_machine", lambda: Machine(64 * GIB, GIB, 8, "x"))
    assert await unified_bytes() == found


@pytest.mark.parametrize(
    ("lines", "there"),
    [
        ("echo '3, 100, 8192'", True),
        ("echo 'No devices were found'; exit 6", False),
        ("echo 'could not communicate with the driver'", False),
        ("exit 127", False),
        ("sleep 60", False),
    ],
    ids=["a card", "a driver without one", "words", "a shim", "no end"],
)
def test_whether_nvidia_has_a_card_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, there: bool
) -> None:
    assert not has_nvidia()
    monkeypatch.setattr(graphics, "NVIDIA_SECONDS", 60.0 if there else 1.0)
    monkeypatch.setattr(
        graphics,
        "GPU_PROGRAM",
        program(tmp_path / "smi", f"exec {lines}" if lines.startswith("sleep") else lines),
    )
    assert has_nvidia() is there
