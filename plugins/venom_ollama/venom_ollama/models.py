"""From Ollama's listings and details to ``Model``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from venom_core.sdk.architecture import MAX_BYTES, MAX_CONTEXT
from venom_core.sdk.numbers import real, tokens, whole
from venom_core.sdk.parameter_bounds import bounds_of_name
from venom_core.sdk.provider import LoadedModel, Model, ModelCapability
from venom_core.sdk.spec import Proposal
from venom_ollama.memory import Numbers, memory_plan
from venom_ollama.plugin import PROPOSALS

_CAPABILITIES: Mapping[str, tuple[ModelCapability, ...]] = {
    "completion": ("chat", "completion"),
    "embedding": ("embedding",),
    "tools": ("tools",),
    "vision": ("vision",),
    "thinking": ("thinking",),
}

#: Parameters of a Modelfile -> OpenAI names of a model's defaults.
_DEFAULTS = {
    "temperature": ("temperature", float),
    "top_p": ("top_p", float),
    "top_k": ("top_k", int),
    "min_p": ("min_p", float),
    "repeat_penalty": ("repeat_penalty", float),
    "presence_penalty": ("presence_penalty", float),
    "frequency_penalty": ("frequency_penalty", float),
    "seed": ("seed", int),
    "num_predict": ("max_tokens", int),
}

_SEES = frozenset({"gemma3:4b"})


def _proposed(proposal: Proposal) -> Model:
    capabilities: frozenset[ModelCapability] = frozenset({"chat", "completion"})
    if proposal.name in _SEES:
        capabilities |= {"vision"}
    return Model(
        ref=proposal.name,
        type="ollama",
        capabilities=capabilities,
        title=proposal.title,
        summary=proposal.summary,
        size_bytes=proposal.size_bytes,
        context_length=proposal.architecture.context_length if proposal.architecture else None,
        instruct=True,
        installed=False,
        license="Gemma Terms of Use",
        terms_url=proposal.terms_url,
        architecture=proposal.architecture,
        memory_plan=proposal.memory_plan,
    )


#: What can be had by name: proposed, never pulled unasked.
PROPOSED = tuple(map(_proposed, PROPOSALS))


def canonical(ref: str) -> str:
    """Return a reference as Ollama compares it: ``Gemma3`` -> ``gemma3:latest``."""
    name = ref.lower()
    for prefix in ("https://", "http://", "registry.ollama.ai/", "library/"):
        name = name.removeprefix(prefix)
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def listed(
    item: Mapping[str, Any],
    shown: Mapping[str, Any] | None,
    loaded: bool | None,
    context: int | None = None,
    server: str | None = None,
    *,
    default_context: int | None = None,
    by_llama_server: bool = False,
) -> Model:
    """Return the model of an entry of ``/api/tags``, with what ``/api/show`` adds where that is
    known (and under ``numbers`` what was made of it). ``context``: what the settings want every
    model to have, or what it is loaded with; ``server``: the host of Ollama where it is not this
    machine; ``default_context``: what Ollama takes where nobody names one; ``by_llama_server``: the
    engine of 0.30 and newer."""
    details = _mapping(item.get("details"))
    shown = shown or {}
    numbers: Numbers | None = shown.get("numbers")
    shown_details = _details(details, shown)
    capabilities = _capabilities(shown.get("capabilities"))
    return Model(
        ref=item["name"],
        type="ollama",
        # Those of the listing are a guess: it does not read the template inside the file.
        capabilities=capabilities,
        size_bytes=_whole(item.get("size")),
        digest=_text(item.get("digest")),
        quantization=_text(details.get("quantization_level")),
        context_length=tokens(details.get("context_length"), "ollama.model.context_length")
        or _trained_context(shown),
        loaded=loaded,
        defaults=defaults(shown),
        applies_defaults=True,
        runs_at=runs_at(item, server),
        host_is_named="remote_host" not in item and server is not None,
        parameter_bounds=bounds_of_name(item["name"]),
        license=_first_line(shown.get("license")),
        terms_url=_first_address(shown.get("license")),
        details=shown_details,
        architecture=numbers.architecture if numbers else None,
        memory_plan=memory_plan(
            numbers,
            context or shown_details.get("num_ctx") or default_context,
            embeds="embedding" in (capabilities or ()),
            by_llama_server=by_llama_server,
        )
        if numbers
        else None,
    )


def runs_at(item: Mapping[str, Any], server: str | None) -> str | None:
    """Return the host that gets the prompts of a listed model: of a cloud model the one behind
    Ollama; None where it runs on this machine."""
    if "remote_host" not in item and "remote_model" not in item:
        return server
    try:
        host = urlsplit(str(item.get("remote_host"))).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    return host.removesuffix(":443")[:100] or "another machine"


def loaded_model(item: Mapping[str, Any]) -> LoadedModel:
    """Return the model of an entry of ``/api/ps``. "Until stopped" is a date three centuries
    ahead."""
    expires = _text(item.get("expires_at"))
    if expires and expires[:4].isdecimal() and int(expires[:4]) > 2200:
        expires = None
    return LoadedModel(
        ref=item["name"],
        size_bytes=_whole(item.get("size")),
        vram_bytes=_whole(item.get("size_vram")),
        context_length=tokens(item.get("context_length"), "ollama.loaded.context_length"),
        expires_at=expires,
    )


def defaults(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's own generation defaults by OpenAI name, from the ``parameters`` text: a
    name and a value on each line, a text in quotes, ``stop`` as often as there are stops."""
    result: dict[str, Any] = {}
    stops: list[str] = []
    for name, value in _parameters(shown):
        if name == "stop":
            stops.append(_unquoted(value))
        elif name in _DEFAULTS:
            target, kind = _DEFAULTS[name]
            # Ollama stores what it cannot use and fails at the first use; not ours to send.
            number = _number(name, value, kind)
            if number is None:
                continue
            # Their "no limit" (-1) is our absence.
            if target != "max_tokens" or number > 0:
                result[target] = number
    if stops:
        result["stop"] = stops
    return result


def _parameters(shown: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for line in (_text(shown.get("parameters")) or "").splitlines():
        name, _, value = line.strip().partition(" ")
        if value.strip():
            yield name, value.strip()


def _unquoted(value: str) -> str:
    """Return a text that Go quoted, for people to read. What JSON does not quote alike (``\\a``,
    ``\\v``, ``\\x7f``) stays as it was written."""
    try:
        text = json.loads(value) if value.startswith('"') else value
    except ValueError:
        text = value[1:-1]
    return str(text)


def _capabilities(names: Any) -> frozenset[ModelCapability] | None:
    if not isinstance(names, list):
        return None
    return frozenset(ours for name in names for ours in _CAPABILITIES.get(str(name), ()))


def _trained_context(shown: Mapping[str, Any]) -> int | None:
    info = _mapping(shown.get("model_info"))
    context = info.get(f"{info.get('general.architecture')}.context_length")
    return whole(context, "ollama.model.context_length", MAX_CONTEXT, 1)


def _details(details: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return family, size and format. ``parent_model`` is left out: it can be a path."""
    names = ("family", "parameter_size", "format")
    found = {name: details[name] for name in names if isinstance(details.get(name), str)}
    parameters = dict(_parameters(shown))
    if (context := _number("num_ctx", parameters.get("num_ctx", ""), int)) is not None:
        # One below 1 leaves the choice to Ollama.
        found |= {"num_ctx": context} if 0 < context <= MAX_CONTEXT else {}
    return found


def _first_line(text: Any) -> str | None:
    lines = (_text(text) or "").strip().splitlines()
    return lines[0].strip()[:120] if lines else None


def _first_address(text: Any) -> str | None:
    match = re.search(r"https://[^\s)\"'>]+", (_text(text) or "")[:2000])
    return match[0].rstrip(".,") if match else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: Any) -> int | None:
    return whole(value, "ollama.model", MAX_BYTES)


def _number(name: str, text: str, kind: type) -> float | None:
    """Return a parameter's number; None where the text is none that can be sent."""
    try:
        value = kind(text[:40])
    except ValueError:
        return None
    return real(value, f"ollama.{name}", -(2**63), 2**63 - 1)
