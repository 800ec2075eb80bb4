"""The command that starts vLLM: what each setting makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.errors import Conflict
from venom_core.testing.contexts import provider_context
from venom_vllm.interpreter import Interpreter
from venom_vllm.launching import Launch, arguments, command, variables
from venom_vllm.plugin import venom_providers

LAUNCH = Launch("org/m", Path("/links"), embeds=False, context_length=2048, size_bytes=4)
EMBEDS = Launch("org/e", Path("/links"), embeds=True, context_length=256, size_bytes=4)


def values(home: Path, **settings: Any) -> Mapping[str, Any]:
    """Return the settings as a provider finds them in its home."""
    (spec,) = venom_providers()
    return provider_context(spec, home, home, settings).settings


def made(launch: Launch = LAUNCH, *, on_cpu: bool = True, **settings: Any) -> list[str]:
    return arguments(launch, values(Path("/home"), **settings), on_cpu=on_cpu)


def test_what_every_model_that_writes_is_started_with() -> None:
    assert made() == [
        "--model=/links",
        "--served-model-name=org/m",
        "--host=127.0.0.1",
        "--port={port}",
        "--middleware=venom_vllm_engine.KeyedRoutes",
        "--dtype=auto",
        "--max-num-seqs=8",
        "--max-model-len=2048",
        "--generation-config=vllm",
        '--structured-outputs-config={"backend": "guidance", "disable_any_whitespace": true}',
        "--enforce-eager",
    ]


@pytest.mark.parametrize(
    ("setting", "value", "flag"),
    [
        ("dtype", "float16", "--dtype=float16"),
        ("parallel", 3, "--max-num-seqs=3"),
        ("quantization", "awq", "--quantization=awq"),
        ("gpu_memory_utilization", 0.5, "--gpu-memory-utilization=0.5"),
        ("tensor_parallel_size", 2, "--tensor-parallel-size=2"),
        ("tensor_parallel_size", 2, "--distributed-executor-backend=mp"),
        ("pipeline_parallel_size", 4, "--pipeline-parallel-size=4"),
        ("tool_parser", "hermes", "--tool-call-parser=hermes"),
        ("tool_parser", "hermes", "--enable-auto-tool-choice"),
        ("reasoning_parser", "qwen3", "--reasoning-parser=qwen3"),
    ],
)
def test_a_setting_makes_its_flag(setting: str, value: object, flag: str) -> None:
    assert flag not in made(on_cpu=False)
    assert flag in made(on_cpu=False, **{setting: value})


def test_a_card_is_shared_and_nothing_is_compiled_on_a_processor() -> None:
    card, cpu = made(on_cpu=False), made(on_cpu=True)
    assert "--gpu-memory-utilization=0.9" in card and "--enforce-eager" not in card
    assert not any("gpu-memory" in flag for flag in cpu)


def test_a_model_that_embeds_gets_exact_numbers_and_no_parsers() -> None:
    flags = made(EMBEDS, tool_parser="hermes")
    assert {"--runner=pooling", "--dtype=float32", "--max-model-len=256"} <= set(flags)
    assert not any(
        "parser" in flag or "structured" in flag or "auto-tool" in flag for flag in flags
    )
    assert "--dtype=bfloat16" in made(EMBEDS, dtype="bfloat16")


@pytest.mark.parametrize("name", ["tool_parser", "reasoning_parser"])
@pytest.mark.parametrize("value", ["--trust-remote-code", "../a.py", "a b", "a" * 65, "é"])
def test_what_is_no_name_of_a_parser_is_refused(name: str, value: str) -> None:
    with pytest.raises(Conflict, match=name.upper()) as refused:
        made(**{name: value})
    assert refused.value.code == "setting_invalid"


def test_a_folder_that_begins_like_a_flag_stays_a_value() -> None:
    launch = Launch("--api-key=x", Path("-rf"), embeds=False, context_length=1, size_bytes=1)
    assert made(launch)[:2] == ["--model=-rf", "--served-model-name=--api-key=x"]


def test_the_key_is_in_the_environment_and_in_no_argument(tmp_path: Path) -> None:
    settings = values(tmp_path, kv_cache_gb=3)
    found = variables(settings, tmp_path)
    assert found["VLLM_API_KEY"] == "{key}" and found["VLLM_CPU_KVCACHE_SPACE"] == "3"
    assert found["HF_HUB_OFFLINE"] == found["VLLM_NO_USAGE_STATS"] == "1"
    interpreter = Interpreter(Path("/opt/python"), "0.32.0", on_cpu=True)
    launched = command(LAUNCH, interpreter, settings, tmp_path, tmp_path / "engines" / "m")
    assert not any("{key}" in word or "api-key" in word for word in launched.args)
    assert launched.python == "/opt/python" and launched.args[0].endswith("engine.py")
    assert launched.log_file.name == "m.log" and launched.pid_file.name == "m.pid"


def test_its_log_tells_how_far_a_start_is(tmp_path: Path) -> None:
    interpreter = Interpreter(Path("/opt/python"), "0.32.0", on_cpu=True)
    launched = command(LAUNCH, interpreter, values(tmp_path), tmp_path, tmp_path / "m")
    assert launched.progress is not None
    assert launched.progress(["Starting to load model /links..."]) == "loading the weights"
