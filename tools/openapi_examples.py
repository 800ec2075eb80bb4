"""`python -m tools.openapi_examples`: record the examples of every operation anew.

The calls are in ``tests/contract/api_v1/calls.py``; what the application answers to them is written
to ``venom_core/api/openapi/examples.json``. A test compares the two.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tools import generated
from tools.projects import ROOT

TARGET = ROOT / "venom_core" / "api" / "openapi" / "examples.json"


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds that the file is not what was recorded now."""
    return generated.main("tools.openapi_examples", TARGET, recorded, arguments, __doc__)


def recorded() -> str:
    """Return the examples as they are kept: a line for each part of a call."""
    sys.path.insert(0, str(ROOT))
    from tests.contract.api_v1.examples import record

    with tempfile.TemporaryDirectory(prefix="venom-examples-") as folder:
        examples = asyncio.run(record(Path(folder).resolve()))
    return json.dumps(examples, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
