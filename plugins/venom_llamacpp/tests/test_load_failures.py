"""llama.cpp's own words on a model that does not load, as refusals; the words are real ones."""

from __future__ import annotations

import pytest

from venom_core.sdk.errors import Conflict, ModelNotCapable, StorageError, Unavailable, VenomError
from venom_llamacpp.load_failures import load_failure

LOAD = "0.00.004.558 E llama_model_load: error loading model: "
END = "RuntimeError: Failed to init server, please check the input params."
CUT = (
    f"{LOAD}tensor 'blk.16.ffn_down.weight' data is not within the file bounds, model is corrupted "
    "or incomplete"
)
PARAMETERS = "hyperparameters: key not found in model: llama.context_length"
MEMORY = (
    "E ggml_aligned_malloc: insufficient memory\n0.00.305.125 E llama_init_from_model: failed to "
    "initialize the context: failed to allocate buffer for kv cache"
)
ADAPTER = (
    "E llama_adapter_lora_init_from_file_ptr: failed to apply lora adapter: expect general.type to "
    "be 'adapter', but got: model\nE cmn  common_init_: failed to load lora adapter '/tmp/a.gguf'"
)
GONE = (
    "E llama_adapter_lora_init: failed to open '/nowhere.gguf': No such file or directory\n"
    "E cmn  common_init_: failed to load lora adapter '/nowhere.gguf'\n"
    "E cmn  common_init_: failed to create context with model '/srv/m.gguf'"
)
CASES: dict[str, tuple[str, type[VenomError], str, str]] = {
    "architecture": (f"{LOAD}unknown model architecture: 'gemma9'", ModelNotCapable,
                     "does not know the architecture gemma9 of m", "newer engine"),
    "cut": (CUT, StorageError, "cut short or damaged", "venom pull m"),
    "hyperparameters": (f"{LOAD}error loading model {PARAMETERS}", StorageError, PARAMETERS,
                        "venom rm m"),
    "a path": (f"{LOAD}llama_model_loader: failed to load model from /srv/models/m.gguf",
               StorageError, "failed to load model from (its file).", "venom pull m"),
    "adapter": (GONE, Conflict, "An adapter of m is not there", "LORA_ADAPTERS"),
    "adapter of another": (ADAPTER, Conflict, "An adapter of m is none that fits", "LORA_ADAPTERS"),
    "graphics": ("venom-no-graphics-card", Unavailable, "no graphics card",
                 "GPU_LAYERS"),
    "memory": (MEMORY, Unavailable, "not enough memory for m", "CONTEXT_LENGTH lower"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_true_reason_is_told(name: str) -> None:
    log, kind, sentence, fix = CASES[name]
    error = load_failure("m", True, [*log.splitlines(), END])
    assert type(error) is kind and sentence in error.message and fix in str(error.fix)
    assert "/" not in error.message


def test_a_file_that_is_not_ours_is_not_ours_to_fetch() -> None:
    error = load_failure("m", False, CASES["cut"][0].splitlines())
    assert error is not None and "venom rm" not in str(error.fix)


def test_where_nothing_is_said_nothing_is_invented() -> None:
    assert load_failure("m", True, [END]) is None
