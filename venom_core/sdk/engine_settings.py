"""Settings that every provider with engines of its own has, for its manifest."""

from __future__ import annotations

from typing import Final

from venom_core.sdk.spec import Setting

#: Tokens of a request, 4,096 where nobody sets it.
CONTEXT_LENGTH: Final = Setting(
    "context_length",
    "int",
    4096,
    "Tokens that one request may use, prompt and answer together; never more than the model's.",
    minimum=256,
    maximum=1_048_576,
)
#: Threads of one engine; see ``engine_threads``.
THREADS: Final = Setting(
    "threads",
    "int",
    0,
    "Threads of one engine; 0 means one less than this machine's cores.",
    minimum=0,
    maximum=512,
)
#: Engines at a time, for ``PooledEngineProvider``.
MAX_LOADED: Final = Setting(
    "max_loaded",
    "int",
    2,
    "Models in memory at a time; the idle one used longest ago makes room.",
    minimum=1,
    maximum=16,
)
#: Seconds that an idle engine is kept, for ``PooledEngineProvider``.
KEEP_ALIVE: Final = Setting(
    "keep_alive",
    "int",
    1800,
    "Seconds after which an idle model leaves the memory; -1 keeps it until it is stopped.",
    minimum=-1,
    maximum=31_536_000,
)
