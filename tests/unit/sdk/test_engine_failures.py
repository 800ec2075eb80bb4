"""A runtime's lack of memory as a refusal that names numbers."""

from __future__ import annotations

import sys

import pytest

from venom_core.sdk import engine_failures
from venom_core.sdk.engine_failures import memory_errors, out_of_memory
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.machine import Machine

#: As torch 2.11 says it on a card and 2.13 on a processor, ONNX Runtime 1.31 and llama.cpp.
WORDS = {
    "card": (
        (
            "CUDA out of memory. Tried to allocate 32.00 MiB. GPU 0 has a total capacity of 139.80"
            " GiB of which 190.75 MiB is free. Including non-PyTorch memory"
        ),
        "it asked for 34 MB, and the graphics card has 200 MB of 150.1 GB free.",
    ),
    "torch": (
        (
            "[enforce fail at alloc_cpu.cpp:128] err == 0. DefaultCPUAllocator: can't allocate "
            "memory: you tried to allocate 8589934592 bytes. Error code 12 (Cannot allocate memory)"
        ),
        "it asked for 8.6 GB at once.",
    ),
    "onnx": (
        "Failed to allocate memory for requested buffer of size 1039968768",
        "it asked for 1.0 GB at once.",
    ),
    "llama": (
        "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 4026531872",
        "it asked for 4.0 GB at once.",
    ),
    "llama on a card": (
        "allocating 1000.00 MiB on device 0: cudaMalloc failed: out of memory",
        "it asked for 1.0 GB at once.",
    ),
    "no number": ("std::bad_alloc", "2.5 GB of 8.0 GB are free now."),
    "no size": ("Tried to allocate 1.2.3 MiB. out of memory", "it asked for 0 MB at once."),
}


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Machine(8_000_000_000, 2_500_000_000, 2, "Linux x86_64")
    monkeypatch.setattr(engine_failures, "this_machine", lambda: here)


@pytest.mark.parametrize("name", WORDS)
def test_the_refusal_has_the_numbers_that_are_known(name: str) -> None:
    words, told = WORDS[name]
    with (
        pytest.raises(Unavailable) as refused,
        memory_errors("tiny", "VENOM_X__CONTEXT_LENGTH"),
    ):
        raise RuntimeError(words)
    assert refused.value.message == f"There is not enough memory for tiny: {told}"
    assert refused.value.fix is not None and "VENOM_X__CONTEXT_LENGTH lower" in refused.value.fix


def test_an_interpreter_without_psutil_tells_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert out_of_memory("tiny", "X").message == "There is not enough memory for tiny."
