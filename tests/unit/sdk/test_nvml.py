"""NVIDIA's library: asked where it is installed, and never in the way where it fails.

The library is a fake: it stands for ``pynvml`` of nvidia-ml-py 13 over a driver.
"""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk import graphics, nvml
from venom_core.sdk.graphics import Card

GIB = 1 << 30
FULL = {"gpu": 37, "used": 3 * GIB, "total": 8 * GIB}


class FakeError(Exception):
    """Stands for NVMLError and its classes."""


class FakeLibrary(types.ModuleType):
    """Cards as dictionaries; a value that is an exception is raised."""

    NVMLError = FakeError
    nvmlMemory_v2 = 2  # noqa: N815 -- its own name

    def __init__(self, cards: list[dict[str, Any]], *, old: bool = False) -> None:
        super().__init__(nvml.BINDING)
        self.__spec__ = ModuleSpec(nvml.BINDING, None)
        self.cards, self.old, self.opened = cards, old, 0
        self.fault: BaseException | None = None
        self.hangs: threading.Event | None = None

    def nvmlInit(self) -> None:  # noqa: N802
        self.opened += 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        if self.hangs is not None:
            self.hangs.wait(60)
        if self.fault is not None:
            raise self.fault
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, at: int) -> dict[str, Any]:  # noqa: N802
        return self.cards[at]

    def nvmlDeviceGetUtilizationRates(self, handle: dict[str, Any]) -> Any:  # noqa: N802
        return types.SimpleNamespace(gpu=_told(handle["gpu"]))

    def nvmlDeviceGetMemoryInfo(self, handle: dict[str, Any], version: int = 1) -> Any:  # noqa: N802
        if self.old and version == 2:
            raise FakeError("not in this driver")
        kept = GIB if version == 1 else 0  # what the driver keeps for itself
        used, total = _told(handle["used"]) + kept, _told(handle["total"])
        return types.SimpleNamespace(used=used, total=total)


def _told(value: Any) -> Any:
    if isinstance(value, BaseException):
        raise value
    return value


def install(monkeypatch: pytest.MonkeyPatch, library: FakeLibrary) -> FakeLibrary:
    monkeypatch.setitem(sys.modules, nvml.BINDING, library)
    monkeypatch.setattr(nvml, "_opened", False)
    return library


@pytest.mark.parametrize(
    ("cards", "found"),
    [
        ([FULL], [Card(37, 3 * GIB, 8 * GIB)]),
        ([FULL, {**FULL, "gpu": 0}], [Card(37, 3 * GIB, 8 * GIB), Card(0, 3 * GIB, 8 * GIB)]),
        ([{**FULL, "gpu": FakeError("part of a card")}], [Card(None, 3 * GIB, 8 * GIB)]),
        ([{**FULL, "used": FakeError("shares memory")}], [Card(37, None, None)]),
        ([{"gpu": 101, "used": -2 * GIB, "total": 2**70}], [Card(None, None, None)]),
        ([], None),
    ],
)
def test_what_the_library_tells(
    monkeypatch: pytest.MonkeyPatch, cards: list[dict[str, Any]], found: list[Card] | None
) -> None:
    install(monkeypatch, FakeLibrary(cards))
    told = nvml.cards()
    assert (told and [Card(*one) for one in told]) == found


def test_an_older_driver_counts_its_own_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeLibrary([FULL], old=True))
    assert nvml.cards() == ((37, 4 * GIB, 8 * GIB),)


def test_it_is_opened_once_and_again_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    library = install(monkeypatch, FakeLibrary([FULL]))
    for _ in range(3):
        assert nvml.cards()
    assert library.opened == 1
    library.fault = FakeError("the driver was replaced")
    assert nvml.cards() is None
    library.fault = None
    assert nvml.cards() and library.opened == 2


def test_a_driver_that_hangs_keeps_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    library = install(monkeypatch, FakeLibrary([FULL]))
    library.hangs = threading.Event()
    asking = threading.Thread(target=nvml.cards)
    asking.start()
    try:
        while not nvml._asking.locked():
            pass
        with pytest.raises(TimeoutError):
            nvml.cards()
    finally:
        library.hangs.set()
        asking.join()
    assert nvml.cards(), "it answers again"


@pytest.mark.parametrize("fault", [None, FakeError("none"), OSError("none"), AttributeError("old")])
async def test_nvidias_program_answers_where_the_library_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: BaseException | None
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 12, 1024, 8192\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(graphics, "GPU_PROGRAM", str(program))
    monkeypatch.setattr(graphics, "CARDS", tmp_path / "none")
    library = install(monkeypatch, FakeLibrary([FULL]))
    library.fault = fault
    (found,) = await graphics.cards(30)
    assert found == (Card(37, 3 * GIB, 8 * GIB) if fault is None else Card(12, GIB, 8 * GIB))
    monkeypatch.delitem(sys.modules, nvml.BINDING)
    monkeypatch.setattr(nvml, "BINDING", "no_such_module")
    assert await graphics.cards(30) == (Card(12, GIB, 8 * GIB),), "not installed"


def test_nothing_is_imported_where_there_is_no_card() -> None:
    code = (
        "import asyncio, sys; from venom_core.sdk import graphics;"
        "graphics.GPU_PROGRAM = 'no-such-program';"
        "print(asyncio.run(graphics.cards(5)), 'pynvml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
