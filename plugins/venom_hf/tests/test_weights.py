"""Names, and which files of a repository are fetched."""

from __future__ import annotations

import pytest

from venom_core.sdk.errors import InvalidRequest, ModelNotFound
from venom_core.sdk.hub_download import HubFile
from venom_core.sdk.hub_files import gguf_groups
from venom_hf.references import parse_reference
from venom_hf.weights import choose, is_safe_name, why_not


def files(*names: str) -> list[HubFile]:
    return [HubFile(name, 100 + place) for place, name in enumerate(names)]


def chosen(ref: str, *names: str) -> list[str]:
    return [file.name for file in choose(files(*names), parse_reference(ref)).files]


@pytest.mark.parametrize(
    ("text", "repo", "label", "revision", "said"),
    [
        ("org/model", "org/model", None, None, "org/model"),
        ("hf.co/org/model:Q4_0", "org/model", "Q4_0", None, "org/model:Q4_0"),
        ("huggingface.co/org/m@v1.0", "org/m", None, "v1.0", "org/m@v1.0"),
        ("org/m:Q8_0@refs/pr/1", "org/m", "Q8_0", "refs/pr/1", "org/m:Q8_0@refs/pr/1"),
        ("org/m@main", "org/m", None, None, "org/m"),
    ],
)
def test_names(text: str, repo: str, label: str, revision: str, said: str) -> None:
    ref = parse_reference(text)
    assert (ref.repo, ref.label, ref.revision) == (repo, label, revision)
    assert str(ref) == said


@pytest.mark.parametrize(
    "text",
    ["gemma3:4b", "a/b/c", "org/../x", "/etc/passwd", "org/m@../../x", "org/m\n", "org/mó", ""],
)
def test_no_names(text: str) -> None:
    with pytest.raises(ModelNotFound):
        parse_reference(text)


def test_safetensors_with_what_belongs_to_them() -> None:
    names = (
        "model.safetensors", "config.json", "tokenizer.model", "LICENSE", "README.md",
        "pytorch_model.bin", "modeling_x.py", "original/consolidated.00.pth", "onnx/model.onnx",
        "consolidated.safetensors", "vae/model.safetensors", "training_args.bin",
    )  # fmt: skip
    taken = chosen("org/m", *names)
    assert taken[-1] == "model.safetensors"  # the weights last
    assert set(taken) == {"model.safetensors", "config.json", "tokenizer.model", "LICENSE",
                          "README.md"}  # fmt: skip


def test_parts_in_order() -> None:
    parts = [f"model-{n:05d}-of-00003.safetensors" for n in (2, 1, 3)]
    taken = chosen("org/m", "model.safetensors.index.json", *parts)
    assert taken == ["model.safetensors.index.json", *sorted(parts)]


@pytest.mark.parametrize(
    ("ref", "taken"),
    [
        ("org/m", ["m-Q4_K_M.gguf"]),
        ("org/m:q8_0", ["m-Q8_0.gguf"]),
        ("org/m:Q2_K", ["q2/m-Q2_K-00001-of-00002.gguf", "q2/m-Q2_K-00002-of-00002.gguf"]),
    ],
)
def test_one_gguf_of_several(ref: str, taken: list[str]) -> None:
    names = ("m-Q4_K_M.gguf", "m-Q8_0.gguf", "mmproj-m-f16.gguf", "config.json",
             "q2/m-Q2_K-00001-of-00002.gguf", "q2/m-Q2_K-00002-of-00002.gguf")  # fmt: skip
    assert chosen(ref, *names) == taken


def test_a_label_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ModelNotFound, match=r"has no Q5_K_M; it has Q4_0, Q8_0\."):
        chosen("org/m:Q5_K_M", "m-Q4_0.gguf", "m-Q8_0.gguf")
    with pytest.raises(ModelNotFound, match="has no Q4_K_M; it has"):
        chosen("org/m", "m-Q4_0.gguf", "m-Q8_0.gguf")


def test_half_a_gguf_is_none() -> None:
    assert gguf_groups(["m-Q4_0-00001-of-00002.gguf"]) == {}
    assert gguf_groups(["tiny.gguf"]) == {"tiny": ["tiny.gguf"]}


def test_pickles_are_refused_with_the_reason() -> None:
    with pytest.raises(InvalidRequest) as refused:
        chosen("org/m", "pytorch_model.bin", "config.json", "model.pt")
    assert refused.value.code == "unsafe_weights"
    assert "pickles only (model.pt)" in refused.value.message
    with pytest.raises(InvalidRequest) as refused:
        chosen("org/m", "config.json", "model.onnx")
    assert refused.value.code == "no_weights"


@pytest.mark.parametrize(
    "name",
    ["../x.gguf", "/x.gguf", "a/../b.json", "a\\b.json", "c:/x.json", "a//b", "", "x\n.json",
     "a./. ", "x" * 301],
)  # fmt: skip
def test_names_that_point_elsewhere_are_never_taken(name: str) -> None:
    assert not is_safe_name(name)
    assert why_not(name, 1) == "Its name points outside its repository."
    assert name not in chosen("org/m", name, "model.safetensors")


def test_why_files_stay_behind() -> None:
    assert why_not("x.PT", 1) == "A pickle runs code of its author's when it is loaded."
    assert why_not("modeling.py", 1) == "Code of a repository is not fetched."
    assert why_not("image.png", 1) == "A model needs no such file."
    assert why_not("huge.json", 10**9) == "A model needs no such file."
    assert why_not("model.gguf", 10**12) is None
