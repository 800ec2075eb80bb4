"""The engine's own process: llama.cpp's HTTP server from the xllamacpp wheel.

Run as a script by the supervisor; this is the only file that imports xllamacpp, and Venom's server
never imports this file. The configuration is JSON in ``VENOM_LLAMACPP_ENGINE``::

    {"path", "alias", "context_length", "parallel", "threads", "batch", "embeds", "pooling",
     "template", "slot_folder", "gpu_layers", "draft", "draft_tokens", "adapters"}
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

CONFIGURATION = "VENOM_LLAMACPP_ENGINE"
#: For the log, where it is looked for.
NO_GRAPHICS = "venom-no-graphics-card"


def main() -> None:
    config = json.loads(os.environ.pop(CONFIGURATION))
    port, key = int(os.environ.pop("VENOM_ENGINE_PORT")), os.environ.pop("VENOM_ENGINE_KEY")
    import xllamacpp

    if config["gpu_layers"] > 0 and not has_graphics(xllamacpp):
        raise SystemExit(NO_GRAPHICS)
    server = xllamacpp.Server(parameters(xllamacpp, config, port, key))
    sys.stdout.write(f"serving at {server.listening_address}\n")
    # The server runs in threads of its own; SIGTERM ends the process as it stands.
    threading.Event().wait()


def has_graphics(xllamacpp: Any) -> bool:
    """Return whether this build of llama.cpp sees anything that computes beside the processor."""
    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    return any(device["type"] != cpu for device in xllamacpp.get_device_info())


def parameters(xllamacpp: Any, config: dict[str, Any], port: int, key: str) -> Any:
    """Return llama.cpp's parameters; only what differs from its defaults."""
    params = xllamacpp.CommonParams()
    params.model.path = config["path"]
    params.model_alias = {config["alias"]}
    params.port = port
    params.api_keys = [key]
    # The context is divided among the slots. A shared one would not be divided, but then two
    # requests that fit each for itself end each other ("Context size has been exceeded").
    params.n_parallel = config["parallel"]
    params.n_ctx = config["context_length"] * config["parallel"]
    params.kv_unified = False
    # Nothing is fitted silently: what was configured is loaded, or loading fails.
    params.fit_params = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config["threads"]
    # An input to embed is one batch, so its size bounds the input; a chat may use any number.
    params.n_batch = params.n_ubatch = config["batch"]
    params.embedding = config["embeds"]
    kinds = xllamacpp.llama_pooling_type
    pooling = {"mean": kinds.LLAMA_POOLING_TYPE_MEAN, "rank": kinds.LLAMA_POOLING_TYPE_RANK}
    if config["embeds"] and config["pooling"] in pooling:
        params.pooling_type = pooling[config["pooling"]]
    # Its caches of old prompts grow to gigabytes beside what we report; the slots' own remain.
    params.cache_ram_mib = 0
    # States of models with a sliding window, kept to go on from; up to tens of megabytes each.
    params.n_ctx_checkpoints = 4
    params.ui = params.endpoint_slots = params.endpoint_props = False
    if config["slot_folder"]:
        os.makedirs(config["slot_folder"], mode=0o700, exist_ok=True)  # noqa: PTH103
        params.slot_save_path = config["slot_folder"] + os.sep
        params.endpoint_slots = True
    params.n_gpu_layers = config["gpu_layers"]
    if config["draft"]:
        kind = xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE
        params.speculative.types = [kind]
        draft = params.speculative.draft
        draft.mparams.path, draft.n_max = config["draft"], config["draft_tokens"]
        draft.n_gpu_layers = config["gpu_layers"]
        draft.cpuparams.n_threads = draft.cpuparams_batch.n_threads = config["threads"]
    params.lora_adapters = [adapter(xllamacpp, path) for path in config["adapters"]]
    if config["template"]:
        params.chat_template = config["template"]
    return params


def adapter(xllamacpp: Any, path: str) -> Any:
    made = xllamacpp.CommonAdapterLoraInfo()
    made.path, made.scale = path, 1.0
    return made


if __name__ == "__main__":
    main()
