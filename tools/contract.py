"""`make contract`: the model area's operations, locked, checked, deviating.

``--write`` locks what is answered now, in ``tests/contract/openapi.lock.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tools.projects import ROOT

LOCK = ROOT / "tests" / "contract" / "openapi.lock.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="lock what is answered now")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from tests.contract.api_v1.contract import CONTRACT
    from tests.contract.api_v1.recording import record

    with tempfile.TemporaryDirectory(prefix="venom-contract-") as folder:
        recorded = asyncio.run(record(Path(folder)))
    if options.write:
        lock = {"keys": recorded.shapes, "parameters": recorded.parameters}
        LOCK.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    locked = json.loads(LOCK.read_text(encoding="utf-8"))["keys"]
    for one in CONTRACT:
        held = "locked" if one.operation in locked else "NOT LOCKED"
        print(f"  {one.operation:<42} {len(recorded.shapes[one.operation]):>3} keys  {held}")
    for fault in recorded.faults:
        print(f"  deviates: {fault}")
    deviating = {fault.split(":")[0] for fault in recorded.faults}
    print(
        f"{len(locked)} operations locked, {recorded.checked} calls checked, "
        f"{len(deviating)} deviating (on purpose: docs/contract.md)"
    )
    return int(bool(deviating))


if __name__ == "__main__":
    raise SystemExit(main())
