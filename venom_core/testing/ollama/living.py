"""A fake of Ollama 0.32.15 that keeps a state: which engine runs a model, and with what it began.

Records cannot tell of that: whether a request loads a model anew depends on the ones before it. So
this one counts loads, and its shapes, texts and headers are those recorded from a real 0.32.15
(``records_0_32``), each answer made from the record named beside it. It holds no model: a token is
a word or a sign, and an answer is one word repeated.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from venom_core.testing.ollama.matching import Asked
from venom_core.testing.ollama.records import Answer, Records, load_records

#: The version of the server from which ``records_0_32`` come.
CURRENT_VERSION = "0.32.15"
#: From here on the engine is llama-server: ``shift`` became an argument of its launch.
LIVING_SINCE = (0, 30, 0)
DEFAULT_CONTEXT = 4096
#: Tokens that a template adds to each message: "hi" alone made 10 (920_shift_reload).
TEMPLATE_TOKENS = 9
#: The reply where nobody asks to "go on"; that one would never end.
REPLY = ("Once", " upon", " a", " time", " there", " was", " a", " whale", ".")
_ENDLESS = 5_000
_PREFIXES = ("https://", "http://", "registry.ollama.ai/", "library/")


def current_records() -> Records:
    """Return the exchanges recorded from Ollama 0.32.15."""
    return load_records(Path(__file__).parent / "records_0_32")


@dataclass(frozen=True, slots=True)
class Launch:
    """The arguments that an engine is started with; another value is another start (920, 921)."""

    num_ctx: int
    num_batch: int | None
    num_thread: int | None
    shift: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A model of the list, with what only ``/api/show`` and the engine know of it."""

    entry: Mapping[str, Any]
    capabilities: tuple[str, ...]
    parameters: str = ""

    @property
    def name(self) -> str:
        return str(self.entry["name"])

    @property
    def is_remote(self) -> bool:
        return "remote_host" in self.entry

    def parameter(self, name: str) -> int | None:
        """Return a whole number that its Modelfile sets."""
        found = re.search(rf"^{name}\s+(\d+)$", self.parameters, re.MULTILINE)
        return int(found[1]) if found else None


@dataclass(slots=True)
class Living:
    """The state, and answers out of it. ``loads`` are the starts of engines, in order."""

    default_context: int = DEFAULT_CONTEXT
    running: dict[str, Launch] = field(default_factory=dict)
    loads: list[dict[str, Any]] = field(default_factory=list)
    #: Answers that went on past the context: the beginning was thrown away for them (922).
    shifted: int = 0

    def answer(self, asked: Asked) -> Answer | None:
        """Return the answer to ``asked``; None where this fake has nothing to say."""
        route = _ROUTES.get((asked.method, asked.path))
        if route is None or (asked.method == "POST" and not isinstance(asked.body, dict)):
            return None
        return route(self, asked.body or {})

    # -- listings --------------------------------------------------------------------------

    def tags(self, body: Mapping[str, Any]) -> Answer:
        recorded = _recorded("900_tags_capabilities_guess")
        return recorded.with_json({"models": [held.entry for held in HELD.values()]})

    def ps(self, body: Mapping[str, Any]) -> Answer:
        recorded = _recorded("725_ps_sizes_gemma3#1")
        (entry,) = recorded.lines()[0]["models"]
        models = [
            {
                **entry,
                "name": held.name,
                "model": held.name,
                "digest": held.entry["digest"],
                "expires_at": "2099-11-26T07:01:44.913820515Z",
                "context_length": self.running[name].num_ctx,
            }
            for name, held in HELD.items()
            if name in self.running
        ]
        return recorded.with_json({"models": models})

    def show(self, body: Mapping[str, Any]) -> Answer:
        held = _find(body)
        if held is None:
            name = _with_tag(str(body.get("model") or ""))
            return _refused(404, f"model '{name}' not found")
        if held.is_remote:
            return _recorded("982_show_remote")
        recorded = _recorded("902_show_jinja_tools")
        shown = {**recorded.lines()[0], "capabilities": list(held.capabilities)}
        if held.parameters:
            shown["parameters"] = held.parameters
        return recorded.with_json(shown)

    # -- the engine ------------------------------------------------------------------------

    def generate(self, body: Mapping[str, Any]) -> Answer:
        held = _find(body)
        if held is None:
            return _refused(404, f"model '{body.get('model')}' not found")
        if held.is_remote:
            return _remote(body, "response")
        if "completion" not in held.capabilities:
            return _refused(400, f'"{body["model"]}" does not support generate')
        if not body.get("prompt"):
            return self._only_load(held, body)
        return self._answered(held, body, _tokens(body["prompt"]), "response")

    def chat(self, body: Mapping[str, Any]) -> Answer:
        held = _find(body)
        if held is None:
            return _refused(404, f"model '{body.get('model')}' not found")
        if held.is_remote:
            return _remote(body, "message")
        if "completion" not in held.capabilities:
            return _refused(400, f'"{body["model"]}" does not support chat')
        if body.get("tools") and "tools" not in held.capabilities:
            name = f"registry.ollama.ai/library/{_with_tag(body['model'])}"
            return _refused(400, f"{name} does not support tools")
        messages = body.get("messages") or []
        if not messages:
            return self._only_load(held, body)
        said = [str(m.get("content") or "") + str(m.get("thinking") or "") for m in messages]
        count = sum(map(_tokens, said)) + TEMPLATE_TOKENS * len(said)
        if body.get("tools"):
            count += _tokens(json.dumps(body["tools"]))
        return self._answered(held, body, count, "message")

    def embed(self, body: Mapping[str, Any]) -> Answer:
        held = _find(body)
        if held is None or held.is_remote:
            return _refused(404, f'model "{body.get("model")}" not found, try pulling it first')
        if "embedding" not in held.capabilities:
            return _recorded("400_embed")
        launch = self._launched(held, body)
        inputs = body.get("input", "")
        texts = [inputs] if isinstance(inputs, str) else list(inputs)
        if body.get("truncate") is False and any(_tokens(t) > launch.num_ctx for t in texts):
            return _refused(400, "the input length exceeds the context length")
        texts = [text for text in texts if text]
        recorded = _recorded("725c_ps_sizes_embed#0")
        counted = {"prompt_eval_count": sum(map(_tokens, texts))}
        vectors = [_vector(text)[: body.get("dimensions")] for text in texts]
        return recorded.with_json(
            {**recorded.lines()[0], "model": body["model"], "embeddings": vectors, **counted}
        )

    def _only_load(self, held: Held, body: Mapping[str, Any]) -> Answer:
        recorded = _recorded("725_ps_sizes_gemma3#0")
        reason = "load"
        if body.get("keep_alive") == 0:
            self.running.pop(_key(held.name), None)
            reason = "unload"
        else:
            self._launched(held, body)
        return recorded.with_json(
            {**recorded.lines()[0], "model": body["model"], "done_reason": reason}
        )

    def _launched(self, held: Held, body: Mapping[str, Any]) -> Launch:
        """Return what the engine runs with that answers ``body``, started anew where it must be."""
        options = body.get("options") or {}
        context = options.get("num_ctx") or held.parameter("num_ctx") or self.default_context
        launch = Launch(
            min(context, held.entry["details"]["context_length"]),
            options.get("num_batch"),
            options.get("num_thread"),
            body.get("shift", True),
        )
        name = _key(held.name)
        if self.running.get(name) != launch:
            self.running[name] = launch
            self.loads.append({"model": held.name, **asdict(launch)})
        return launch

    def _answered(self, held: Held, body: Mapping[str, Any], prompt: int, kind: str) -> Answer:
        launch = self._launched(held, body)
        if prompt >= launch.num_ctx:
            if body.get("truncate") is False:
                return _too_long(prompt, launch.num_ctx)
            prompt = launch.num_ctx // 2  # 934: cut to about half of the context, in silence
        said = body["prompt"] if kind == "response" else body["messages"][-1].get("content") or ""
        words = ["whale "] * _ENDLESS if "go on" in said.lower() else list(REPLY)
        options = body.get("options") or {}
        limit = options.get("num_predict", held.parameter("num_predict") or -1)
        reason = "stop"
        if 0 < limit < len(words):
            words, reason = words[:limit], "length"
        room = launch.num_ctx - prompt
        if len(words) > room:
            if launch.shift:
                self.shifted += 1
            else:
                words, reason = words[:room], "length"
        last = {"prompt_eval_count": prompt, "eval_count": len(words), "done_reason": reason}
        return _said(body, words, last, kind)


def _said(body: Mapping[str, Any], words: list[str], last: Mapping[str, Any], kind: str) -> Answer:
    stream = body.get("stream", True)
    record = "940_repeat_guard_chat_stream" if stream else "941_repeat_guard_chat"
    if kind == "response":
        record = "942_repeat_guard_generate_stream" if stream else "943_repeat_guard_generate"
    recorded = _recorded(record)
    head = {"model": body["model"], "created_at": recorded.lines()[0]["created_at"]}

    def line(text: str) -> dict[str, Any]:
        if kind == "response":
            return {**head, "response": text}
        return {**head, "message": {"role": "assistant", "content": text}}

    done = {"done": True, "total_duration": 9, **last}
    if not stream:
        return recorded.with_json({**line("".join(words)), **done})
    lines = [{**line(word), "done": False} for word in words]
    return recorded.with_json_lines([*lines, {**line(""), **done}])


def _remote(body: Mapping[str, Any], kind: str) -> Answer:
    recorded = _recorded("983_remote_chat_stream")
    lines = [{**line, "model": body["model"]} for line in recorded.lines()]
    if kind == "response":
        lines = [{**line, "response": line.pop("message")["content"]} for line in lines]
    return recorded.with_json_lines(lines)


def _too_long(prompt: int, context: int) -> Answer:
    """As in 932: the JSON of llama-server as a text in Ollama's own."""
    words = (
        f"request ({prompt} tokens) exceeds the available context size ({context} tokens), "
        "try increasing it"
    )
    inner = {
        "code": 400,
        "message": words,
        "type": "exceed_context_size_error",
        "n_prompt_tokens": prompt,
        "n_ctx": context,
    }
    return _refused(400, json.dumps({"error": inner}, separators=(",", ":")))


def _refused(status: int, words: str) -> Answer:
    recorded = _recorded("970_schema_type_nonsense")
    return replace(recorded.with_json({"error": words}, status), reason="")


def _recorded(name: str) -> Answer:
    return current_records()[name].answer


def _tokens(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text))


def _vector(text: str) -> list[float]:
    """Return a vector of length one that tells texts apart."""
    angle = zlib.crc32(text.encode()) % 628 / 100
    return [math.cos(angle), math.sin(angle), 0.0, 0.0]


def _key(name: str) -> str:
    """Return a name as Ollama compares it (910 to 918)."""
    name = name.lower()
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return _with_tag(name)


def _with_tag(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _find(body: Mapping[str, Any]) -> Held | None:
    return HELD.get(_key(str(body.get("model") or "")))


def _held() -> dict[str, Held]:
    """Return the models of the recorded lists, with what their records of ``/api/show`` say."""
    entries = [
        *_recorded("900_tags_capabilities_guess").lines()[0]["models"],
        *(m for m in _recorded("981_tags_remote").lines()[0]["models"] if "remote_host" in m),
    ]
    told: Mapping[str, tuple[tuple[str, ...], str]] = {
        "smol-jinja:latest": (("tools", "completion"), ""),  # 902
        "smol-jinja-think:latest": (("thinking", "completion"), ""),  # 903
        "smol-embed:latest": (("embedding",), ""),  # 904
        "smol-embed2:latest": (("tools", "embedding"), ""),  # 905
        "smol-ctx:latest": (("completion",), "num_ctx 1024\nnum_predict 7"),  # 906b
        "smol-stops:latest": (
            ("completion",),
            'stop "a\\\\b"\nstop "\\t"\nstop "\\u200b"\nstop "C:\\\\new"',
        ),  # 906
        "smol-tab:latest": (("completion",), 'stop "\\t"'),  # 977
    }
    held = {}
    for entry in entries:
        guessed = tuple(entry.get("capabilities") or ())
        capabilities, parameters = told.get(entry["name"], (guessed, ""))
        held[_key(entry["name"])] = Held(entry, capabilities, parameters)
    return held


HELD: Mapping[str, Held] = _held()

_ROUTES: Mapping[tuple[str, str], Callable[[Living, Mapping[str, Any]], Answer]] = {
    ("GET", "/api/tags"): Living.tags,
    ("GET", "/api/ps"): Living.ps,
    ("POST", "/api/show"): Living.show,
    ("POST", "/api/generate"): Living.generate,
    ("POST", "/api/chat"): Living.chat,
    ("POST", "/api/embed"): Living.embed,
}
