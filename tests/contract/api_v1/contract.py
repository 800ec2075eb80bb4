"""The contract of the model and the system area, operation by operation: what is called, which keys
its answer must have, what it refuses. From the original system; deviations are in
docs/contract.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that is refused, with the status for it."""

    call: str
    status: int
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Locked:
    """One operation. ``call`` is a path with its query, ``keys`` are paths into the answer where
    ``[]`` stands for any item of a list."""

    operation: str
    call: str
    keys: tuple[str, ...]
    body: Mapping[str, Any] | None = None
    refusals: tuple[Refusal, ...] = ()


def under(prefix: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names)


MODEL = ("name", "size_gb", "type", "quantization", "path", "source", "provider", "active")
MODEL_OURS = ("digest", "loaded", "context_length", "capabilities")
ENTRY = (
    "provider", "model_name", "display_name", "size_gb", "runtime", "tags", "downloads", "likes",
)  # fmt: skip
RUNTIME = (
    "provider", "model", "endpoint", "endpoint_host", "endpoint_port", "service_type", "mode",
    "label", "config_hash", "runtime_id", "status", "configured_models",
    "configured_models.local", "configured_models.hybrid_local", "configured_models.cloud",
)  # fmt: skip
OPERATION = (
    "operation_id", "model_name", "operation_type", "status", "progress", "message", "started_at",
    "completed_at", "error", "provider", "bytes_total", "bytes_done", "eta_seconds",
)  # fmt: skip
USAGE = (
    "disk_usage_gb", "disk_limit_gb", "disk_usage_percent", "disk_system_total_gb",
    "disk_system_used_gb", "disk_system_usage_percent", "disk_system_mount", "cpu_usage_percent",
    "memory_total_gb", "memory_used_gb", "memory_usage_percent", "models_count",
    "gpu_usage_percent", "vram_usage_mb", "vram_total_mb", "vram_usage_percent",
)  # fmt: skip
CAPABILITIES = (
    "supports_system_role", "supports_function_calling", "allowed_roles", "prompt_template",
    "max_context_length", "quantization", "generation_schema",
)  # fmt: skip
PROFILE_CAPABILITIES = ("uses_local_llm", "gpu_support", "requires_onnx")
NEWS = ("title", "url", "summary", "published_at", "authors", "source")


def limits(call: str) -> tuple[Refusal, ...]:
    """Return what every listing refuses."""
    joined = call + ("&" if "?" in call else "?")
    return tuple(Refusal(joined + f"limit={limit}", 422) for limit in ("0", "201", "x"))


SERVER = (
    "name", "display_name", "description", "endpoint", "provider", "health_url", "supports",
    "supports.start", "supports.stop", "supports.restart", "status", "latency_ms", "last_check",
    "error_message",
)  # fmt: skip
ACTIVE_SERVER = (
    "status", "active_server", "active_endpoint", "active_model", "config_hash", "runtime_id",
    "last_models",
)  # fmt: skip
OPTION = (
    "runtime_id", "source_type", "configured", "available", "status", "reason", "active", "models",
)  # fmt: skip
PROCESSES = (
    "name", "service_type", "status", "pid", "port", "cpu_percent", "memory_mb", "uptime_seconds",
    "last_log", "error_message",
)  # fmt: skip
ENTRY_OF_HISTORY = ("timestamp", "service", "action", "success", "message")

#: The system area.
SYSTEM: tuple[Locked, ...] = (
    Locked(
        "GET /system/status",
        "/system/status",
        (
            "status", "system_healthy", "memory_usage_mb", "memory_total_mb",
            "memory_usage_percent", "vram_usage_mb", "vram_total_mb", "vram_usage_percent",
            "boot_id",
        ),
    ),
    Locked(
        "GET /system/services",
        "/system/services",
        ("status", "services", *under("services[]", "name", "status", "latency_ms", "endpoint")),
    ),
    Locked(
        "GET /system/services/{name}",
        "/system/services/scripted",
        ("status", "service", *under("service", "name", "status", "latency_ms", "endpoint")),
        refusals=(
            Refusal("/system/services/none", 404),
            Refusal("/system/services/no:one", 422),
        ),
    ),
    Locked(
        "GET /system/llm-servers",
        "/system/llm-servers",
        ("status", "count", "servers", *under("servers[]", *SERVER)),
    ),
    Locked(
        "POST /system/llm-servers/{name}/{action}",
        "/system/llm-servers/hf/stop",
        ("status", "action", "message", "exit_code"),
        refusals=(
            Refusal("/system/llm-servers/none/start", 404),
            Refusal("/system/llm-servers/ui/stop", 404),
            Refusal("/system/llm-servers/scripted/start", 400),
            Refusal("/system/llm-servers/hf/dance", 400),
        ),
    ),
    Locked("GET /system/llm-servers/active", "/system/llm-servers/active", ACTIVE_SERVER),
    Locked(
        "POST /system/llm-servers/active",
        "/system/llm-servers/active",
        (
            "status", "active_server", "active_model", "config_hash", "runtime_id", "start_result",
            "stop_results",
        ),
        {"server_name": "scripted", "model": "m", "trace_id": "t-1"},
        (
            Refusal("/system/llm-servers/active", 404, {"server_name": "none"}),
            Refusal("/system/llm-servers/active", 400, {"server_name": "hf"}),
            Refusal("/system/llm-servers/active", 404, {"server_name": "hf", "model": "none"}),
            Refusal("/system/llm-servers/active", 422, {}),
        ),
    ),
    Locked(
        "GET /system/llm-runtime/active",
        "/system/llm-runtime/active",
        ("status", "runtime", *under("runtime", *RUNTIME)),
    ),
    Locked(
        "GET /system/llm-runtime/options",
        "/system/llm-runtime/options",
        ("active", "runtimes", "model_catalog", *under("runtimes[]", *OPTION)),
    ),
    Locked(
        "GET /runtime/status",
        "/runtime/status",
        ("status", "count", "services", *under("services[]", *PROCESSES)),
    ),
    Locked(
        "POST /runtime/{service}/{action}",
        "/runtime/hf/stop",
        ("success", "message"),
        refusals=(
            Refusal("/runtime/none/start", 404),
            Refusal("/runtime/backend/stop", 400),
            Refusal("/runtime/ui/start", 400),
            Refusal("/runtime/scripted/restart", 400),
            Refusal("/runtime/hf/dance", 400),
        ),
    ),
    Locked(
        "GET /runtime/history",
        "/runtime/history?limit=50",
        ("status", "count", "history", *under("history[]", *ENTRY_OF_HISTORY)),
        refusals=limits("/runtime/history"),
    ),
)  # fmt: skip

FIELD = ("key", "provider", "env", "aliases", "form", "secret", "restart", "fixed_by")
CHANGED = (
    "success", "message", "restart_required", "changed_keys", "backup_path", "status",
    "updated_keys",
)  # fmt: skip

#: The configuration. ``{backup}`` is the newest backup.
CONFIG: tuple[Locked, ...] = (
    Locked(
        "GET /config/runtime",
        "/config/runtime",
        (
            "status", "config", *under("config", "OLLAMA_MODEL", "VENOM_RUNTIME_PROFILE"),
            "config_sources", "schema", *under("schema.VENOM_RUNTIME_PROFILE", *FIELD),
        ),
    ),
    Locked(
        "POST /config/runtime",
        "/config/runtime",
        CHANGED,
        {"updates": {"OLLAMA_MODEL": "gemma3:*", "VENOM_QUEUE_SIZE": 12}},
        (
            Refusal("/config/runtime", 400, {"updates": {"NO_SUCH_KEY": 1}}),
            Refusal("/config/runtime", 400, {"updates": {"VENOM_QUEUE_SIZE": "many"}}),
            Refusal("/config/runtime", 409, {"updates": {"HF_ENDPOINT": "http://127.0.0.1:1"}}),
            Refusal("/config/runtime", 422, {}),
        ),
    ),
    Locked(
        "GET /config/backups",
        "/config/backups?limit=20",
        (
            "status", "count", "backups",
            *under("backups[]", "filename", "path", "size_bytes", "created_at"),
        ),
        refusals=limits("/config/backups"),
    ),
    Locked(
        "POST /config/restore",
        "/config/restore",
        CHANGED,
        {"backup_filename": "{backup}"},
        (
            Refusal("/config/restore", 404, {"backup_filename": "../config.toml"}),
            Refusal("/config/restore", 404, {"backup_filename": "/etc/passwd"}),
            Refusal("/config/restore", 422, {}),
        ),
    ),
)  # fmt: skip

#: The calls run in this order, each on what those before it have left.
CONTRACT: tuple[Locked, ...] = (
    Locked(
        "POST /models/install",
        "/models/install",
        ("success", "message", "model_name", "operation_id"),
        {"name": "scripted://m"},
        (
            Refusal("/models/install", 422, {"name": ""}),
            Refusal("/models/install", 422, {}),
            Refusal("/models/install", 404, {"name": "nobody://m"}),
            Refusal("/models/install", 400, {"name": "scripted://huge"}),
        ),
    ),
    Locked(
        "GET /models/operations",
        "/models/operations?limit=10",
        ("success", "count", "operations", *under("operations[]", *OPERATION)),
        refusals=limits("/models/operations"),
    ),
    Locked(
        "GET /models/operations/{id}",
        "/models/operations/{operation}",
        ("success", "operation", *under("operation", *OPERATION)),
        refusals=(Refusal("/models/operations/none", 404),),
    ),
    Locked(
        "POST /models/switch",
        "/models/switch",
        ("success", "message", "active_model"),
        {"name": "scripted://m"},
        (
            Refusal("/models/switch", 404, {"name": "nothing-of-this-name"}),
            Refusal("/models/switch", 422, {"name": "scripted://m", "role": "cook"}),
        ),
    ),
    Locked(
        "GET /models",
        "/models",
        (
            "success",
            "models",
            "count",
            "active",
            "providers",
            "providers.scripted",
            *under("providers.scripted[]", *MODEL),
            *under("models[]", *MODEL, *MODEL_OURS),
            *under("active", *RUNTIME),
        ),
    ),
    Locked("GET /models/usage", "/models/usage", ("success", "usage", *under("usage", *USAGE))),
    Locked(
        "GET /models/providers",
        "/models/providers?provider=huggingface&limit=5",
        ("success", "models", "count", "stale", "error", *under("models[]", *ENTRY)),
        refusals=(Refusal("/models/providers?provider=none", 400), *limits("/models/providers")),
    ),
    Locked(
        "GET /models/trending",
        "/models/trending?provider=huggingface",
        ("success", "provider", "models", "count", "stale", "error", *under("models[]", *ENTRY)),
        refusals=(Refusal("/models/trending?provider=none", 400), *limits("/models/trending")),
    ),
    Locked(
        "GET /models/news",
        "/models/news?type=papers&month=2026-11",
        ("success", "provider", "items", "count", "stale", "error", *under("items[]", *NEWS)),
        refusals=(
            Refusal("/models/news?provider=none", 400),
            Refusal("/models/news?lang=fr", 400),
            Refusal("/models/news?month=2026-13", 400),
            *limits("/models/news"),
        ),
    ),
    Locked(
        "GET /models/search",
        "/models/search?query=tiny",
        (
            "success",
            "provider",
            "query",
            "models",
            "count",
            "total",
            "page",
            "limit",
            "error",
            *under("models[]", *ENTRY),
        ),
        refusals=(
            Refusal("/models/search?query=t", 422),
            Refusal("/models/search", 422),
            *limits("/models/search?query=tiny"),
        ),
    ),
    Locked(
        "POST /models/registry/install",
        "/models/registry/install",
        ("success", "operation_id", "message"),
        {"name": "other", "provider": "scripted"},
        (
            Refusal(
                "/models/registry/install",
                422,
                {"name": "m", "provider": "scripted", "runtime": "none"},
            ),
            Refusal("/models/registry/install", 400, {"name": "huge", "provider": "scripted"}),
        ),
    ),
    Locked(
        "POST /models/activate",
        "/models/activate",
        ("success", "message", "runtime", *under("runtime", *RUNTIME)),
        {"name": "m", "runtime": "scripted"},
        (
            Refusal("/models/activate", 404, {"name": "none", "runtime": "scripted"}),
            Refusal("/models/activate", 422, {"name": "m"}),
        ),
    ),
    Locked(
        "GET /models/{name}/capabilities",
        "/models/scripted://m/capabilities",
        ("success", "model_name", "capabilities", *under("capabilities", *CAPABILITIES)),
        refusals=(Refusal("/models/none/capabilities", 404),),
    ),
    Locked(
        "GET /models/{name}/config",
        "/models/scripted://m/config",
        ("success", "model_name", "generation_schema", "current_values", "runtime"),
        refusals=(Refusal("/models/none/config", 404),),
    ),
    Locked(
        "POST /models/{name}/config",
        "/models/scripted://m/config",
        ("success", "model_name", "runtime", "params"),
        {"params": {"temperature": 0.3}},
        (
            Refusal("/models/scripted://m/config", 400, {"params": {"temperature": "hot"}}),
            Refusal("/models/scripted://m/config", 400, {"params": {"wings": 2}}),
            Refusal("/models/none/config", 404, {"params": {}}),
        ),
    ),
    Locked(
        "POST /translate",
        "/translate",
        ("success", "translated_text", "target_lang"),
        {"text": "Good day, {name}", "target_lang": "pl", "source_lang": "en", "use_cache": True},
        (
            Refusal("/translate", 400, {"text": "Good day", "target_lang": "fr"}),
            Refusal("/translate", 413, {"text": "x" * 20_001}),
            Refusal("/translate", 422, {"target_lang": "pl"}),
        ),
    ),
    Locked("POST /models/unload-all", "/models/unload-all", ("success", "message")),
    Locked(
        "DELETE /models/registry/{model_name}",
        "/models/registry/scripted://gone",
        ("success", "operation_id", "message"),
        refusals=(Refusal("/models/registry/scripted://none", 404),),
    ),
    Locked(
        "DELETE /models/{model_name}",
        "/models/scripted://away",
        ("success", "message"),
        refusals=(
            Refusal("/models/scripted://none", 404),
            Refusal("/models/scripted://m", 400),  # the active one
            Refusal("/models/%2E%2E%2Fetc", 400),
        ),
    ),
    *SYSTEM,
    *CONFIG,
    Locked(
        "POST /runtime/profile/{name}",
        "/runtime/profile/light",
        (
            "success",
            "message",
            "results",
            *under("results[]", "service", "success", "message"),
            "profile_capabilities",
            *under("profile_capabilities", *PROFILE_CAPABILITIES),
        ),
        refusals=(Refusal("/runtime/profile/dark", 404), Refusal("/runtime/profile/Light", 404)),
    ),
)
