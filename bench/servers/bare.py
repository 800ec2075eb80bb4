"""A bare FastAPI application under uvicorn: what start-up and memory are measured beside.

``python -m bench.servers.bare --port N``. One typed route, and the uvicorn settings of
``venom serve``.
"""

from __future__ import annotations

import argparse
from typing import Any

import uvicorn
from fastapi import FastAPI

#: As in venom_core/cli/serving.py.
SETTINGS: dict[str, Any] = {
    "loop": "auto",
    "http": "httptools",
    "ws": "none",
    "lifespan": "on",
    "log_config": None,
    "access_log": False,
    "proxy_headers": False,
    "server_header": False,
    "timeout_keep_alive": 5,
}

app = FastAPI()


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=options.port,
        **SETTINGS,
    )


if __name__ == "__main__":
    main()
