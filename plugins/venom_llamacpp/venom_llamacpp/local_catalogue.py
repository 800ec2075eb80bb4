"""Models that can be served, from four places: built-in models, pulled ones, what the shared
Hugging Face cache holds, and the user's own files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from venom_core.sdk.architecture import Architecture
from venom_core.sdk.gguf import GgufHeader
from venom_core.sdk.hub_download import HubFile
from venom_core.sdk.parameter_bounds import bounds_of_name
from venom_core.sdk.provider import Model, ModelCapability
from venom_llamacpp.catalogue import BUILT_IN, GENERATES, TEMPLATES, TOOLS, BuiltIn
from venom_llamacpp.files import CachedFiles, LocalFile, LocalFiles
from venom_llamacpp.hub import facts_of
from venom_llamacpp.reranking import RANK
from venom_llamacpp.store import ModelStore, StoredModel

#: Architectures that embed and do nothing else.
ENCODERS = frozenset(
    {"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "neo-bert",
     "modern-bert", "t5encoder", "gemma-embedding"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServableModel:
    """A model as the engine needs it, and as listings show it; see ``BuiltIn`` for the rest.

    ``own_pooling``: the file says how its embeddings are pooled.
    ``removable``: it lies in our store; what the user keeps elsewhere is not ours to delete.
    ``draft``: the file of the model that writes ahead for it; of one that is being started.
    ``missing``: names of those parts of its file that are not there.
    ``numbers``, ``reordered``: of a built-in model; others tell them in their header.
    """

    model: Model
    path: Path | None = None
    template: str | None = None
    trim: bool = False
    warm_up: str | None = None
    trained_context: int | None = None
    own_pooling: bool = False
    removable: bool = True
    missing: tuple[str, ...] = ()
    draft: str | None = None
    numbers: Architecture | None = None
    reordered: int = 0


class LocalCatalogue:
    """Looks at the disk; every method blocks."""

    def __init__(
        self, store: ModelStore, files: LocalFiles, cached: CachedFiles, context_length: int
    ) -> None:
        self._store = store
        self._files = files
        self._cached = cached
        self._context = context_length

    def all(self) -> dict[str, ServableModel]:
        """Everything by reference; a pulled model wins over a file of the same name."""
        stored = {item.ref: item for item in self._store.list()}
        found = {
            ref: self._built_in(entry, stored.pop(ref, None)) for ref, entry in BUILT_IN.items()
        }
        found |= {ref: self._pulled(item) for ref, item in stored.items()}
        own = {item.ref: self._file(item, "model_paths") for item in self._files.list()}
        cached = {item.ref: self._file(item, "Hugging Face cache") for item in self._cached.list()}
        return own | cached | found

    def context_of(self, trained: int | None) -> int:
        """The configured context, never more than the model was trained for."""
        return min(self._context, trained) if trained else self._context

    def _built_in(self, entry: BuiltIn, stored: StoredModel | None) -> ServableModel:
        model = Model(
            ref=entry.ref,
            type="gguf",
            capabilities=entry.capabilities,
            title=entry.title,
            summary=entry.summary,
            size_bytes=entry.size_bytes,
            digest=f"sha256:{entry.sha256}",
            quantization=entry.quantization,
            context_length=self.context_of(entry.trained_context),
            languages=entry.languages,
            instruct=entry.instruct,
            installed=stored is not None,
            allowed_roles=entry.allowed_roles,
            defaults=dict(entry.defaults),
            license=entry.license,
            terms_url=entry.terms_url,
            details={
                "architecture": entry.architecture,
                "trained_context_length": entry.trained_context,
                "download_bytes": entry.source.download_bytes,
                "source": "package index",
            },
        )
        template = (TEMPLATES / entry.template).read_text() if entry.template else None
        return ServableModel(
            model,
            stored.path if stored is not None else None,
            template,
            entry.trim,
            entry.warm_up,
            entry.trained_context,
            numbers=entry.numbers,
            reordered=entry.reordered_bytes,
        )

    def _pulled(self, stored: StoredModel) -> ServableModel:
        model = self._described(stored.ref, stored.size_bytes, stored.facts, "Hugging Face")
        return _with_facts(model, stored.path, stored.facts, f"sha256:{stored.sha256}")

    def offered(self, ref: str, file: HubFile, header: GgufHeader) -> ServableModel:
        """A file of Hugging Face that is not fetched yet."""
        facts = facts_of(header)
        model = self._described(ref, file.size_bytes, facts, "Hugging Face")
        servable = _with_facts(model, None, facts, f"sha256:{file.sha256}")
        return replace(servable, model=replace(servable.model, installed=False))

    def _file(self, local: LocalFile, source: str) -> ServableModel:
        facts = facts_of(local.header)
        model = self._described(local.ref, local.header.size_bytes, facts, source)
        servable = _with_facts(model, local.path, facts, local.digest)
        missing: dict[str, Any] = {"missing_files": list(local.missing)} if local.missing else {}
        model = replace(servable.model, details={**servable.model.details, **missing})
        return replace(servable, model=model, removable=False, missing=local.missing)

    def _described(self, ref: str, size: int, facts: Mapping[str, Any], source: str) -> Model:
        return Model(
            ref=ref,
            type="gguf",
            capabilities=capabilities_of(facts),
            title=facts.get("name"),
            size_bytes=size,
            quantization=facts.get("quantization"),
            context_length=self.context_of(facts.get("context_length")),
            # A file without a chat template is a base model, or one that embeds.
            instruct=bool(facts.get("chat")),
            license=facts.get("license"),
            parameter_bounds=bounds_of_name(ref),
            details={
                "architecture": facts.get("architecture"),
                "trained_context_length": facts.get("context_length"),
                "chat_template": bool(facts.get("chat")),
                "source": source,
            },
        )


def _with_facts(
    model: Model, path: Path | None, facts: Mapping[str, Any], digest: str | None
) -> ServableModel:
    return ServableModel(
        replace(model, digest=digest),
        path,
        trained_context=facts.get("context_length"),
        own_pooling=facts.get("pooling") is not None,
    )


def capabilities_of(facts: Mapping[str, Any]) -> frozenset[ModelCapability]:
    """Return what a file can do by its header: a reranker ranks, an encoder embeds, a model without
    a template of its own completes and embeds, one with a template chats as well, and calls tools
    where the template shows them."""
    if facts.get("pooling") == RANK:
        return frozenset({"rerank"})
    if facts.get("pooling") is not None or facts.get("architecture") in ENCODERS:
        return frozenset({"embedding"})
    if facts.get("chat"):
        return GENERATES | TOOLS if facts.get("tools") else GENERATES
    return frozenset({"completion", "embedding"})


def ranks(model: Model) -> bool:
    """Return whether a model ranks texts, and does nothing else."""
    return "rerank" in (model.capabilities or ())


def answers(model: Model) -> bool:
    """Return whether a model does more than embed or rank."""
    return bool({"chat", "completion"} & (model.capabilities or frozenset()))
