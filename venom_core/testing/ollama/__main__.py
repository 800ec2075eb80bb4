"""``python -m venom_core.testing.ollama``: the fake by hand. Prints its URL on the first line."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from venom_core.testing.ollama.fake import FakeServer, Settings
from venom_core.testing.ollama.faults import Fault
from venom_core.testing.ollama.records import RECORDED_VERSION
from venom_core.testing.ollama.scenarios import SCENARIOS


def main() -> None:
    """Read the arguments and serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m venom_core.testing.ollama",
        description=f"A FAKE Ollama: repeats answers recorded from Ollama {RECORDED_VERSION}.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--version", default=RECORDED_VERSION, help="claim to be this version")
    parser.add_argument("--scenario", action="append", default=[], choices=sorted(SCENARIOS))
    parser.add_argument("--line-ms", type=float, default=0, help="pause between streamed lines")
    parser.add_argument("--faults", type=json.loads, default=[], help="a JSON list of faults")
    parser.add_argument("--until-stdin-closes", action="store_true")
    arguments = parser.parse_args()
    settings = Settings(
        version=arguments.version, scenarios=arguments.scenario, line_ms=arguments.line_ms
    )
    server = FakeServer(settings, [Fault.parse(fault) for fault in arguments.faults])
    try:
        asyncio.run(_run(server, arguments.host, arguments.port, arguments.until_stdin_closes))
    except KeyboardInterrupt:
        return


async def _run(server: FakeServer, host: str, port: int, until_stdin_closes: bool) -> None:
    print(await server.start(host, port), flush=True)
    print("This is a fake Ollama; see /__fake__.", flush=True)
    serving = asyncio.create_task(server.serve_forever())
    if until_stdin_closes:
        await asyncio.to_thread(sys.stdin.read)
        serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


if __name__ == "__main__":
    main()
