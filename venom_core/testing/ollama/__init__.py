"""A fake Ollama built from records of a real one, for tests of providers and of the core.

It is a fake: it holds no model, and what it says was said once by Ollama 0.24.0, or, where it
claims to be of version 0.30 or newer, is made from what was said by 0.32.15. Start it in a process
of its own with :class:`FakeOllama`, or by hand::

    python -m venom_core.testing.ollama --port 0

Read the raw bytes without any server with :func:`load_records`.
"""

from __future__ import annotations

from venom_core.testing.ollama.living import CURRENT_VERSION, current_records
from venom_core.testing.ollama.process import FakeOllama
from venom_core.testing.ollama.records import NOT_REPLAYABLE, Ending, Record, Records, load_records

__all__ = [
    "CURRENT_VERSION",
    "NOT_REPLAYABLE",
    "Ending",
    "FakeOllama",
    "Record",
    "Records",
    "current_records",
    "load_records",
]
