"""The choice of the record that answers a request: exactly, then up to stated equivalences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.testing.ollama.records import Record

#: Of several records of one request (the server was in another state each time) this one answers
#: unless another is preferred. A request not named here is answered by its first record.
DEFAULTS = (
    "130_tags",
    "201_ps_loaded",
    "132_v1_models",
    "140_show",
    "620_pull_stream",
    "703_runner_killed_midstream",
)

#: Ollama reads ``truncate`` since this version; an older one ignores it and cuts the prompt.
TRUNCATE_SINCE = (0, 12, 6)

#: Marks a body of ``/api/show`` for the rules below.
SHOW = "(show)"

_LOOPBACK = re.compile(r"^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the fake received it."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw_body: bytes
    #: The JSON value of the body, or None where it is empty or not JSON.
    body: Any

    @classmethod
    def of(cls, method: str, path: str, headers: Mapping[str, str], raw_body: bytes) -> Asked:
        """Read ``raw_body`` as JSON where it is JSON. ``headers`` have lower-case names."""
        try:
            body = json.loads(raw_body) if raw_body else None
        except ValueError:
            body = None
        return cls(method, path, headers, raw_body, body)


# The equivalences: what a request may hold that changes nothing in what was recorded.

Rule = Callable[[dict[str, Any]], dict[str, Any]]


def without_shift(body: dict[str, Any]) -> dict[str, Any]:
    """Drop ``shift``: it only matters when the context runs full while answering, in no record."""
    return _without(body, "shift")


def without_truncate(body: dict[str, Any]) -> dict[str, Any]:
    """Drop ``truncate``: it only matters for a prompt that does not fit. Those were recorded with
    and without it, and a record that matches exactly wins, so nothing is hidden here."""
    return _without(body, "truncate")


def without_keep_alive(body: dict[str, Any]) -> dict[str, Any]:
    """Drop ``keep_alive``: it changes no answer, unless it unloads (zero) or is refused (no
    unit)."""
    value = body.get("keep_alive")
    harmless = isinstance(value, int | float) and value != 0
    if isinstance(value, str):
        harmless = re.fullmatch(r"-?\d+(\.\d+)?(ms|s|m|h)", value) is not None
    return _without(body, "keep_alive") if harmless else body


def without_num_ctx(body: dict[str, Any]) -> dict[str, Any]:
    """Drop ``options.num_ctx``: it changes no recorded answer whose prompt fits; empty options are
    none."""
    options = body.get("options")
    if not isinstance(options, dict):
        return body
    options = _without(options, "num_ctx")
    return {**body, "options": options} if options else _without(body, "options")


def with_default_stream(body: dict[str, Any]) -> dict[str, Any]:
    """Drop ``stream: true``, the default."""
    return _without(body, "stream") if body.get("stream") is True else body


def without_empty(body: dict[str, Any]) -> dict[str, Any]:
    """Drop what clients send though it is empty: tools, images, system, ``insecure: false``."""
    empty = {"tools": [], "images": [], "system": "", "template": "", "suffix": "", "raw": False,
             "insecure": False, "verbose": False, "logprobs": False}  # fmt: skip
    return {k: v for k, v in body.items() if not (k in empty and v == empty[k])}


def with_model_field(body: dict[str, Any]) -> dict[str, Any]:
    """Rename ``name``, the old spelling of ``model``; both were recorded."""
    if "name" in body and "model" not in body:
        return {**_without(body, "name"), "model": body["name"]}
    return body


def with_default_tag(body: dict[str, Any]) -> dict[str, Any]:
    """Drop ``:latest``, which a bare name means. Only where just a model is asked for by
    ``/api/show``: other answers repeat the name as it was written."""
    if set(body) == {"model", SHOW} and isinstance(body["model"], str):
        return {**body, "model": body["model"].removesuffix(":latest")}
    return body


EQUIVALENCES: tuple[Rule, ...] = (
    without_shift,
    without_truncate,
    without_keep_alive,
    without_num_ctx,
    with_default_stream,
    without_empty,
    with_model_field,
    with_default_tag,
)


def _without(body: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in body.items() if k != key}


def normalised(body: Any, path: str = "") -> Any:
    """Return ``body`` after every equivalence."""
    if not isinstance(body, dict):
        return body
    if path == "/api/show":
        body = {**body, SHOW: True}
    for rule in EQUIVALENCES:
        body = rule(body)
    return body


def version_tuple(version: str) -> tuple[int, ...]:
    """Return (0, 12, 5) for ``0.12.5``."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


class Matcher:
    """Finds the record for a request."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._exact: dict[str, list[Record]] = {}
        self._loose: dict[str, list[Record]] = {}
        for record in records:
            asked = Asked.of(
                record.method,
                record.path,
                {key.lower(): value for key, value in record.headers},
                record.request_body(),
            )
            self._exact.setdefault(_key(asked), []).append(record)
            self._loose.setdefault(_key(asked, loose=True), []).append(record)

    def find(
        self, asked: Asked, preferred: Iterable[str] = (), reads_truncate: bool = True
    ) -> Record | None:
        """Return the record for ``asked``; of several the preferred one, then :data:`DEFAULTS`,
        then the first. An Ollama that does not read ``truncate`` never sees it."""
        if not reads_truncate and isinstance(asked.body, dict) and "truncate" in asked.body:
            body = without_truncate(asked.body)
            raw = json.dumps(body).encode()
            asked = Asked(asked.method, asked.path, asked.headers, raw, body)
        preferred = list(preferred)
        exact = self._exact.get(_key(asked), [])
        loose = self._loose.get(_key(asked, loose=True), [])
        for name in preferred:
            for record in (*exact, *loose):
                if record.name == name:
                    return record
        for group in (exact, loose):
            for record in sorted(group, key=lambda r: r.name not in DEFAULTS):
                return record
        return None


def _key(asked: Asked, loose: bool = False) -> str:
    """Return method, path, foreign Host, Origin and body as one string."""
    host = asked.headers.get("host", "")
    origin = asked.headers.get("origin")
    if origin and host and origin == f"http://{host}":
        origin = "same"
    body: Any = asked.body
    if body is None:
        body = asked.raw_body.decode("latin-1")
    elif loose:
        body = normalised(body, asked.path)
    return json.dumps(
        [asked.method, asked.path, "" if _LOOPBACK.match(host) else host, origin, body],
        sort_keys=True,
    )
