"""The calls that the API's examples are recorded from: at least one of every operation.

A new route needs a row here; ``python -m tools.openapi_examples`` then writes its example.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL = "llamacpp://smollm2:135m"
#: What stands in a call for what a run brings: the operation of the last install, and the key that
#: every call is made with.
OPERATION, KEY, KEY_ID = "{operation}", "{key}", "{key_id}"
BACKUP, MADE_KEY_ID, SIGN_IN = "{backup}", "{made_key_id}", "{sign_in}"
BENCHMARK = "{benchmark}"
RESPONSE = "{response}"
#: The answer that is being written.
ANSWER = "{answer}"
_CHAT = {"model": "smollm2:135m", "messages": [{"role": "user", "content": "Say hello."}]}
_MESSAGE = {**_CHAT, "max_tokens": 64}
_TEXT = {"text": "Good day", "source_lang": "en", "target_lang": "pl"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an operation.

    Args:
        operation: its id, the name of the route's function.
        name: tells the examples of one operation apart.
        summary: what a reader cannot see in the request itself.
        once: the status that the last operation, or the benchmark of the path, has before this is
            called.
        emptied: fields of the answer whose content is too long to be shown.
        first: objects of the answer of which the first field is enough: any other is alike.
        brings: names that stand in later calls for a value of this answer, each with the value's
            place (``backups.0.name``) and what stands for it in the examples.
    """

    operation: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = "example"
    summary: str = ""
    status: int = 200
    once: str = ""
    emptied: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    brings: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def of_model(operation: str, **more: Any) -> Call:
    """Return a call of what has a model's name in its path."""
    return Call(operation, {"name": MODEL}, **more)


def of_operation(operation: str, once: str) -> Call:
    """Return a call of what has the id of an install in its path."""
    return Call(operation, {"operation_id": OPERATION}, once=once)


def of_session(operation: str, **more: Any) -> Call:
    """Return a call of what has a conversation's id in its path."""
    return Call(operation, {"session_id": "plans"}, **more)


#: They run in this order, each on what those before it have left.
CALLS: tuple[Call, ...] = (
    # What is there.
    Call("healthz"),
    Call("readyz"),
    Call("get_overview"),
    Call("list_plugins"),
    Call("list_offers"),
    Call("plugin_settings", {"plugin_id": "llamacpp"}),
    Call("change_plugin", {"plugin_id": "llamacpp", "verb": "enable"}),
    Call("list_engines"),
    # Models: fetched, built, looked at.
    Call("install_model", body={"name": MODEL}),
    of_operation("get_operation", "completed"),
    Call("list_build_formats"),
    Call("build_model", {"format": "onnx"}, body={"model_name": "gemma3", "precision": "int4"}),
    Call("install_from", body={"name": "qwen3:8b", "provider": "llamacpp"}, once="completed"),
    of_operation("pause_operation", "in_progress"),
    of_operation("resume_operation", "paused"),
    Call("list_operations", query={"limit": 20}),
    of_operation("cancel_operation", "in_progress"),
    Call("list_models"),
    Call("model_usage"),
    of_model("model_details"),
    of_model("model_capabilities"),
    of_model("model_fit", query={"context": 4096}),
    of_model("change_model_config", body={"params": {"temperature": 0.3}}),
    of_model("model_config", query={"runtime": "llamacpp"}),
    of_model("load_model"),
    Call("loaded_models"),
    of_model("unload_model"),
    of_model(
        "keep_self_test",
        body={"rows": [{"group": "answers", "name": "chat", "outcome": "honoured"}]},
    ),
    of_model("self_test_table"),
    # Which one answers.
    Call("switch_model", body={"name": MODEL}),
    Call("activate_model", body={"name": "smollm2:135m", "runtime": "llamacpp"}),
    Call("set_alias", body={"name": "small", "target": MODEL}),
    Call("list_aliases"),
    Call("remove_alias", {"name": "small"}),
    # Where more are.
    Call("list_providers", query={"provider": "huggingface", "limit": 5}),
    Call("list_trending", query={"provider": "huggingface", "limit": 5}),
    Call("list_news", query={"type": "papers", "month": "2026-11"}),
    Call("search_models", query={"query": "tiny", "limit": 5}),
    Call("model_card", {"name": "huggingface://org/tiny-GGUF"}),
    # Asked.
    Call("create_chat_completion", body=_CHAT),
    Call("create_chat_completion", body={**_CHAT, "stream": True}, name="stream"),
    Call("create_completion", body={"model": "smollm2:135m", "prompt": "Once", "max_tokens": 16}),
    Call(
        "create_completion",
        body={"model": "smollm2:135m", "prompt": "Once", "stream": True},
        name="stream",
    ),
    Call("create_embeddings", body={"model": "bge-small", "input": ["A text"]}),
    Call(
        "rerank",
        body={"model": "bge-reranker", "query": "rain", "documents": ["It rains", "It snows"]},
    ),
    Call(
        "create_response",
        body={"model": "smollm2:135m", "input": "Say hello."},
        brings={RESPONSE: ("id", "resp_7d1f0c3e9a5b4c8d8e2f6a1b3c5d7e9f")},
    ),
    Call(
        "create_response",
        body={"model": "smollm2:135m", "input": "Say hello.", "stream": True, "store": False},
        name="stream",
    ),
    Call("get_response", {"response_id": RESPONSE}),
    Call("list_input_items", {"response_id": RESPONSE}),
    Call("cancel_response", {"response_id": RESPONSE}, status=400),
    Call("delete_response", {"response_id": RESPONSE}),
    Call("ollama_version"),
    Call("ollama_tags"),
    Call("ollama_ps"),
    Call("ollama_show", body={"model": "smollm2:135m"}),
    Call("ollama_chat", body=_CHAT),
    Call("ollama_chat", body={**_CHAT, "stream": False}, name="whole"),
    Call("ollama_generate", body={"model": "smollm2:135m", "prompt": "Say hello."}),
    Call(
        "ollama_generate",
        body={"model": "smollm2:135m", "prompt": "Say hello.", "stream": False},
        name="whole",
    ),
    Call("ollama_embed", body={"model": "bge-small", "input": ["A text"]}),
    Call("ollama_embeddings", body={"model": "bge-small", "prompt": "A text"}),
    Call("ollama_copy", body={"source": "smollm2:135m", "destination": "tiny"}),
    Call("ollama_pull", body={"model": "huggingface://org/tiny-GGUF"}),
    Call(
        "ollama_pull",
        body={"model": "huggingface://org/tiny-GGUF", "stream": False},
        name="whole",
    ),
    Call("ollama_delete", body={"model": "hf://org/tiny-GGUF:Q4_K_M"}),
    Call("ollama_create", body={"model": "mine"}, status=501),
    Call("ollama_push", body={"model": "mine"}, status=501),
    Call("create_message", body=_MESSAGE),
    Call("create_message", body={**_MESSAGE, "stream": True}, name="stream"),
    Call("count_tokens", body=_CHAT),
    Call("list_served_models"),
    Call("get_served_model", {"model_id": "smollm2:135m"}),
    Call("get_translation", query={"target_lang": "pl", "source_lang": "en"}),
    Call("translate", body=_TEXT),
    Call("translate_stream", body={**_TEXT, "use_cache": False}),
    # Conversations.
    Call("create_session", body={"id": "plans", "title": "Plans"}),
    Call(
        "simple_stream",
        body={"content": "Say hello.", "model": "smollm2:135m", "session_id": "plans"},
    ),
    of_session(
        "keep_messages", body={"question": "And now?", "answer": "Lunch.", "model": MODEL}
    ),
    of_session("change_session", body={"title": "Plans for May", "pinned": True}),
    Call("list_sessions", query={"query": "plans", "limit": 20}),
    of_session("get_session"),
    of_session("export_session", query={"format": "json"}),
    of_session("export_session", query={"format": "markdown"}, name="markdown"),
    of_session("delete_session"),
    Call(
        "ask_in_session", {"session_id": "essay"},
        body={"question": "Tell me everything.", "model": "smollm2:135m"},
    ),
    Call(
        "ask_in_session",
        {"session_id": "poem"},
        name="unfollowed",
        summary="Only the answer's id comes; it goes on by itself.",
        body={"question": "Say hello.", "model": "smollm2:135m", "follow": False},
    ),
    Call(
        "get_session", {"session_id": "essay"}, name="answering",
        summary="While an answer is being written.",
        brings={ANSWER: ("answering.0.message_id", "0b7e4a52-6d0c-4f5e-9c61-3a8e2f41d7aa")},
    ),
    Call("follow_answer", {"session_id": "essay", "message_id": ANSWER}),
    Call("stop_answer", {"session_id": "essay", "message_id": ANSWER}),
    Call(
        "import_session",
        body={
            "format": "venom-session", "version": 1, "id": "brought", "title": "Brought",
            "messages": [
                {"id": "1", "role": "user", "content": "Hi?"},
                {"id": "2", "parent_message_id": "1", "role": "assistant", "content": "Hello."},
            ],
        },
    ),
    # Benchmarks.
    Call(
        "start_benchmark",
        body={"models": ["smollm2:135m"], "num_questions": 1},
        brings={BENCHMARK: ("benchmark_id", "0b6f3f5e-5d8a-4a4e-9d3c-2f1e8c7b6a50")},
    ),
    Call("get_benchmark", {"benchmark_id": BENCHMARK}, once="completed"),
    Call("cancel_benchmark", {"benchmark_id": BENCHMARK}),
    Call("list_benchmarks", query={"limit": 20}),
    Call("delete_benchmark", {"benchmark_id": BENCHMARK}),
    # Settings and keys.
    Call("show_config", first=("config", "config_sources", "schema")),
    Call("change_config", body={"updates": {"UI_THEME_DEFAULT": "dark"}}),
    Call("change_config", body={"updates": {"server.port": 8400}}, name="restart",
         summary="A setting that applies after a restart."),
    Call(
        "list_backups",
        query={"limit": 20},
        brings={BACKUP: ("backups.0.filename", "config-000001-20260115T120000Z.toml")},
    ),
    Call("show_differences", query={"backup_filename": BACKUP}),
    Call("restore_config", body={"backup_filename": BACKUP}),
    Call(
        "create_key",
        body={
            "name": "phone", "scopes": ["chat"], "requests_per_day": 500, "expires_in_days": 90,
        },
        brings={"{made_key}": ("key", "KEY"), MADE_KEY_ID: ("id", "2b3c4d5e")},
    ),
    Call("list_keys"),
    Call("revoke_key", {"key_id": MADE_KEY_ID}),
    # The system.
    Call("list_profiles"),
    Call("switch_profile", {"name": "full"}),
    Call("runtime_status"),
    Call("change_service", {"service": "hf", "action": "stop"}),
    Call("system_status"),
    Call("system_figures", query={"seconds": 60}),
    Call("list_services"),
    Call("get_service", {"name": "llamacpp"}),
    Call("list_llm_servers"),
    Call("change_llm_server", {"name": "hf", "action": "stop"}),
    Call("get_active_server"),
    Call("activate_server", body={"server_name": "llamacpp", "model": "smollm2:135m"}),
    Call("runtime_history", query={"limit": 50}),
    Call("service_log", {"service": "backend"}, query={"lines": 20}, emptied=("lines",)),
    Call("get_active_runtime"),
    Call("list_runtime_options"),
    Call("watch_events", query={"topics": "models"}, headers={"Last-Event-ID": "0"},
         summary="With the header Last-Event-ID: 0."),
    # What was used, and by whom.
    Call("summarize_usage", query={"by": "model", "days": 7}),
    Call("list_usage_days", query={"days": 1}),
    Call("export_usage", query={"days": 7, "model": "smollm2:135m"}),
    Call("metrics"),
    Call("list_audit", query={"limit": 20}),
    Call("list_audit", query={"action": "key", "limit": 5}, name="filtered"),
    Call("openapi_json", emptied=("paths", "components")),
    # Asks so much that it stands behind what counts.
    of_model("run_self_test"),
    # What takes away.
    Call("deactivate_model", body={"role": "chat"}),
    Call("unload_all"),
    Call("remove_model", {"name": "llamacpp://away"}),
    Call("remove_registered", {"name": "llamacpp://gone"}),
    Call("erase_usage", query={"key": KEY_ID}),
    Call("sign_in", body={"key": KEY}),
    Call("get_sign_in"),
    Call(
        "list_sign_ins",
        query={"limit": 20},
        brings={SIGN_IN: ("signins.0.id", "3c4d5e6f70")},
    ),
    Call("make_sign_in_link", body={"key_id": None}),
    Call("end_sign_in", {"signin_id": SIGN_IN}),
    Call("sign_out"),
)  # fmt: skip

#: What is refused, once for each of the two shapes that a refusal has.
REFUSALS: Mapping[str, Call] = {
    "AnthropicError": Call("create_message", body={**_MESSAGE, "model": "llama5"}, status=404),
    "ApiError": Call("model_details", {"name": "llama5"}, status=404),
    "OllamaError": Call("ollama_show", body={"model": "llama5"}, status=404),
    "OpenAIError": Call("create_chat_completion", body={**_CHAT, "model": "llama5"}, status=404),
}
