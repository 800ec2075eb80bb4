"""The original's names of settings: where each is declared, and that it does what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from venom_core.settings.core import CORE_SETTINGS
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.ollama import FakeOllama
from venom_core.testing.staging import client_of, entry, venom_over

PLUGINS = ("ollama", "llamacpp", "onnx", "hf", "vllm", "remote")
HI = [{"role": "user", "content": "hi"}]
#: Name -> keys of config.toml that read it, a value as people write it, and what it is then.
KEPT: Mapping[str, tuple[tuple[str, ...], str, Any]] = {
    "VENOM_RUNTIME_PROFILE": (("runtime.profile",), "beast", "full"),
    "ACTIVE_LLM_SERVER": (("chat.active_server",), "ollama", "ollama"),
    "LLM_MODEL_NAME": (("chat.model_name",), "gemma3:4b", "gemma3:4b"),
    "OLLAMA_MODEL": (("chat.ollama_model",), "gemma3:*", "gemma3:*"),
    "LLM_WARMUP_ON_STARTUP": (("models.warmup_on_startup",), "false", False),
    "LLM_KEEP_ALIVE": (("providers.ollama.keep_alive",), "45m", "45m"),
    "OLLAMA_CONTEXT_LENGTH": (("providers.ollama.context_length",), "8192", 8192),
    "VENOM_OLLAMA_PROFILE": (
        ("providers.ollama.profile",), "low-vram-8-12gb", "low-vram-8-12gb",
    ),
    "VLLM_ENDPOINT": (
        ("providers.remote.urls",), "http://127.0.0.1:8001/v1", ("http://127.0.0.1:8001/v1",),
    ),
    "VLLM_GPU_MEMORY_UTILIZATION": (("providers.vllm.gpu_memory_utilization",), "0.5", 0.5),
    "ONNX_LLM_ENABLED": (("providers.onnx.enabled",), "false", False),
    "ONNX_LLM_EXECUTION_PROVIDER": (("providers.onnx.execution_provider",), "cuda", "cuda"),
    "ONNX_LLM_PRECISION": (("providers.onnx.precision",), "int4", "int4"),
    "HF_TOKEN": (("providers.hf.token", "providers.llamacpp.hf_token"), "hf_x1234567", "********"),
    "MODEL_GENERATION_OVERRIDES": (("models.generation_overrides",), "{}", "{}"),
    "SIMPLE_MODE_SYSTEM_PROMPT": (("chat.simple_mode_system_prompt",), "Be brief.", "Be brief."),
    "UI_THEME_DEFAULT": (("ui.theme_default",), "dark", "dark"),
}  # fmt: skip


def settings(home: Path, **env: str) -> Settings:
    return Settings.load(Paths.at(home), {"OLLAMA_HOST": "127.0.0.1:9", **env})


@asynccontextmanager
async def client(home: Path, *plugins: str, **env: str) -> AsyncIterator[httpx.AsyncClient]:
    entries = [entry(f"venom_{name}.plugin", name) for name in plugins]
    async with client_of(venom_over(settings(home, **env), entries)) as client:
        yield client


async def rows(home: Path, **env: str) -> tuple[dict[str, Any], list[str]]:
    """Every setting that there is as `venom config show` prints it, by key; and the warnings."""
    venom = venom_over(settings(home, **env), [entry(f"venom_{n}.plugin", n) for n in PLUGINS])
    await venom.start()
    try:
        await venom.host.load_all()
        specs = list(venom.host.specs().values())
        found = {row["key"]: row for row in venom.settings.rows(specs)}
        venom.settings.check_providers(specs)
        return found, venom.settings.warnings
    finally:
        await venom.close()


@pytest.mark.parametrize("name", KEPT)
async def test_each_is_read_where_it_is_declared(name: str, tmp_path: Path) -> None:
    keys, text, value = KEPT[name]
    found, warnings = await rows(tmp_path, **{name: text})
    of_it = {row["key"] for row in found.values() if name in (row["env"], row.get("variable"))}
    assert of_it == set(keys)
    for key in keys:
        assert found[key]["origin"] == "env"
        if key == "runtime.profile":
            continue  # told as it was written; what it means is tested with the profiles
        assert found[key]["value"] == value
    assert not [one for one in warnings if name in one], "it is a setting"


async def test_one_of_our_own_names_wins(tmp_path: Path) -> None:
    found, _ = await rows(
        tmp_path, LLM_KEEP_ALIVE="1m", OLLAMA_KEEP_ALIVE="2m", VENOM_OLLAMA__KEEP_ALIVE="3m"
    )
    assert found["providers.ollama.keep_alive"]["value"] == "3m"
    found, _ = await rows(tmp_path, LLM_KEEP_ALIVE="1m", OLLAMA_KEEP_ALIVE="2m")
    assert found["providers.ollama.keep_alive"]["value"] == "1m"


def test_defaults_are_those_of_the_contract() -> None:
    """But for these, whose own reasons are in the decisions: no profile of Ollama, and int8."""
    defaults = {part.env: part.setting.default for part in CORE_SETTINGS}
    assert defaults["LLM_WARMUP_ON_STARTUP"] is True
    assert defaults["VENOM_RUNTIME_PROFILE"] == "light"


@pytest.mark.parametrize(
    ("env", "context", "kept"),  # 4096: of the loaded model, where nobody says another
    [
        ({"LLM_KEEP_ALIVE": "45m"}, 4096, "45m"),
        ({"OLLAMA_CONTEXT_LENGTH": "8192"}, 8192, None),
        ({"VENOM_OLLAMA_PROFILE": "balanced-12-24gb"}, 32_768, "30m"),
        ({"VENOM_OLLAMA_PROFILE": "balanced-12-24gb", "LLM_KEEP_ALIVE": "-1"}, 32_768, -1),
    ],
)
async def test_what_ollama_is_sent(
    tmp_path: Path, env: dict[str, str], context: int | None, kept: str | int | None
) -> None:
    with FakeOllama(scenarios=("any_chat",)) as fake:
        async with client(tmp_path, "ollama", OLLAMA_HOST=fake.url, **env) as http:
            body = {"model": "ollama://gemma3:270m", "messages": HI}
            answer = await http.post("/v1/chat/completions", json=body)
            assert answer.status_code == 200, answer.text
        (sent,) = [one["body"] for one in fake.requests() if one["path"] == "/api/chat"]
    assert sent.get("keep_alive") == kept
    assert (sent.get("options") or {}).get("num_ctx") == context


async def test_ollama_model_answers_where_none_is_named(tmp_path: Path) -> None:
    with FakeOllama() as fake:
        named = {"OLLAMA_HOST": fake.url, "OLLAMA_MODEL": "gemma3-tools*"}
        async with client(tmp_path, "ollama", **named) as http:
            found = (await http.get("/api/v1/overview")).json()["default_model"]
    assert found == "gemma3-tools:latest"


async def test_vllm_endpoint_is_a_remote_server(tmp_path: Path) -> None:
    async with client(tmp_path, "remote", VLLM_ENDPOINT="http://127.0.0.1:9/v1") as http:
        service = (await http.get("/api/v1/system/services/remote")).json()["service"]
    assert service["endpoint"] == "http://127.0.0.1:9"


@pytest.mark.parametrize(("value", "code"), [("false", "provider_off"), ("true", None)])
async def test_onnx_can_be_switched_off(tmp_path: Path, value: str, code: str | None) -> None:
    async with client(tmp_path, "onnx", ONNX_LLM_ENABLED=value) as http:
        service = (await http.get("/api/v1/system/services/onnx")).json()["service"]
    assert service["code"] in ((code,) if code else (None, "engine_missing"))


async def test_a_bad_value_is_named(tmp_path: Path) -> None:
    async with client(tmp_path, "ollama", VENOM_OLLAMA_PROFILE="huge") as http:
        told = (await http.get("/api/v1/plugins/ollama/settings")).json()
    (row,) = [
        one
        for form in told["providers"]
        for one in form["settings"]
        if one["key"] == "providers.ollama.profile"
    ]
    assert "VENOM_OLLAMA_PROFILE" in row["error"]["message"]
