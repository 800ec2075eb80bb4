"""Models as Ollama's clients list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venom_core.api.ollama.wire import OllamaDetails, OllamaLoaded, OllamaModel, OllamaShown

if TYPE_CHECKING:
    from venom_core.models.registry import ListedModel
    from venom_core.sdk.provider import Model
    from venom_core.usecases.models import LoadedRecord

#: What Ollama calls a capability; others go by the same name.
_CALLED = {"chat": "completion"}
#: A model that is never taken out of memory by itself.
NEVER = "0001-01-01T00:00:00Z"


def listed(item: ListedModel, at: str) -> OllamaModel:
    """Return a model as ``/api/tags`` has it; ``at`` stands for a time that nobody keeps."""
    made: OllamaModel = {
        "name": item.id,
        "model": item.id,
        "modified_at": at,
        "size": item.model.size_bytes or 0,
        "digest": _digest(item.model),
        "details": _details(item.model),
        "capabilities": _capabilities(item.model),
    }
    if item.model.runs_at is not None:
        made["runs_at"] = item.model.runs_at
    return made


def loaded(one: LoadedRecord, item: ListedModel | None) -> OllamaLoaded:
    """Return a model in memory as ``/api/ps`` has it."""
    name = one["reference"] if item is None else item.id
    made: OllamaLoaded = {
        "name": name,
        "model": name,
        "size": one["size_bytes"] or 0,
        "digest": "" if item is None else _digest(item.model),
        "details": _details(None if item is None else item.model),
        "expires_at": one["expires_at"] or NEVER,
        "size_vram": one["vram_bytes"] or 0,
    }
    if one["context_length"] is not None:
        made["context_length"] = one["context_length"]
    return made


def shown(item: ListedModel, at: str) -> OllamaShown:
    """Return a model as ``/api/show`` has it."""
    model = item.model
    family = _family(model)
    info: dict[str, Any] = {"general.architecture": family} if family else {}
    if model.context_length is not None:
        info[f"{family or 'general'}.context_length"] = model.context_length
    lines = (f"{name} {value}" for name, value in sorted(model.defaults.items()))
    return {
        "license": model.license or "",
        "modelfile": "",
        "parameters": "\n".join(lines),
        "template": model.prompt_template or "",
        "details": _details(model),
        "model_info": info,
        "capabilities": _capabilities(model),
        "modified_at": at,
    }


def _capabilities(model: Model) -> list[str]:
    return sorted({_CALLED.get(one, one) for one in model.capabilities or ()})


def _digest(model: Model) -> str:
    return (model.digest or "").removeprefix("sha256:")


def _family(model: Model) -> str:
    found = model.details.get("family") or model.details.get("architecture")
    return found if isinstance(found, str) else ""


def _details(model: Model | None) -> OllamaDetails:
    if model is None:
        return {
            "parent_model": "", "format": "", "family": "", "families": [], "parameter_size": "",
            "quantization_level": "",
        }  # fmt: skip
    family, size = _family(model), model.details.get("parameter_size")
    made: OllamaDetails = {
        "parent_model": "",
        "format": "gguf" if model.type == "gguf" else "",
        "family": family,
        "families": [family] if family else [],
        "parameter_size": size if isinstance(size, str) else "",
        "quantization_level": model.quantization or "",
    }
    if model.context_length is not None:
        made["context_length"] = model.context_length
    return made
