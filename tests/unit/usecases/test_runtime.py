"""The runtime as the contract has it: hash, id and label."""

from __future__ import annotations

import hashlib

from venom_core.models.registry import ListedModel
from venom_core.sdk.provider import Model
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Reason
from venom_core.usecases.runtime import runtime_payload

SPEC = ProviderSpec("ollama", "Ollama", "", "", frozenset())
ITEM = ListedModel("ollama", Model("Org/Gemma3:4b", "ollama"))


def test_hash_id_and_label() -> None:
    told = runtime_payload(ITEM, SPEC, "http://127.0.0.1:11434/", "online")
    text = "ollama|http://127.0.0.1:11434|org/gemma3:4b"
    assert told["config_hash"] == hashlib.sha256(text.encode()).hexdigest()[:12]
    assert told["runtime_id"] == "ollama@http://127.0.0.1:11434"
    assert told["label"] == "Gemma3:4b · ollama @ 127.0.0.1:11434"
    assert (told["endpoint_host"], told["endpoint_port"]) == ("127.0.0.1", 11434)
    assert told["configured_models"] == {
        "local": "Org/Gemma3:4b", "hybrid_local": "Org/Gemma3:4b", "cloud": None
    }  # fmt: skip


def test_an_address_shows_no_password_and_has_its_port() -> None:
    told = runtime_payload(ITEM, SPEC, "https://me:secret@[::1]/v", "online")
    assert told["endpoint"] == "https://[::1]:443/v"
    assert "secret" not in str(told)


def test_who_serves_is_no_guess_from_the_address() -> None:
    told = runtime_payload(ITEM, SPEC, "http://vllm.example:8000", "online")
    assert told["provider"] == "ollama"


def test_nothing_to_serve_has_every_key_and_the_reason() -> None:
    told = runtime_payload(None, None, None, "offline", Reason("no_model", "None is installed."))
    assert set(told) == set(runtime_payload(ITEM, SPEC, None, "ready"))
    assert (told["status"], told["error"], told["model"]) == (
        "offline", "None is installed.", None
    )  # fmt: skip
