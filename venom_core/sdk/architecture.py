"""The numbers of a model that say how much memory it takes, and how an engine would hold it.

They come from files and servers of any origin: each one is checked against a bound before it is
believed, and what a source does not say stays None. Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

#: llama.cpp refuses more layers than 512; no other bound here is an engine's.
MAX_LAYERS = 1024
#: The most heads that a layer can have.
MAX_HEADS = 8192
#: The most elements that one head can have.
MAX_HEAD_LENGTH = 65_536
#: The most elements that a token's vector can have.
MAX_WIDTH = 4_194_304
#: The most tokens that a vocabulary can have.
MAX_VOCABULARY = 16_777_216
MAX_EXPERTS = 16_384
#: The most tokens that a context can have.
MAX_CONTEXT = 1 << 31
#: The most bytes that files or memory can have.
MAX_BYTES = 1 << 50

#: The types that the elements of a cache can be of.
KvType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
#: Bytes and elements of one block of each type that a cache can be of.
KV_BLOCKS: Mapping[str, tuple[int, int]] = {
    "f32": (4, 1), "f16": (2, 1), "bf16": (2, 1), "q8_0": (34, 32), "q5_1": (24, 32),
    "q5_0": (22, 32), "q4_1": (20, 32), "q4_0": (18, 32),
}  # fmt: skip


class BadNumber(ValueError):
    """A number that no model has; the text names it."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model in numbers; None where its source does not say. Raises ``BadNumber``.

    Args:
        name: the family as its file calls it (``gemma3``).
        layers: blocks.
        heads: query heads; the most of any layer.
        kv_heads: key-value heads of each layer; 0 where a layer keeps no cache.
        key_length, value_length: elements of one head's key and value, as they are cached.
        window: tokens that a layer with a sliding window looks back.
        windowed: for each layer whether it has that window; empty where none has.
        window_key_length, window_value_length: those of the layers with a window, where they
            differ from the others.
        shared_layers: the last layers that read an earlier one's cache and keep none.
        experts, experts_used: of each layer, and for one token; None for a dense model.
        kv_rank, rope_length: multi-head latent attention: elements of the compressed row, and of
            the positional key beside it; both or none.
        expanded_key_length, expanded_value_length: its heads once they are decompressed.
        keeps_state: some layers keep a state that grows with the requests and not with the context
            (Mamba and its like), which is not counted.
        weights_bytes: all tensors as stored.
        context_length: in tokens, as trained.
    """

    name: str
    layers: int | None = None
    heads: int | None = None
    kv_heads: tuple[int, ...] = ()
    key_length: int | None = None
    value_length: int | None = None
    window: int | None = None
    windowed: tuple[bool, ...] = ()
    window_key_length: int | None = None
    window_value_length: int | None = None
    shared_layers: int = 0
    experts: int | None = None
    experts_used: int | None = None
    expert_feed_forward: int | None = None
    kv_rank: int | None = None
    rope_length: int | None = None
    expanded_key_length: int | None = None
    expanded_value_length: int | None = None
    keeps_state: bool = False
    vocabulary: int | None = None
    embedding_length: int | None = None
    feed_forward: int | None = None
    weights_bytes: int | None = None
    context_length: int | None = None

    def __post_init__(self) -> None:
        for name, most in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None:
                bounded(value, name, 1, most)
        for count in self.kv_heads:
            bounded(count, "kv_heads", 0, MAX_HEADS)
        bounded(self.shared_layers, "shared_layers", 0, self.layers or 0)
        for name in ("kv_heads", "windowed"):
            rows: Sequence[Any] = getattr(self, name)
            if rows and len(rows) != self.layers:
                raise BadNumber(f"{name} has {len(rows)} entries for {self.layers} layers")
        if (self.kv_rank is None) != (self.rope_length is None):
            raise BadNumber("kv_rank and rope_length come together")

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return what is missing to count the weights and the cache."""
        needed = ["weights_bytes", "layers"]
        if self.kv_rank is None:
            needed += ["kv_heads", "key_length", "value_length"]
        missing = [name for name in needed if not getattr(self, name)]
        if any(self.windowed) and self.window is None:
            missing.append("window")
        return tuple(missing)


_BOUNDS: Mapping[str, int] = {
    "layers": MAX_LAYERS, "heads": MAX_HEADS, "key_length": MAX_HEAD_LENGTH,
    "value_length": MAX_HEAD_LENGTH, "window": MAX_CONTEXT, "window_key_length": MAX_HEAD_LENGTH,
    "window_value_length": MAX_HEAD_LENGTH, "experts": MAX_EXPERTS, "experts_used": MAX_EXPERTS,
    "expert_feed_forward": MAX_WIDTH, "kv_rank": MAX_WIDTH, "rope_length": MAX_HEAD_LENGTH,
    "expanded_key_length": MAX_HEAD_LENGTH, "expanded_value_length": MAX_HEAD_LENGTH,
    "vocabulary": MAX_VOCABULARY, "embedding_length": MAX_WIDTH, "feed_forward": MAX_WIDTH,
    "weights_bytes": MAX_BYTES, "context_length": MAX_CONTEXT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """The distance of estimates for an engine from what it really took.

    Args:
        median, worst: relative errors, 0.08 for 8 %.
        loads: how many real loads.
        against: a sentence that says what the truth was.
    """

    median: float
    worst: float
    loads: int
    against: str


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The plan by which one engine would hold a model, all other things being as they are
    configured.

    Args:
        engine: its name, for people.
        context_length: tokens of one request where none is asked for; None if the engine chooses.
        parallel: requests at a time, each with the whole context to itself.
        batch: tokens that are computed at a time.
        kv_type: of the cache's elements.
        compresses: multi-head latent attention keeps the compressed row, not whole heads.
        windows: a layer with a sliding window keeps its window and one batch, not the context.
        compute: the bytes that the engine sets aside to compute; None where they are not known.
            For engines on ggml it is ``memory_estimate.ggml_compute_bytes``.
        all_outputs: the buffer for the outputs has room for a whole batch, not one token a request.
        copies_bytes: of weights that the engine holds a second time, in another order.
        overhead_bytes: the engine's own process without the model; None where it is not known.
        measured: None where no load of this engine was compared.
        notes: sentences on what else is assumed.
    """

    engine: str
    context_length: int | None = None
    parallel: int = 1
    batch: int = 512
    kv_type: KvType = "f16"
    compresses: bool = True
    windows: bool = True
    compute: ComputeBytes | None = None
    all_outputs: bool = False
    copies_bytes: int = 0
    overhead_bytes: int | None = None
    measured: Measured | None = None
    notes: tuple[str, ...] = ()


#: From the model, the plan, a context and whether all outputs are kept; None where unknown.
ComputeBytes = Callable[[Architecture, MemoryPlan, int, bool], int | None]


def bounded(value: object, name: str, least: int, most: int) -> int:
    """Return a whole number within bounds. Raises ``BadNumber``; True and False are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadNumber(f"{name} is no whole number")
    if not least <= value <= most:
        raise BadNumber(f"{name} is {_short(value)}; from {least} to {most} is possible")
    return value


def _short(value: int) -> str:
    # A number of a thousand digits is refused by Python itself when it is printed.
    return str(value) if abs(value) < 10**20 else "a number of more than 20 digits"
