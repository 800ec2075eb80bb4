"""Folders as models that transformers runs: what is listed, what is refused and how an engine is
started. No engine is; tests/engines has the real one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.engine import EngineCommand
from venom_core.sdk.errors import VenomError
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.provider import Model
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.contexts import provider_context
from venom_core.testing.onnx import ANSWERS, VECTORS
from venom_core.testing.safetensors import COMMIT, write_bert, write_llama, write_snapshot
from venom_hf.launching import device_of, dtype_of, launch_folder
from venom_hf.plugin import ENVIRONMENT, venom_providers
from venom_hf.provider import HuggingFaceProvider

MakeProvider = Callable[..., HuggingFaceProvider]


@pytest.fixture
def make(tmp_path: Path) -> MakeProvider:
    def made(**settings: Any) -> HuggingFaceProvider:
        values = {
            "cache_dir": str(tmp_path / "cache"), "python": sys.executable, "threads": 1,
            "model_paths": (str(tmp_path / "folders"),), "device": "cpu", **settings,
        }  # fmt: skip
        return HuggingFaceProvider(
            provider_context(venom_providers()[0], tmp_path / "data", tmp_path / "models", values)
        )

    return made


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder that a person keeps, and one of the cache, with a model that embeds beside it."""
    write_llama(tmp_path / "folders" / "chain", ANSWERS)
    write_bert(tmp_path / "folders" / "bert", VECTORS)
    write_snapshot(tmp_path / "cache", write_llama(tmp_path / "plain", ANSWERS), "org/chain")
    return tmp_path / "folders"


async def listed(provider: HuggingFaceProvider) -> dict[str, Model]:
    return {model.ref: model for model in await provider.models()}


async def refusal(provider: HuggingFaceProvider, ref: str) -> VenomError:
    body: Any = {"messages": [{"role": "user", "content": "Hi"}]}
    request = ChatRequest(ref, body, stream=True, request_id="r")
    with pytest.raises(VenomError) as raised:
        async for _ in provider.chat(request):
            pass
    return raised.value


async def test_folders_are_listed_with_what_they_can_do(make: MakeProvider, folders: Path) -> None:
    found = await listed(make())
    assert {ref: set(model.capabilities or ()) for ref, model in found.items()} == {
        "chain": {"chat", "completion"},
        "bert": {"embedding"},
        "org/chain": {"chat", "completion"},
    }
    assert found["org/chain"].identity == f"commit:{COMMIT}"
    assert found["org/chain"].details["repository"] == "org/chain"
    assert found["chain"].identity == str((folders / "chain").resolve())
    assert found["chain"].context_length == 512
    assert found["bert"].context_length == 64
    assert found["chain"].loaded is False


async def test_without_an_environment_folders_are_a_sources(
    make: MakeProvider, folders: Path
) -> None:
    provider = make(python=None)
    found = await listed(provider)
    assert {model.capabilities for model in found.values()} == {frozenset()}
    reason = found["org/chain"].details["reason"]
    assert (reason["code"], reason["fix"]) == ("engine_missing", "venom engines install hf")
    assert (await provider.health()).status is ProviderStatus.READY
    assert (await refusal(provider, "chain")).code == "engine_missing"


async def test_an_environment_that_is_not_whole(
    make: MakeProvider, folders: Path, tmp_path: Path
) -> None:
    python = tmp_path / "data" / "environments" / "hf" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    provider = make(python=None)
    assert (await refusal(provider, "chain")).code == "engine_damaged"
    record = {"packages": list(ENVIRONMENT.packages), "installed": ["transformers==5.23.0"]}
    (python.parent.parent / "venom-environment.json").write_text(json.dumps(record))
    assert provider.look_for_engine() == "5.23.0"
    assert (await listed(provider))["chain"].capabilities


async def test_a_python_that_is_not_there_is_named(make: MakeProvider, folders: Path) -> None:
    error = await refusal(make(python="/no/such/python"), "chain")
    assert error.code == "engine_missing"
    assert "VENOM_HF__PYTHON" in error.message


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("config.json", b"{", "model_damaged"),
        ("config.json", b'{"architectures": ["ViTForImageClassification"]}', "model_not_capable"),
        ("model.safetensors", b"\xff" * 40, "model_damaged"),
        ("tokenizer.json", None, "model_incomplete"),
        ("generation_config.json", b"[]", "model_damaged"),
        ("chat_template.jinja", b"\xff\xfe", "model_damaged"),
    ],
    ids=["no-json", "no-text", "weights", "no-tokenizer", "generation", "template"],
)
async def test_a_folder_with_a_fault_is_listed_with_its_reason(
    make: MakeProvider, folders: Path, name: str, content: bytes | None, code: str
) -> None:
    file = folders / "chain" / name
    file.unlink() if content is None else file.write_bytes(content)
    provider = make()
    found = (await listed(provider))["chain"]
    assert found.capabilities == frozenset()
    assert found.details["reason"]["code"] == code
    assert str(folders) not in str(found.details["reason"])
    assert (await refusal(provider, "chain")).code == code


async def test_a_link_out_of_the_folder_is_never_opened(make: MakeProvider, folders: Path) -> None:
    outside = folders.parent / "secret.json"
    outside.write_text("{}")
    (folders / "chain" / "generation_config.json").unlink()
    (folders / "chain" / "generation_config.json").symlink_to(outside)
    assert (await refusal(make(), "chain")).code == "unsafe_model"


async def test_code_of_a_folder_is_not_launched(folders: Path, tmp_path: Path) -> None:
    chain = folders / "chain"
    (chain / "modeling_evil.py").write_text("raise SystemExit")
    (chain / "pytorch_model.bin").write_bytes(b"\x80\x02")
    folder, own = launch_folder(chain, tmp_path / "own")
    assert folder.reason is None
    assert {path.name for path in own.iterdir()} == {
        "model.safetensors", "config.json", "generation_config.json", "tokenizer.json",
        "tokenizer_config.json", "chat_template.jinja",
    }  # fmt: skip


async def test_what_is_asked_of_the_wrong_model(make: MakeProvider, folders: Path) -> None:
    provider = make()
    assert (await refusal(provider, "bert")).code == "model_not_capable"
    assert (await refusal(provider, "org/nothing")).code == "model_not_found"


async def test_a_folder_of_a_person_is_not_removed(make: MakeProvider, folders: Path) -> None:
    with pytest.raises(VenomError) as raised:
        await make().remove("chain")
    assert raised.value.code == "not_supported"
    assert (folders / "chain" / "config.json").exists()


async def test_an_engine_is_started_by_the_settings_alone(
    make: MakeProvider, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = make(dtype="bfloat16", attention="eager", parallel=3, context_length=300)
    commands: list[EngineCommand] = []

    def start(ref: str, command: Callable[[], EngineCommand], *more: object) -> object:
        commands.append(command())
        raise RuntimeError("far enough")

    monkeypatch.setattr(provider, "running", start)
    with pytest.raises(RuntimeError):
        await provider.load("chain")
    (command,) = commands
    config = json.loads(command.env["VENOM_ENGINE_CONFIG"])
    assert {name: config[name] for name in ("dtype", "attention", "parallel", "device")} == {
        "dtype": "bfloat16", "attention": "eager", "parallel": 3, "device": "cpu",
    }  # fmt: skip
    assert config["context_length"] == 300
    assert command.python == sys.executable
    assert command.env["HF_HUB_OFFLINE"] == "1"
    assert command.args[1] == "venom_hf.engine:TransformersEngine"


async def test_weights_of_sixteen_bits_are_counted_as_they_lie_in_memory(
    make: MakeProvider, folders: Path
) -> None:
    wide = (await listed(make(dtype="auto")))["chain"].architecture
    narrow = (await listed(make(dtype="bfloat16")))["chain"].architecture
    assert wide is not None and narrow is not None
    assert wide.weights_bytes == 2 * (narrow.weights_bytes or 0)


class Torch:
    """Stand in for torch and what it tells of a machine."""

    float32, bfloat16 = "float32", "bfloat16"

    def __init__(self, *there: str) -> None:
        self.cuda = self._of("cuda" in there)
        self.backends = self._of(False)
        self.backends.mps = self._of("mps" in there)

    @staticmethod
    def _of(there: bool) -> Any:
        return type("Part", (), {"is_available": staticmethod(lambda: there)})()


@pytest.mark.parametrize(
    ("wanted", "there", "device", "dtype"),
    [
        ("auto", (), "cpu", "float32"),
        ("auto", ("cuda",), "cuda", "auto"),
        ("auto", ("mps",), "mps", "auto"),
        ("cpu", ("cuda",), "cpu", "float32"),
    ],
)
def test_what_computes(wanted: str, there: tuple[str, ...], device: str, dtype: str) -> None:
    torch = Torch(*there)
    assert device_of(torch, wanted) == device
    assert dtype_of(torch, "auto", device) == dtype
    assert dtype_of(torch, "bfloat16", device) == "bfloat16"


def test_a_card_that_is_not_there_is_refused() -> None:
    with pytest.raises(VenomError) as raised:
        device_of(Torch(), "cuda")
    assert raised.value.code == "no_graphics_card"


@pytest.mark.parametrize(
    ("told", "defaults"),
    [
        ({"do_sample": True, "temperature": 0.6, "top_k": 40}, {"temperature": 0.6, "top_k": 40}),
        ({"do_sample": True, "temperature": "hot", "top_k": [1], "top_p": 0.9}, {"top_p": 0.9}),
        ({"do_sample": True, "temperature": -1, "repetition_penalty": None}, {}),
        ({"do_sample": False, "temperature": 0.6}, {"temperature": 0.0}),
    ],
    ids=["numbers", "texts", "no-numbers", "likeliest"],
)
async def test_the_models_own_sampling_is_read_as_far_as_it_can_be(
    make: MakeProvider, tmp_path: Path, told: dict[str, Any], defaults: dict[str, Any]
) -> None:
    write_llama(tmp_path / "folders" / "chain", ANSWERS, generation=told)
    assert (await listed(make()))["chain"].defaults == defaults


async def test_the_version_is_that_beside_the_interpreter_that_is_named(
    make: MakeProvider, tmp_path: Path
) -> None:
    environment = tmp_path / "own"
    python = environment / "bin" / "python"
    site = environment / "lib" / "python3.11" / "site-packages"
    for name, version in (("transformers", "9.8.7"), ("transformers_extras", "1.0")):
        (site / f"{name}-{version}.dist-info").mkdir(parents=True)
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    assert (await make(python=str(python)).health()).version == "9.8.7"
    (site / "transformers-9.8.7.dist-info").rmdir()
    assert (await make(python=str(python)).health()).version is None
