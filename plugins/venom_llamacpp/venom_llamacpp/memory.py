"""Memory of the embedded engine: what the fit check needs beside the model's own numbers.

The figures under ``CALIBRATION`` are read off real loads by ``python bench/run.py fit``, which
prints them; they stand here as they were measured on the machine that ``bench/results/fit.json``
names, and are nothing that is true of every machine.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass

from venom_core.sdk.architecture import Measured, MemoryPlan
from venom_core.sdk.gguf import Tensor
from venom_core.sdk.memory_estimate import ggml_compute_bytes

#: Types that ggml keeps in another order for its fast paths, as seen in the log of xllamacpp
#: 2026.10.11549 on an x86-64 with AVX2. With AVX-512 there is one more (Q2_K), and on ARM there are
#: others; nothing was measured there, and the fit check says so.
_REORDERED = frozenset({"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"})
MEASURED_MACHINES = ("x86_64", "AMD64")
_ROWS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Calibration:
    """``process_bytes``: Python, the library and its threads. ``token_bytes``: what each entry of
    the vocabulary takes beside the weights."""

    process_bytes: int
    token_bytes: int
    measured: Measured


CALIBRATION = Calibration(
    process_bytes=35_800_000,
    token_bytes=230,
    measured=Measured(
        median=0.007,
        worst=0.047,
        loads=40,
        against="Compared with the buffers in llama.cpp's log and the process's memory, on an "
        "x86-64.",
    ),
)


def memory_plan(
    vocabulary: int | None,
    reordered: int,
    *,
    context: int,
    parallel: int,
    batch: int,
    embeds: bool = False,
    machine: str | None = None,
) -> MemoryPlan:
    """Return how the engine would hold a model.

    Args:
        reordered: bytes that ``reordered_bytes`` counts in its file.
        context: tokens of one request. batch: tokens computed at a time.
        embeds: the engine embeds and does not answer: it gives out something for every token.
        machine: the processor as ``platform.machine`` names it; this one by default.
    """
    known = _known(machine)
    return MemoryPlan(
        engine="llama.cpp",
        context_length=context,
        parallel=parallel,
        batch=batch,
        compute=ggml_compute_bytes,
        all_outputs=embeds,
        copies_bytes=reordered if known else 0,
        overhead_bytes=CALIBRATION.process_bytes + (vocabulary or 0) * CALIBRATION.token_bytes,
        measured=CALIBRATION.measured if known else None,
    )


def _known(machine: str | None) -> bool:
    return (machine or platform.machine()) in MEASURED_MACHINES


def reordered_bytes(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of the matrices that are held a second time, in an order that is faster to
    read. The embeddings are looked up row by row and stay as they are."""
    return sum(
        tensor.size_bytes or 0
        for tensor in tensors
        if len(tensor.shape) >= 2
        and not tensor.name.startswith("token_embd")
        and tensor.shape[1] % _ROWS_AT_ONCE == 0
        and tensor.type_name in _REORDERED
    )
