"""The parts that plugin authors build on; a provider needs nothing else of Venom.

Importing this package costs the standard library and pluggy's markers; the rest is imported when a
name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from venom_core.sdk.architecture import Architecture as Architecture
    from venom_core.sdk.architecture import MemoryPlan as MemoryPlan
    from venom_core.sdk.catalogue import CatalogueEntry as CatalogueEntry
    from venom_core.sdk.catalogue import NewsItem as NewsItem
    from venom_core.sdk.catalogue import RepositoryCard as RepositoryCard
    from venom_core.sdk.catalogue import RepositoryFile as RepositoryFile
    from venom_core.sdk.catalogue import SearchFilters as SearchFilters
    from venom_core.sdk.catalogue import SearchPage as SearchPage
    from venom_core.sdk.disk import check_space as check_space
    from venom_core.sdk.disk import disk_errors as disk_errors
    from venom_core.sdk.disk import replacing as replacing
    from venom_core.sdk.disk import sha256_of as sha256_of
    from venom_core.sdk.disk import write_file as write_file
    from venom_core.sdk.engine import EngineCommand as EngineCommand
    from venom_core.sdk.engine import EngineProcess as EngineProcess
    from venom_core.sdk.engine_pool import EnginePool as EnginePool
    from venom_core.sdk.errors import VenomError as VenomError
    from venom_core.sdk.frames import Answer as Answer
    from venom_core.sdk.frames import Choice as Choice
    from venom_core.sdk.frames import Chunk as Chunk
    from venom_core.sdk.frames import Envelope as Envelope
    from venom_core.sdk.frames import Frame as Frame
    from venom_core.sdk.frames import FrameKind as FrameKind
    from venom_core.sdk.frames import ToolCall as ToolCall
    from venom_core.sdk.frames import Usage as Usage
    from venom_core.sdk.frames import delta as delta
    from venom_core.sdk.frames import finish as finish
    from venom_core.sdk.gguf import GgufHeader as GgufHeader
    from venom_core.sdk.gguf import read_header as read_header
    from venom_core.sdk.hookspecs import DoctorCheck as DoctorCheck
    from venom_core.sdk.hookspecs import DoctorFinding as DoctorFinding
    from venom_core.sdk.hookspecs import ObservedEvent as ObservedEvent
    from venom_core.sdk.hookspecs import hookimpl as hookimpl
    from venom_core.sdk.hub_download import HubConnections as HubConnections
    from venom_core.sdk.hub_download import HubDownload as HubDownload
    from venom_core.sdk.hub_download import HubFile as HubFile
    from venom_core.sdk.hub_files import CachedModel as CachedModel
    from venom_core.sdk.hub_files import HubRef as HubRef
    from venom_core.sdk.hub_files import cached_models as cached_models
    from venom_core.sdk.machine import Machine as Machine
    from venom_core.sdk.machine import this_machine as this_machine
    from venom_core.sdk.machine import usable_cores as usable_cores
    from venom_core.sdk.memory_estimate import MemoryNeed as MemoryNeed
    from venom_core.sdk.memory_estimate import ggml_compute_bytes as ggml_compute_bytes
    from venom_core.sdk.messages import ChatRequest as ChatRequest
    from venom_core.sdk.messages import Embeddings as Embeddings
    from venom_core.sdk.messages import EmbedRequest as EmbedRequest
    from venom_core.sdk.openai_engine import Endpoint as Endpoint
    from venom_core.sdk.openai_engine import OpenAIEngineProvider as OpenAIEngineProvider
    from venom_core.sdk.openai_engine import fetch_models as fetch_models
    from venom_core.sdk.pip import InstallFailed as InstallFailed
    from venom_core.sdk.pip import Pip as Pip
    from venom_core.sdk.process_identity import ProcessIdentity as ProcessIdentity
    from venom_core.sdk.provider import EngineStatus as EngineStatus
    from venom_core.sdk.provider import LoadedModel as LoadedModel
    from venom_core.sdk.provider import Model as Model
    from venom_core.sdk.provider import Provider as Provider
    from venom_core.sdk.provider import ProviderContext as ProviderContext
    from venom_core.sdk.provider import PullProgress as PullProgress
    from venom_core.sdk.spec import Capability as Capability
    from venom_core.sdk.spec import EngineRequirement as EngineRequirement
    from venom_core.sdk.spec import Proposal as Proposal
    from venom_core.sdk.spec import ProviderSpec as ProviderSpec
    from venom_core.sdk.spec import Setting as Setting
    from venom_core.sdk.states import Health as Health
    from venom_core.sdk.states import ProviderStatus as ProviderStatus
    from venom_core.sdk.states import Reason as Reason
    from venom_core.sdk.utc import utc_text as utc_text

_HOMES = {
    "architecture": ("Architecture", "MemoryPlan"),
    "catalogue": (
        "CatalogueEntry", "NewsItem", "RepositoryCard", "RepositoryFile", "SearchFilters",
        "SearchPage",
    ),
    "engine": ("EngineCommand", "EngineProcess"),
    "errors": ("VenomError",),
    "frames": (
        "Answer", "Choice", "Chunk", "Envelope", "Frame", "FrameKind", "ToolCall", "Usage",
        "delta", "finish",
    ),
    "hookspecs": ("DoctorCheck", "DoctorFinding", "ObservedEvent", "hookimpl"),
    "messages": ("ChatRequest", "Embeddings", "EmbedRequest"),
    "openai_engine": ("Endpoint", "OpenAIEngineProvider", "fetch_models"),
    "provider": (
        "EngineStatus", "LoadedModel", "Model", "Provider", "ProviderContext", "PullProgress",
    ),
    "spec": ("Capability", "EngineRequirement", "Proposal", "ProviderSpec", "Setting"),
    "states": ("Health", "ProviderStatus", "Reason"),
    "disk": ("check_space", "disk_errors", "replacing", "sha256_of", "write_file"),
    "engine_pool": ("EnginePool",),
    "gguf": ("GgufHeader", "read_header"),
    "hub_download": ("HubConnections", "HubDownload", "HubFile"),
    "hub_files": ("CachedModel", "HubRef", "cached_models"),
    "machine": ("Machine", "this_machine", "usable_cores"),
    "memory_estimate": ("MemoryNeed", "ggml_compute_bytes"),
    "pip": ("InstallFailed", "Pip"),
    "process_identity": ("ProcessIdentity",),
    "utc": ("utc_text",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
