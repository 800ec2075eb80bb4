"""The states of a machine and the answers of a model that the page's tests are run against."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any] | str

OLLAMA_DOWN = {
    "code": "ollama_not_running",
    "message": "Nothing answers at http://127.0.0.1:11434.",
    "fix": "Start it with: ollama serve",
    "docs": "/docs/plugins/states#ollama_not_running",
}
ENGINE_MISSING = {
    "code": "engine_missing",
    "message": "The llama.cpp engine is not installed.",
    "fix": "venom plugins install llamacpp",
    "docs": "/docs/plugins/states#engine_missing",
}
NEEDS_OLLAMA = "Needs Ollama: install it from ollama.com, start it, then run the command."
REPEATED = "Ollama stopped the model because it repeated itself."
DEMO_NOTE = (
    "A small base model for trying Venom out: ask it short facts, such as "
    "“What is the capital of Poland?”. It declines jokes and poems."
)

ERRORS: dict[str, dict[str, Any]] = {
    "too long": {
        "message": "The prompt has 5210 tokens; this model reads 4096.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
        "docs": "/docs/errors#context_length_exceeded",
        "fix": "Shorten the conversation, or start a new chat.",
    },
    "no engine": {
        "message": "The llama.cpp engine is not installed.",
        "type": "server_error",
        "param": None,
        "code": "engine_missing",
        "docs": "/docs/errors#engine_missing",
        "fix": "venom plugins install llamacpp",
    },
}

MARKDOWN = """\
Here is a **small** program and what it does.

```python
def greet(name: str) -> str:
    return f"Hello, {name}! This line is long enough to need a scroll bar on a narrow screen."
```

1. It takes a `name`.
2. It returns a greeting:
   - polite,
   - short.

| Input | Output |
|-------|--------|
| Ada   | Hello, Ada! |

> A quotation, and a [link](https://example.org/).
"""


def model(identity: str, provider: str, **facts: Any) -> dict[str, Any]:
    """One entry of GET /api/v1/models."""
    return {
        "id": identity,
        "reference": f"{provider}://{identity}",
        "name": identity,
        "provider": provider,
        "title": None,
        "summary": None,
        "source": provider,
        "runtimes": [provider],
        "type": "gguf",
        "size_gb": None,
        "size_bytes": None,
        "quantization": None,
        "path": None,
        "installed": True,
        "active": False,
        "active_roles": [],
        "license": None,
        "terms_url": None,
        "loaded": False,
        "digest": None,
        "context_length": None,
        "capabilities": ["chat"],
        "capability_states": {"chat": "declared"},
        "self_test": None,
        "base_model": False,
        "locality": "local",
        "runs_at": None,
        **facts,
    }


def provider(name: str, status: str, reason: Any = None) -> dict[str, Any]:
    """One provider of a plugin's record."""
    return {
        "name": name,
        "title": name,
        "summary": "Runs models.",
        "homepage": None,
        "status": status,
        "reason": reason,
        "breaches": [],
        "engine_version": None,
        "capabilities": ["chat", "complete", "embed"],
    }


def titled(name: str, title: str, status: str, reason: Any = None) -> dict[str, Any]:
    """One provider of GET /api/v1/overview."""
    return {**provider(name, status, reason), "title": title}


def suggestion(name: str, title: str, source: str, size: int, **facts: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "provider": source,
        "command": f"venom pull {name}",
        "size_bytes": size,
        "fits": True,
        "fit_message": "fits into the 14 GB free now",
        "summary": "For trying things out.",
        "available": True,
        "reason": None,
        "terms_url": None,
        **facts,
    }


SMOLLM = suggestion(
    "smollm2:135m", "SmolLM2 135M", "llamacpp", 98_362_432, terms_url="https://example.org/smollm2"
)
GEMMA = suggestion(
    "gemma3:4b",
    "Gemma 3 4B",
    "ollama",
    3_300_000_000,
    command="venom run gemma3:4b",
    available=False,
    reason=NEEDS_OLLAMA,
    terms_url="https://ai.google.dev/gemma/terms",
)
LARGE = suggestion(
    "gemma3:27b",
    "Gemma 3 27B",
    "ollama",
    17_000_000_000,
    fits=False,
    fit_message="does not fit into the 14 GB free now",
    available=False,
    reason=NEEDS_OLLAMA,
    command="venom run gemma3:27b",
)


def plugin(identity: str, state: str, **facts: Any) -> dict[str, Any]:
    """One record of GET /api/v1/plugins."""
    return {
        "id": identity,
        "state": state,
        "recoverable": False,
        "reason": None,
        "distribution": f"venom-{identity}",
        "version": "2026.11.0",
        "api": "v1",
        "origin": "first_party",
        "load_ms": 2.8,
        "providers": [],
        **facts,
    }


PLUGINS = [
    plugin("ollama", "loaded", providers=[provider("ollama", "ready")]),
    plugin(
        "llamacpp",
        "loaded",
        providers=[provider("llamacpp", "unavailable", ENGINE_MISSING)],
    ),
    plugin(
        "remote",
        "loaded",
        providers=[
            provider(
                "remote",
                "degraded",
                {
                    "code": "servers_unreachable",
                    "message": "1 of 2 servers does not answer.",
                    "fix": None,
                    "docs": "/docs/plugins/states#servers_unreachable",
                },
            )
        ],
    ),
    plugin(
        "lab",
        "failed",
        distribution="lab-venom-provider",
        version="0.3.1",
        origin="third_party",
        recoverable=True,
        load_ms=None,
        reason={
            "code": "import_failed",
            "message": "lab_venom.plugin raised ModuleNotFoundError: No module named 'labtools'",
            "fix": "Repair it, then load it again with: venom plugins retry lab",
            "docs": "/docs/plugins/states#import_failed",
        },
    ),
]


@dataclass
class Scenario:
    """The server's models and plugins. `pull` changes it, as a real pull does."""

    overview: dict[str, Any]
    models: list[dict[str, Any]] = field(default_factory=list)
    pull_error: dict[str, Any] | None = None

    def resolved(self, name: str | None) -> str:
        wanted = name or self.overview["default_model"]
        found = next((entry["reference"] for entry in self.models if entry["id"] == wanted), None)
        return found or f"fake://{wanted}"

    def pull(self, name: str) -> Iterator[dict[str, Any]]:
        """The states of one install; the model is there when the last one is asked for."""
        total = SMOLLM["size_bytes"]
        for percent in range(0, 100, 4):
            yield {
                "status": "in_progress",
                "bytes_total": total,
                "bytes_done": total * percent // 100,
                "progress": percent,
                "message": f"fetching {name}",
            }
            if self.pull_error and percent == 16:
                error = self.pull_error
                yield {**error, "status": "failed", "error": error["message"]}
                return
        self.models.append(model(name, "llamacpp", size_bytes=total))
        self.overview["default_model"] = name
        done = {"bytes_total": total, "bytes_done": total, "progress": 100, "message": "done"}
        yield {"status": "completed", **done}


def _overview(default: str | None, providers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "version": "2026.11.0",
        "profile": "light",
        "default_model": default,
        "default_model_reason": "the only installed chat model" if default else "no chat model",
        "key_required": False,
        "warnings": [],
        "theme": "system",
        "machine": {
            "memory_total_bytes": 25_276_514_304,
            "memory_available_bytes": 14_200_000_000,
            "cores": 2,
        },
        "providers": providers,
        "suggestions": [],
        "first_steps": [],
        "notes": [],
        **more,
    }


BROKEN_FILE = (
    "The configuration file ~/.venom/config.toml is not valid TOML at line 3, column 8. The"
    " last file that was good is used."
)


def ready() -> Scenario:
    """Ollama runs and has models, the embedded engine is not installed."""
    return Scenario(
        _overview(
            "gemma3:4b",
            [
                titled("ollama", "Ollama", "ready"),
                titled("llamacpp", "llama.cpp", "unavailable", ENGINE_MISSING),
            ],
        ),
        [
            model(
                "gemma3:4b",
                "ollama",
                size_bytes=3_300_000_000,
                quantization="Q4_K_M",
                context_length=131_072,
                loaded=True,
            ),
            model("qwen3:8b", "ollama", size_bytes=5_200_000_000, quantization="Q4_K_M"),
            model("nomic-embed-text", "ollama", capabilities=["embed"]),
            model("lab://mistral-small", "lab"),
        ],
    )


def demo() -> Scenario:
    """A bare machine: the embedded demonstration models only."""
    base = model(
        "gemma3-270m-base", "llamacpp", base_model=True, size_bytes=253_113_024, loaded=True
    )
    return Scenario(
        _overview(
            "gemma3-270m-base",
            [
                titled("llamacpp", "llama.cpp", "ready"),
                titled("ollama", "Ollama", "unavailable", OLLAMA_DOWN),
            ],
            suggestions=[GEMMA, LARGE],
            warnings=[BROKEN_FILE],
            notes=[{"model": base["reference"], "id": base["id"], "message": DEMO_NOTE}],
        ),
        [base, model("smollm2:135m", "llamacpp", size_bytes=98_362_432)],
    )


def empty() -> Scenario:
    """No model at all; one can be pulled, the others need Ollama."""
    return Scenario(
        _overview(
            None,
            [
                titled("ollama", "Ollama", "unavailable", OLLAMA_DOWN),
                titled("llamacpp", "llama.cpp", "idle"),
            ],
            suggestions=[SMOLLM, GEMMA, LARGE],
        )
    )


SCENARIOS: dict[str, Callable[[], Scenario]] = {"ready": ready, "demo": demo, "empty": empty}


def _chunk(delta: dict[str, Any], name: str, finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": name,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        "usage": None,
    }


def _words(prompt: str) -> list[str]:
    if prompt == "markdown":
        return re.findall(r"\S+\s*|\s+", MARKDOWN)
    if found := re.fullmatch(r"count to (\d+)", prompt):
        return [f"{number} " for number in range(1, int(found[1]) + 1)]
    return re.findall(r"\S+\s*", "Hello! How can I help you today?")


def answer(prompt: str, name: str) -> list[Event]:
    """The events of one answer: what is asked decides how it ends."""
    words = _words(prompt)
    deltas: list[Event] = [_chunk({"role": "assistant", "content": ""}, name)]
    if prompt == "think":
        deltas += [_chunk({"reasoning_content": word}, name) for word in ("The user ", "waits.")]
    deltas += [_chunk({"content": word}, name) for word in words]
    if prompt == "break":
        error = {
            "message": "The engine stopped in mid-answer.",
            "type": "server_error",
            "param": None,
            "code": "engine_died",
            "fix": "Try again; venom doctor shows whether the engine still runs.",
        }
        return [*deltas[:4], {"error": error}, "[DONE]"]
    if prompt == "cut":
        return deltas[:4]
    if prompt == "repeat":
        end = _chunk({}, name, "length")
        end["choices"][0]["finish_note"] = REPEATED
        return [*deltas, end, "[DONE]"]
    usage = {"prompt_tokens": 9, "completion_tokens": len(words), "total_tokens": 9 + len(words)}
    end = {**_chunk({}, name, "stop"), "usage": None}
    return [*deltas, end, {**end, "choices": [], "usage": usage}, "[DONE]"]


if __name__ == "__main__":
    print(json.dumps({name: make().overview for name, make in SCENARIOS.items()}, indent=2))
