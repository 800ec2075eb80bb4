"""One model with everything that is known of it, fetched already or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from venom_core.sdk.architecture import Architecture, BadNumber
from venom_core.sdk.architecture_config import from_config_json
from venom_core.sdk.catalogue import RepositoryCard
from venom_core.sdk.errors import VenomError
from venom_core.sdk.hub_files import HubRef
from venom_core.sdk.numbers import say_bad
from venom_core.sdk.provider import Model
from venom_hf.cache import HubCache, model_of
from venom_hf.client import HuggingFaceClient

CONFIG = "config.json"


def held_model(cache: HubCache, ref: HubRef) -> Model | None:
    """Return a model of the cache, without a network; None where it is not there."""
    held = cache.find(ref)
    if held is None:
        return None
    return _with_numbers(model_of(held), cache.text(held, CONFIG), held.size_bytes)


def remote_model(client: HuggingFaceClient, ref: HubRef) -> Model:
    """Return a model of the Hub, from its card and its configuration. Blocks.

    Raises ``ModelNotFound``, and ``InvalidRequest`` where it has nothing to fetch.
    """
    plan = client.plan(ref)
    card = client.card(replace(ref, label=plan.choice.label))
    gguf = plan.choice.kind == "gguf"
    model = Model(
        ref=str(HubRef(ref.repo, plan.choice.label, ref.revision)),
        type="gguf" if gguf else "folder",
        capabilities=frozenset(),  # a source runs nothing
        title=card.entry.title,
        size_bytes=card.download_bytes,
        quantization=plan.choice.label,
        installed=False,
        license=card.entry.license,
        terms_url=card.terms_url,
        details=_details(card, ref),
    )
    if gguf:
        return model
    return _with_numbers(model, _config(client, ref, plan.commit), card.entry.size_bytes)


def _details(card: RepositoryCard, ref: HubRef) -> dict[str, Any]:
    entry = card.entry
    known = {
        "source": "Hugging Face",
        "repository": ref.repo,
        "commit": card.commit,
        "downloads": entry.downloads,
        "likes": entry.likes,
        "gated": entry.gated,
        "updated_at": entry.updated_at,
        "files": sum(file.fetched for file in card.files),
    }
    return {name: value for name, value in known.items() if value is not None}


def _config(client: HuggingFaceClient, ref: HubRef, commit: str) -> str | None:
    """Return the configuration's text; None where there is none to be had (a gated model)."""
    try:
        return client.file(ref.repo, commit, CONFIG)
    except VenomError:
        return None


def _with_numbers(model: Model, text: str | None, weights: int | None) -> Model:
    architecture = _architecture(text, weights) if text else None
    if architecture is None:
        return model
    return replace(model, architecture=architecture, context_length=architecture.context_length)


def _architecture(text: str, weights: int | None) -> Architecture | None:
    """Return the model in numbers; None for a file from outside that has none, or none that could
    be."""
    try:
        config = json.loads(text)
        if not isinstance(config, Mapping):
            return None
        return from_config_json(config, weights_bytes=weights)
    except BadNumber as error:
        say_bad("hub.config", error)
        return None
    except (ValueError, RecursionError):
        return None
