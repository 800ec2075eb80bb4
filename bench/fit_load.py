"""One real load, in a process of its own: the engine as the plugin starts it, its log, its memory.

``python bench/fit_load.py JSON``: the plugin's engine configuration, and ``kv_type``. llama.cpp's
log goes to stderr; the last line of stdout is JSON with what the system says of this process once
the model can answer, in bytes; with ``words`` also after it has read a prompt of so many.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    import xllamacpp

    from venom_llamacpp.engine import parameters

    config = json.loads(sys.argv[1])
    params = parameters(xllamacpp, config, 0, "bench")
    params.verbosity = 4  # the first at which the sizes of the buffers are told
    kind = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{config['kv_type'].upper()}")
    params.cache_type_k = params.cache_type_v = kind
    server = xllamacpp.Server(params)
    told: dict[str, Any] = memory(config["path"])
    if words := config.get("words"):
        told["tokens"] = read(server.listening_address, words)
        told["in_use"] = memory(config["path"])
    sys.stderr.flush()
    sys.stdout.write(f"\n{json.dumps(told)}\n")
    sys.stdout.flush()
    os._exit(0)


def read(address: str, words: int) -> int:
    """Answer a prompt; gives its tokens. Over a bare socket: an HTTP client would be memory that
    the engine's process does not have."""
    import socket

    host, _, port = address.removeprefix("http://").partition(":")
    body = json.dumps({"prompt": "word " * words, "max_tokens": 4}).encode()
    head = (
        f"POST /v1/completions HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer bench\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=150) as connection:
        connection.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return int(json.loads(answer.partition(b"\r\n\r\n")[2])["usage"]["prompt_tokens"])


def memory(model: str) -> dict[str, int]:
    """Resident set of the whole process, and of the model's file mapped into it. Not the
    proportional one: that falls while another process has the same libraries in memory."""
    total = mapped = 0
    inside = False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == "Rss":
            size = int(value.split()[0]) * 1024
            total += size
            mapped += size if inside else 0
        elif "-" in name.split(" ", 1)[0]:  # the first line of a mapping ends in its file
            inside = line.endswith(os.path.realpath(model))
    return {"resident": total, "mapped": mapped}


if __name__ == "__main__":
    main()
