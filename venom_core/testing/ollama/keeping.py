"""Answers of Ollama 0.24.0 that remember: what is loaded, what was pulled, what was deleted.

Records alone cannot tell of that. Each answer here is made from the record named beside it, with
the name that was asked for, and cut where the request says so; whoever wants the recorded bytes
does not switch this on (``keeps`` of the fake's settings).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from venom_core.testing.ollama.matching import Asked
from venom_core.testing.ollama.records import Answer, load_records

#: The one model that the source has and that is not on the list.
PULLABLE = "gemma3:4b"
_FILES = ("/api/pull", "/api/delete")
#: Not on the recorded list: it was made later (450_create_embed_model).
EMBEDS = "gemma3-embed:latest"


@dataclass(slots=True)
class Keeping:
    """The state, and answers out of it."""

    loaded: list[str] = field(default_factory=list)
    models: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.models |= _listed()

    def answer(self, asked: Asked, *, living: bool) -> Answer | None:
        """Return the answer to ``asked``; None where this has nothing to say.

        Args:
            living: another part lists and runs the models; this one fetches and deletes them.
        """
        route = _ROUTES.get((asked.method, asked.path))
        if route is None or (living and asked.path not in _FILES):
            return None
        body = asked.body if isinstance(asked.body, dict) else {}
        return route(self, body)

    def tags(self, body: Mapping[str, Any]) -> Answer:
        return _recorded("130_tags").with_json({"models": list(self.models.values())})

    def ps(self, body: Mapping[str, Any]) -> Answer:
        recorded = _recorded("201_ps_loaded")
        (entry,) = recorded.lines()[0]["models"]
        models = [{**entry, "name": name, "model": name} for name in self.loaded]
        return recorded.with_json({"models": models})

    def show(self, body: Mapping[str, Any]) -> Answer:
        if self._find(body) is None:
            return _unknown("143_show_unknown", body)
        return _recorded("140_show")

    def delete(self, body: Mapping[str, Any]) -> Answer:
        name = self._find(body)
        if name is None:
            return _unknown("162_delete_unknown", body)
        del self.models[name]
        if name in self.loaded:
            self.loaded.remove(name)
        return _recorded("160_delete")

    def pull(self, body: Mapping[str, Any]) -> Answer:
        if body.get("model") != PULLABLE:
            return _recorded("615_pull_unknown")
        entry = self.models["gemma3:270m"]
        self.models[PULLABLE] = {**entry, "name": PULLABLE, "model": PULLABLE}
        return _recorded("620_pull_stream")

    def generate(self, body: Mapping[str, Any]) -> Answer:
        name = self._find(body)
        if name is None:
            return _unknown("220_generate_unknown_model", body)
        if name == EMBEDS:
            return _recorded("462_generate_on_embed_model")
        if not body.get("prompt"):
            return self._load(name, body)
        self._loaded(name)
        return _bounded("204_generate_stream", "205_generate_nostream", body)

    def chat(self, body: Mapping[str, Any]) -> Answer:
        name = self._find(body)
        if name is None:
            return _unknown("309_chat_unknown_model", body)
        if name == EMBEDS:
            return _recorded("463_chat_on_embed_model")
        if not body.get("messages"):
            return self._load(name, body)
        self._loaded(name)
        return _bounded("302_chat_stream", "303_chat_nostream", body)

    def embed(self, body: Mapping[str, Any]) -> Answer:
        if self._find(body) is None:
            words = f'model "{body.get("model")}" not found, try pulling it first'
            return _recorded("403_embed_unknown").with_json({"error": words})
        recorded = _recorded("453_embed_list")
        (value,) = recorded.lines()
        given = body.get("input") or ""
        texts: list[str] = given if isinstance(given, list) else [given]
        known: dict[str, list[float]] = dict(
            zip(("hello world", "goodbye"), value["embeddings"], strict=True)
        )
        vectors = [known.get(text, known["hello world"]) for text in texts]
        if size := body.get("dimensions"):  # 454: the first numbers, made of length one again
            vectors = [_shortened(vector, size) for vector in vectors]
        return recorded.with_json({**value, "model": body["model"], "embeddings": vectors})

    def _load(self, name: str, body: Mapping[str, Any]) -> Answer:
        if body.get("keep_alive") == 0:
            if name in self.loaded:
                self.loaded.remove(name)
            recorded = _recorded("246_keepalive_0")
        else:
            self._loaded(name)
            recorded = _recorded("200_generate_load")
        return recorded.with_json({**recorded.lines()[0], "model": body["model"]})

    def _loaded(self, name: str) -> None:
        if name not in self.loaded:
            self.loaded.append(name)

    def _find(self, body: Mapping[str, Any]) -> str | None:
        name = str(body.get("model") or body.get("name") or "")
        return next((one for one in (name, f"{name}:latest") if one in self.models), None)


def _listed() -> dict[str, Mapping[str, Any]]:
    entries = _recorded("130_tags").lines()[0]["models"]
    models: dict[str, Mapping[str, Any]] = {entry["name"]: entry for entry in entries}
    models[EMBEDS] = {**models["gemma3:270m"], "name": EMBEDS, "model": EMBEDS}
    return models


def _bounded(stream: str, whole: str, body: Mapping[str, Any]) -> Answer:
    """Return a recorded answer cut where ``num_predict`` or a stop string ends it, as 233, 234 and
    235 are: the string itself is left out, and the reason is ``stop``."""
    lines = [{**line, "model": body["model"]} for line in _recorded(stream).lines()]
    said, last = lines[:-1], lines[-1]
    options = body.get("options") or {}
    for stop in options.get("stop") or ():
        texts = [_text(line) for line in said]
        place = "".join(texts).find(stop)
        if place >= 0:
            count = next(n for n in range(len(texts)) if len("".join(texts[: n + 1])) > place)
            kept = "".join(texts)[len("".join(texts[:count])) : place]
            said = [*said[:count], *([_saying(said[count], kept)] if kept else [])]
            last = {**last, "done_reason": "stop"}
    limit = options.get("num_predict", -1)
    if 0 < limit < len(said):
        said, last = said[:limit], {**last, "done_reason": "length"}
    last = {**last, "eval_count": max(1, len(said))}
    if body.get("stream", True):
        return _recorded(stream).with_json_lines([*said, last])
    return _recorded(whole).with_json(_saying(last, "".join(map(_text, said))))


def _text(line: Mapping[str, Any]) -> str:
    return str(line["message"]["content"] if "message" in line else line["response"])


def _saying(line: Mapping[str, Any], text: str) -> dict[str, Any]:
    if "message" in line:
        return {**line, "message": {**line["message"], "content": text}}
    return {**line, "response": text}


def _shortened(vector: list[float], size: int) -> list[float]:
    kept = vector[:size]
    length = sum(number * number for number in kept) ** 0.5 or 1.0
    return [number / length for number in kept]


def _unknown(record: str, body: Mapping[str, Any]) -> Answer:
    name = body.get("model") or body.get("name")
    return _recorded(record).with_json({"error": f"model '{name}' not found"})


def _recorded(name: str) -> Answer:
    return load_records()[name].answer


_ROUTES: Mapping[tuple[str, str], Callable[[Keeping, Mapping[str, Any]], Answer]] = {
    ("GET", "/api/tags"): Keeping.tags,
    ("GET", "/api/ps"): Keeping.ps,
    ("POST", "/api/show"): Keeping.show,
    ("DELETE", "/api/delete"): Keeping.delete,
    ("POST", "/api/pull"): Keeping.pull,
    ("POST", "/api/generate"): Keeping.generate,
    ("POST", "/api/chat"): Keeping.chat,
    ("POST", "/api/embed"): Keeping.embed,
}
