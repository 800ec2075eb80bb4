"""The command that starts vLLM for a model: everything in it is of the settings and of the files
that were looked at, nothing of a request.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from venom_core.sdk import EngineCommand
from venom_core.sdk.errors import Conflict
from venom_vllm.engine import MIDDLEWARE
from venom_vllm.interpreter import Interpreter
from venom_vllm.load_failures import EXPLAINING_LINES, load_failure
from venom_vllm.starting import progress

ENGINE_SCRIPT = Path(__file__).with_name("engine.py")
#: vLLM needs a minute on two slow cores; on a card it first compiles, which may take several.
READY_SECONDS = 600.0
BYTES_PER_SECOND = 20e6
STOP_SECONDS = 15.0
#: A model that likes white space fills an answer with it where its grammar allows any.
_SCHEMAS = {"backend": "guidance", "disable_any_whitespace": True}
#: As many as the API takes; vLLM refuses more than four unless it is told.
_MOST_STOPS = 64
_PARSER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Launch:
    """A start of vLLM.

    Args:
        ref: under which name it is served.
        model: the folder of links that it opens.
        embeds: it embeds text, and writes none.
        context_length: in tokens.
        size_bytes: of the model's files.
        template: the file of a chat template in place of the model's own.
    """

    ref: str
    model: Path
    embeds: bool
    context_length: int | None
    size_bytes: int
    template: Path | None = None


def arguments(launch: Launch, settings: Mapping[str, Any], *, on_cpu: bool) -> list[str]:
    """Return the flags of vLLM's server. Raises ``Conflict`` (``setting_invalid``)."""
    dtype = settings["dtype"]
    if launch.embeds and dtype == "auto":
        dtype = "float32"  # in sixteen bits a vector depends on the company its text comes in
    flags: dict[str, Any] = {
        "model": launch.model,
        "served-model-name": launch.ref,
        "host": "127.0.0.1",
        "port": "{port}",
        "middleware": MIDDLEWARE,
        "dtype": dtype,
        "max-num-seqs": settings["parallel"],
        "max-model-len": launch.context_length,
        "quantization": settings["quantization"],
        # The core sends the model's own numbers, and shows them; vLLM would cap answers besides.
        "generation-config": "vllm",
    }
    if not on_cpu:
        flags["gpu-memory-utilization"] = settings["gpu_memory_utilization"]
    shared = {
        "tensor-parallel-size": settings["tensor_parallel_size"],
        "pipeline-parallel-size": settings["pipeline_parallel_size"],
    }
    if max(shared.values()) > 1:
        flags |= {**shared, "distributed-executor-backend": "mp"}
    if launch.embeds:
        flags["runner"] = "pooling"
    else:
        flags |= _of_language(launch, settings)
    found = [f"--{name}={value}" for name, value in flags.items() if value is not None]
    if on_cpu:
        found.append("--enforce-eager")  # to compile would take minutes and a C compiler
    if flags.get("tool-call-parser"):
        found.append("--enable-auto-tool-choice")
    return found


def _of_language(launch: Launch, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "structured-outputs-config": json.dumps(_SCHEMAS),
        "tool-call-parser": _parser(settings, "tool_parser"),
        "reasoning-parser": _parser(settings, "reasoning_parser"),
        "chat-template": launch.template,
    }


def _parser(settings: Mapping[str, Any], name: str) -> str | None:
    value = settings[name]
    if value and not _PARSER.fullmatch(value):
        raise Conflict(
            f"What VENOM_VLLM__{name.upper()} names is no parser of vLLM's.",
            code="setting_invalid",
            fix="Name one as vLLM's documentation lists them, or leave the setting out.",
        )
    return value or None


def variables(settings: Mapping[str, Any], data_dir: Path) -> dict[str, str]:
    """Return what is added to the engine's environment."""
    return {
        # Never on the command line, which every user of the machine can read.
        "VLLM_API_KEY": "{key}",
        "VLLM_CACHE_ROOT": str(data_dir / "cache"),
        "VLLM_CPU_KVCACHE_SPACE": str(settings["kv_cache_gb"]),
        # Its processes talk with each other over TCP too.
        "VLLM_HOST_IP": "127.0.0.1",
        "VLLM_MAX_STOP_STRINGS": str(_MOST_STOPS),
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }


def command(
    launch: Launch,
    interpreter: Interpreter,
    settings: Mapping[str, Any],
    data_dir: Path,
    name: Path,
) -> EngineCommand:
    """Return the command.

    Args:
        name: of its log and of its record, without an ending.
    """
    return EngineCommand(
        name=f"vLLM ({launch.ref})",
        args=(str(ENGINE_SCRIPT), *arguments(launch, settings, on_cpu=interpreter.on_cpu)),
        model=launch.ref,
        python=str(interpreter.python),
        log_file=name.with_name(f"{name.name}.log"),
        pid_file=name.with_name(f"{name.name}.pid"),
        env=variables(settings, data_dir),
        ready_timeout=READY_SECONDS + launch.size_bytes / BYTES_PER_SECOND,
        stop_timeout=STOP_SECONDS,
        explain=functools.partial(load_failure, launch.ref),
        explaining_lines=EXPLAINING_LINES,
        progress=progress,
    )
