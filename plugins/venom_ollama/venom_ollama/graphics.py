"""The memory of this machine's graphics, by which Ollama chooses a context where nobody names
one."""

from __future__ import annotations

from venom_core.sdk.graphics import cards, unified_bytes
from venom_ollama.memory import DEFAULT_CONTEXT

SECONDS = 1.0
_GIB = 2**30
#: Bytes from which on it takes so many tokens. Source: Ollama 0.24 to 0.32, ``server/routes.go``.
_CONTEXTS = ((47 * _GIB, 262_144), (23 * _GIB, 32_768))


def default_context(graphics_bytes: int) -> int:
    """Return the tokens that Ollama takes with so much memory on its cards."""
    fitting = (tokens for least, tokens in _CONTEXTS if graphics_bytes >= least)
    return next(fitting, DEFAULT_CONTEXT)


async def graphics_memory() -> int:
    """Return the bytes on all cards of this machine, as Ollama adds them up; on Apple's silicon
    what Metal may take of the main memory. 0 where nothing tells."""
    try:
        found = await cards(SECONDS)
    except (OSError, TimeoutError, ValueError):
        return 0
    return sum(card.total_bytes or 0 for card in found) or await unified_bytes()
