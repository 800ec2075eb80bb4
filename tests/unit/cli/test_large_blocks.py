"""Memory of large bodies is given back: what the C library is told."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from venom_core.cli import serving
from venom_core.cli.serving import LARGE_BLOCK, give_back_large_blocks


def test_the_c_library_is_told_to_keep_no_large_block(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    libc = SimpleNamespace(mallopt=lambda *option: told.append(option))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: libc)
    monkeypatch.setattr(serving.gc, "freeze", lambda: None)
    serving.settle_memory()
    assert told == [(-3, LARGE_BLOCK), (-1, LARGE_BLOCK)]


@pytest.mark.parametrize("fault", [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def missing(name: object) -> object:
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", missing)
    give_back_large_blocks()
