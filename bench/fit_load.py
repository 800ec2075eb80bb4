"""One real load, in a process of its own: the engine as the plugin starts it, its log, its memory.

``python bench/fit_load.py JSON``: the plugin's engine configuration, and ``kv_type``. llama.cpp's
log goes to stderr; the last line of stdout is JSON with what the system says of this process once
the model can answer, in bytes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    import xllamacpp

    from venom_llamacpp.engine import parameters

    config = json.loads(sys.argv[1])
    params = parameters(xllamacpp, config, 0, "bench")
    params.verbosity = 4  # the first at which the sizes of the buffers are told
    kind = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{config['kv_type'].upper()}")
    params.cache_type_k = params.cache_type_v = kind
    server = xllamacpp.Server(params)
    told = json.dumps({"address": server.listening_address, **memory(config["path"])})
    sys.stderr.flush()
    sys.stdout.write(f"\n{told}\n")
    sys.stdout.flush()
    os._exit(0)


def memory(model: str) -> dict[str, int]:
    """Proportional set size of the whole process, and of the model's file mapped into it."""
    total = mapped = 0
    inside = False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == "Pss":
            size = int(value.split()[0]) * 1024
            total += size
            mapped += size if inside else 0
        elif "-" in name.split(" ", 1)[0]:  # the first line of a mapping ends in its file
            inside = line.endswith(os.path.realpath(model))
    return {"pss": total, "mapped": mapped}


if __name__ == "__main__":
    main()
