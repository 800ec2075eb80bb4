"""The parts that plugin authors build on; a provider needs nothing else of Venom.

Importing this package costs the standard library and pluggy's markers; the rest is imported when a
name is first used. What stands here is the plugin API, described in ``docs/plugins/sdk.md``; a
name of a module below that does not is Venom's own and may change with any release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venom_core.sdk.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from venom_core.sdk import bounded_json as bounded_json
    from venom_core.sdk import child_process as child_process
    from venom_core.sdk import graphics as graphics
    from venom_core.sdk import hub_download as hub_download
    from venom_core.sdk import hub_files as hub_files
    from venom_core.sdk import numbers as numbers
    from venom_core.sdk import programs as programs
    from venom_core.sdk.answer_schema import schema_of as schema_of
    from venom_core.sdk.architecture import MAX_BYTES as MAX_BYTES
    from venom_core.sdk.architecture import MAX_CONTEXT as MAX_CONTEXT
    from venom_core.sdk.architecture import MAX_HEAD_LENGTH as MAX_HEAD_LENGTH
    from venom_core.sdk.architecture import MAX_HEADS as MAX_HEADS
    from venom_core.sdk.architecture import MAX_LAYERS as MAX_LAYERS
    from venom_core.sdk.architecture import MAX_VOCABULARY as MAX_VOCABULARY
    from venom_core.sdk.architecture import MAX_WIDTH as MAX_WIDTH
    from venom_core.sdk.architecture import Architecture as Architecture
    from venom_core.sdk.architecture import BadNumber as BadNumber
    from venom_core.sdk.architecture import ComputeBytes as ComputeBytes
    from venom_core.sdk.architecture import KvType as KvType
    from venom_core.sdk.architecture import Measured as Measured
    from venom_core.sdk.architecture import MemoryPlan as MemoryPlan
    from venom_core.sdk.architecture import bounded as bounded
    from venom_core.sdk.architecture_config import from_config_json as from_config_json
    from venom_core.sdk.architecture_gguf import from_gguf as from_gguf
    from venom_core.sdk.architecture_gguf import tensor_bytes as tensor_bytes
    from venom_core.sdk.catalogue import SUMMARY_CHARACTERS as SUMMARY_CHARACTERS
    from venom_core.sdk.catalogue import CatalogueEntry as CatalogueEntry
    from venom_core.sdk.catalogue import NewsItem as NewsItem
    from venom_core.sdk.catalogue import NewsKind as NewsKind
    from venom_core.sdk.catalogue import RepositoryCard as RepositoryCard
    from venom_core.sdk.catalogue import RepositoryFile as RepositoryFile
    from venom_core.sdk.catalogue import SearchFilters as SearchFilters
    from venom_core.sdk.catalogue import SearchPage as SearchPage
    from venom_core.sdk.catalogue import SearchSort as SearchSort
    from venom_core.sdk.catalogue import WeightFormat as WeightFormat
    from venom_core.sdk.chat_template import ChatTemplate as ChatTemplate
    from venom_core.sdk.chat_template import template_capabilities as template_capabilities
    from venom_core.sdk.chat_template import template_text as template_text
    from venom_core.sdk.child_process import child_environment as child_environment
    from venom_core.sdk.disk import Place as Place
    from venom_core.sdk.disk import check_space as check_space
    from venom_core.sdk.disk import discard as discard
    from venom_core.sdk.disk import disk_errors as disk_errors
    from venom_core.sdk.disk import disk_refusal as disk_refusal
    from venom_core.sdk.disk import make_writable_folder as make_writable_folder
    from venom_core.sdk.disk import replacing as replacing
    from venom_core.sdk.disk import safe_name as safe_name
    from venom_core.sdk.disk import sha256_of as sha256_of
    from venom_core.sdk.disk import size_of_tree as size_of_tree
    from venom_core.sdk.disk import write_file as write_file
    from venom_core.sdk.distributions import module_version as module_version
    from venom_core.sdk.engine import EngineAddress as EngineAddress
    from venom_core.sdk.engine import EngineCommand as EngineCommand
    from venom_core.sdk.engine import EngineProcess as EngineProcess
    from venom_core.sdk.engine_failures import check_tried as check_tried
    from venom_core.sdk.engine_failures import load_errors as load_errors
    from venom_core.sdk.engine_failures import memory_errors as memory_errors
    from venom_core.sdk.engine_failures import out_of_memory as out_of_memory
    from venom_core.sdk.engine_pool import EnginePool as EnginePool
    from venom_core.sdk.engine_pool import Slot as Slot
    from venom_core.sdk.engine_processes import reap_orphans as reap_orphans
    from venom_core.sdk.engine_server import load_refusal as load_refusal
    from venom_core.sdk.engine_server import server_args as server_args
    from venom_core.sdk.engine_server import server_environment as server_environment
    from venom_core.sdk.engine_settings import CONTEXT_LENGTH as CONTEXT_LENGTH
    from venom_core.sdk.engine_settings import KEEP_ALIVE as KEEP_ALIVE
    from venom_core.sdk.engine_settings import MAX_LOADED as MAX_LOADED
    from venom_core.sdk.engine_settings import THREADS as THREADS
    from venom_core.sdk.environments import Environment as Environment
    from venom_core.sdk.environments import EnvironmentState as EnvironmentState
    from venom_core.sdk.errors import Conflict as Conflict
    from venom_core.sdk.errors import ContextLengthExceeded as ContextLengthExceeded
    from venom_core.sdk.errors import EngineMissing as EngineMissing
    from venom_core.sdk.errors import EngineUnreachable as EngineUnreachable
    from venom_core.sdk.errors import Forbidden as Forbidden
    from venom_core.sdk.errors import InvalidApiKey as InvalidApiKey
    from venom_core.sdk.errors import InvalidRequest as InvalidRequest
    from venom_core.sdk.errors import ModelLoading as ModelLoading
    from venom_core.sdk.errors import ModelNotCapable as ModelNotCapable
    from venom_core.sdk.errors import ModelNotFound as ModelNotFound
    from venom_core.sdk.errors import NoDiskSpace as NoDiskSpace
    from venom_core.sdk.errors import NotHttp as NotHttp
    from venom_core.sdk.errors import NotSupported as NotSupported
    from venom_core.sdk.errors import PaymentRequired as PaymentRequired
    from venom_core.sdk.errors import QueueFull as QueueFull
    from venom_core.sdk.errors import RateLimited as RateLimited
    from venom_core.sdk.errors import StorageError as StorageError
    from venom_core.sdk.errors import Unavailable as Unavailable
    from venom_core.sdk.errors import UnsupportedParameter as UnsupportedParameter
    from venom_core.sdk.errors import UpstreamError as UpstreamError
    from venom_core.sdk.errors import UpstreamGone as UpstreamGone
    from venom_core.sdk.errors import UpstreamIncomplete as UpstreamIncomplete
    from venom_core.sdk.errors import UpstreamTimeout as UpstreamTimeout
    from venom_core.sdk.errors import VenomError as VenomError
    from venom_core.sdk.errors import restored as restored
    from venom_core.sdk.fast_tokenizer import FastTokenizer as FastTokenizer
    from venom_core.sdk.folder_catalogue import FolderCatalogue as FolderCatalogue
    from venom_core.sdk.folder_catalogue import FoundFolder as FoundFolder
    from venom_core.sdk.folder_catalogue import context_of as context_of
    from venom_core.sdk.folder_catalogue import model_of as model_of
    from venom_core.sdk.frames import Answer as Answer
    from venom_core.sdk.frames import Choice as Choice
    from venom_core.sdk.frames import Chunk as Chunk
    from venom_core.sdk.frames import Envelope as Envelope
    from venom_core.sdk.frames import Event as Event
    from venom_core.sdk.frames import FinishReason as FinishReason
    from venom_core.sdk.frames import Frame as Frame
    from venom_core.sdk.frames import FrameKind as FrameKind
    from venom_core.sdk.frames import ToolCall as ToolCall
    from venom_core.sdk.frames import Usage as Usage
    from venom_core.sdk.frames import Wire as Wire
    from venom_core.sdk.frames import delta as delta
    from venom_core.sdk.frames import finish as finish
    from venom_core.sdk.frames import usage as usage
    from venom_core.sdk.gguf import MOST_KIND as MOST_KIND
    from venom_core.sdk.gguf import GgufHeader as GgufHeader
    from venom_core.sdk.gguf import HeaderCut as HeaderCut
    from venom_core.sdk.gguf import NotGguf as NotGguf
    from venom_core.sdk.gguf import Tensor as Tensor
    from venom_core.sdk.gguf import header_of as header_of
    from venom_core.sdk.gguf import model_name as model_name
    from venom_core.sdk.gguf import read_header as read_header
    from venom_core.sdk.hookspecs import DoctorCheck as DoctorCheck
    from venom_core.sdk.hookspecs import DoctorFinding as DoctorFinding
    from venom_core.sdk.hookspecs import ObservedEvent as ObservedEvent
    from venom_core.sdk.hookspecs import hookimpl as hookimpl
    from venom_core.sdk.http import is_loopback as is_loopback
    from venom_core.sdk.http import make_client as make_client
    from venom_core.sdk.http import open_stream as open_stream
    from venom_core.sdk.http import prepare as prepare
    from venom_core.sdk.hub_download import HubConnections as HubConnections
    from venom_core.sdk.hub_download import HubDownload as HubDownload
    from venom_core.sdk.hub_download import HubFile as HubFile
    from venom_core.sdk.hub_files import CachedModel as CachedModel
    from venom_core.sdk.hub_files import HubRef as HubRef
    from venom_core.sdk.hub_files import cached_models as cached_models
    from venom_core.sdk.hub_files import cached_snapshots as cached_snapshots
    from venom_core.sdk.hub_pages import HUB_PAGES as HUB_PAGES
    from venom_core.sdk.joined_answers import choices_of as choices_of
    from venom_core.sdk.joined_answers import joined as joined
    from venom_core.sdk.logit_shaping import LogitShaping as LogitShaping
    from venom_core.sdk.machine import Machine as Machine
    from venom_core.sdk.machine import engine_threads as engine_threads
    from venom_core.sdk.machine import this_machine as this_machine
    from venom_core.sdk.machine import usable_cores as usable_cores
    from venom_core.sdk.masking import keep_secret as keep_secret
    from venom_core.sdk.memory_estimate import MemoryNeed as MemoryNeed
    from venom_core.sdk.memory_estimate import ggml_compute_bytes as ggml_compute_bytes
    from venom_core.sdk.memory_estimate import needed as needed
    from venom_core.sdk.messages import ChatBody as ChatBody
    from venom_core.sdk.messages import ChatRequest as ChatRequest
    from venom_core.sdk.messages import CompletionBody as CompletionBody
    from venom_core.sdk.messages import DocumentBody as DocumentBody
    from venom_core.sdk.messages import EmbeddingBody as EmbeddingBody
    from venom_core.sdk.messages import Embeddings as Embeddings
    from venom_core.sdk.messages import EmbedRequest as EmbedRequest
    from venom_core.sdk.messages import FunctionCall as FunctionCall
    from venom_core.sdk.messages import ImagePart as ImagePart
    from venom_core.sdk.messages import ImageUrl as ImageUrl
    from venom_core.sdk.messages import MessageBody as MessageBody
    from venom_core.sdk.messages import RerankBody as RerankBody
    from venom_core.sdk.messages import Reranked as Reranked
    from venom_core.sdk.messages import RerankRequest as RerankRequest
    from venom_core.sdk.messages import Role as Role
    from venom_core.sdk.messages import SamplingBody as SamplingBody
    from venom_core.sdk.messages import Sent as Sent
    from venom_core.sdk.messages import StreamOptions as StreamOptions
    from venom_core.sdk.messages import TextPart as TextPart
    from venom_core.sdk.messages import ToolCallBody as ToolCallBody
    from venom_core.sdk.model_files import OwnFile as OwnFile
    from venom_core.sdk.model_files import own_file as own_file
    from venom_core.sdk.model_files import there as there
    from venom_core.sdk.model_folder import CONFIG as CONFIG
    from venom_core.sdk.model_folder import TOKENIZER as TOKENIZER
    from venom_core.sdk.model_folder import ModelFolder as ModelFolder
    from venom_core.sdk.model_folder import ModelKind as ModelKind
    from venom_core.sdk.model_folder import brings_code as brings_code
    from venom_core.sdk.model_folder import holds_weights as holds_weights
    from venom_core.sdk.model_folder import read_model_folder as read_model_folder
    from venom_core.sdk.model_folder import small_files as small_files
    from venom_core.sdk.model_folders import MAX_FOLDERS as MAX_FOLDERS
    from venom_core.sdk.model_folders import FolderMemory as FolderMemory
    from venom_core.sdk.model_folders import folders_below as folders_below
    from venom_core.sdk.model_folders import free_name as free_name
    from venom_core.sdk.model_folders import own_sampling as own_sampling
    from venom_core.sdk.model_json import MOST_TOKENIZER_BYTES as MOST_TOKENIZER_BYTES
    from venom_core.sdk.model_json import check_tokenizer as check_tokenizer
    from venom_core.sdk.model_json import json_of as json_of
    from venom_core.sdk.model_json import read_json as read_json
    from venom_core.sdk.model_links import link_files as link_files
    from venom_core.sdk.model_refusals import damaged as damaged
    from venom_core.sdk.model_refusals import incomplete as incomplete
    from venom_core.sdk.model_refusals import not_served as not_served
    from venom_core.sdk.model_refusals import shown as shown
    from venom_core.sdk.model_refusals import unsafe as unsafe
    from venom_core.sdk.openai_engine import Endpoint as Endpoint
    from venom_core.sdk.openai_engine import OpenAIEngineProvider as OpenAIEngineProvider
    from venom_core.sdk.openai_engine import fetch_models as fetch_models
    from venom_core.sdk.openai_engine import read_bounded as read_bounded
    from venom_core.sdk.parameter_bounds import bounds_of_name as bounds_of_name
    from venom_core.sdk.pip import InstallFailed as InstallFailed
    from venom_core.sdk.pip import Pip as Pip
    from venom_core.sdk.pooled_engine import PooledEngineProvider as PooledEngineProvider
    from venom_core.sdk.prefill import beginning_of as beginning_of
    from venom_core.sdk.prefill import without_beginning as without_beginning
    from venom_core.sdk.printable import one_line as one_line
    from venom_core.sdk.process_identity import ProcessIdentity as ProcessIdentity
    from venom_core.sdk.provider import BuildProgress as BuildProgress
    from venom_core.sdk.provider import BuildRequest as BuildRequest
    from venom_core.sdk.provider import EngineMetrics as EngineMetrics
    from venom_core.sdk.provider import EngineStatus as EngineStatus
    from venom_core.sdk.provider import LoadedModel as LoadedModel
    from venom_core.sdk.provider import Locality as Locality
    from venom_core.sdk.provider import Model as Model
    from venom_core.sdk.provider import ModelCapability as ModelCapability
    from venom_core.sdk.provider import ModelType as ModelType
    from venom_core.sdk.provider import Provider as Provider
    from venom_core.sdk.provider import ProviderContext as ProviderContext
    from venom_core.sdk.provider import PullPlan as PullPlan
    from venom_core.sdk.provider import PullProgress as PullProgress
    from venom_core.sdk.records import ErrorRecord as ErrorRecord
    from venom_core.sdk.records import ReasonRecord as ReasonRecord
    from venom_core.sdk.safetensors import check_weights as check_weights
    from venom_core.sdk.sentence_transformers import POOLING_FILE as POOLING_FILE
    from venom_core.sdk.sentence_transformers import Pooling as Pooling
    from venom_core.sdk.sentence_transformers import embed_length as embed_length
    from venom_core.sdk.sentence_transformers import normalizes as normalizes
    from venom_core.sdk.sentence_transformers import pooling_of as pooling_of
    from venom_core.sdk.served_engine import Messages as Messages
    from venom_core.sdk.served_engine import Sampling as Sampling
    from venom_core.sdk.served_engine import ServedEngine as ServedEngine
    from venom_core.sdk.served_engine import Token as Token
    from venom_core.sdk.served_engine import embedded_by_length as embedded_by_length
    from venom_core.sdk.spec import NO_TOKEN_CHANGED as NO_TOKEN_CHANGED
    from venom_core.sdk.spec import STRUCTURAL_PARAMETERS as STRUCTURAL_PARAMETERS
    from venom_core.sdk.spec import BuildFormat as BuildFormat
    from venom_core.sdk.spec import Capability as Capability
    from venom_core.sdk.spec import EngineEnvironment as EngineEnvironment
    from venom_core.sdk.spec import EngineRequirement as EngineRequirement
    from venom_core.sdk.spec import Proposal as Proposal
    from venom_core.sdk.spec import ProviderSpec as ProviderSpec
    from venom_core.sdk.spec import Setting as Setting
    from venom_core.sdk.spec import SettingType as SettingType
    from venom_core.sdk.spec import SettingValue as SettingValue
    from venom_core.sdk.states import Health as Health
    from venom_core.sdk.states import ProviderStatus as ProviderStatus
    from venom_core.sdk.states import Reason as Reason
    from venom_core.sdk.stream_reader import MAX_ANSWER_BYTES as MAX_ANSWER_BYTES
    from venom_core.sdk.stream_reader import StreamReader as StreamReader
    from venom_core.sdk.stream_reader import pieces as pieces
    from venom_core.sdk.text_pieces import Characters as Characters
    from venom_core.sdk.tool_emulation import EmulatedTools as EmulatedTools
    from venom_core.sdk.tool_emulation import with_emulated_tools as with_emulated_tools
    from venom_core.sdk.tool_emulation import with_tools as with_tools
    from venom_core.sdk.upstream import Upstream as Upstream
    from venom_core.sdk.utc import Precision as Precision
    from venom_core.sdk.utc import utc_text as utc_text

_HOMES = {
    "answer_schema": ("schema_of",),
    "architecture": (
        "Architecture", "BadNumber", "ComputeBytes", "KvType", "MAX_BYTES", "MAX_CONTEXT",
        "MAX_HEADS", "MAX_HEAD_LENGTH", "MAX_LAYERS", "MAX_VOCABULARY", "MAX_WIDTH", "Measured",
        "MemoryPlan", "bounded",
    ),
    "architecture_config": ("from_config_json",),
    "architecture_gguf": ("from_gguf", "tensor_bytes"),
    "catalogue": (
        "CatalogueEntry", "NewsItem", "NewsKind", "RepositoryCard", "RepositoryFile",
        "SUMMARY_CHARACTERS", "SearchFilters", "SearchPage", "SearchSort", "WeightFormat",
    ),
    "chat_template": ("ChatTemplate", "template_capabilities", "template_text"),
    "child_process": ("child_environment",),
    "disk": (
        "Place", "check_space", "discard", "disk_errors", "disk_refusal", "make_writable_folder",
        "replacing", "safe_name", "sha256_of", "size_of_tree", "write_file",
    ),
    "distributions": ("module_version",),
    "engine": ("EngineAddress", "EngineCommand", "EngineProcess"),
    "engine_failures": ("check_tried", "load_errors", "memory_errors", "out_of_memory"),
    "engine_pool": ("EnginePool", "Slot"),
    "engine_processes": ("reap_orphans",),
    "engine_server": ("load_refusal", "server_args", "server_environment"),
    "engine_settings": ("CONTEXT_LENGTH", "KEEP_ALIVE", "MAX_LOADED", "THREADS"),
    "environments": ("Environment", "EnvironmentState"),
    "errors": (
        "Conflict", "ContextLengthExceeded", "EngineMissing", "EngineUnreachable", "Forbidden",
        "InvalidApiKey", "InvalidRequest", "ModelLoading", "ModelNotCapable", "ModelNotFound",
        "NoDiskSpace", "NotHttp", "NotSupported", "PaymentRequired", "QueueFull", "RateLimited",
        "StorageError", "Unavailable", "UnsupportedParameter", "UpstreamError", "UpstreamGone",
        "UpstreamIncomplete", "UpstreamTimeout", "VenomError", "restored",
    ),
    "fast_tokenizer": ("FastTokenizer",),
    "folder_catalogue": ("FolderCatalogue", "FoundFolder", "context_of", "model_of"),
    "frames": (
        "Answer", "Choice", "Chunk", "Envelope", "Event", "FinishReason", "Frame", "FrameKind",
        "ToolCall", "Usage", "Wire", "delta", "finish", "usage",
    ),
    "gguf": (
        "GgufHeader", "HeaderCut", "MOST_KIND", "NotGguf", "Tensor", "header_of", "model_name",
        "read_header",
    ),
    "hookspecs": ("DoctorCheck", "DoctorFinding", "ObservedEvent", "hookimpl"),
    "http": ("is_loopback", "make_client", "open_stream", "prepare"),
    "hub_download": ("HubConnections", "HubDownload", "HubFile"),
    "hub_files": ("CachedModel", "HubRef", "cached_models", "cached_snapshots"),
    "hub_pages": ("HUB_PAGES",),
    "joined_answers": ("choices_of", "joined"),
    "logit_shaping": ("LogitShaping",),
    "machine": ("Machine", "engine_threads", "this_machine", "usable_cores"),
    "masking": ("keep_secret",),
    "memory_estimate": ("MemoryNeed", "ggml_compute_bytes", "needed"),
    "messages": (
        "ChatBody", "ChatRequest", "CompletionBody", "DocumentBody", "EmbedRequest",
        "EmbeddingBody", "Embeddings", "FunctionCall", "ImagePart", "ImageUrl", "MessageBody",
        "RerankBody", "RerankRequest", "Reranked", "Role", "SamplingBody",
        "Sent", "StreamOptions", "TextPart", "ToolCallBody",
    ),
    "model_files": ("OwnFile", "own_file", "there"),
    "model_folder": (
        "CONFIG", "ModelFolder", "ModelKind", "TOKENIZER", "brings_code", "holds_weights",
        "read_model_folder", "small_files",
    ),
    "model_folders": (
        "FolderMemory", "MAX_FOLDERS", "folders_below", "free_name", "own_sampling",
    ),
    "model_json": (
        "MOST_TOKENIZER_BYTES", "check_tokenizer", "json_of", "read_json",
    ),
    "model_links": ("link_files",),
    "model_refusals": ("damaged", "incomplete", "not_served", "shown", "unsafe"),
    "openai_engine": ("Endpoint", "OpenAIEngineProvider", "fetch_models", "read_bounded"),
    "parameter_bounds": ("bounds_of_name",),
    "pip": ("InstallFailed", "Pip"),
    "pooled_engine": ("PooledEngineProvider",),
    "prefill": ("beginning_of", "without_beginning"),
    "printable": ("one_line",),
    "process_identity": ("ProcessIdentity",),
    "provider": (
        "BuildProgress", "BuildRequest", "EngineMetrics", "EngineStatus", "LoadedModel",
        "Locality", "Model", "ModelCapability", "ModelType", "Provider", "ProviderContext",
        "PullPlan", "PullProgress",
    ),
    "records": ("ErrorRecord", "ReasonRecord"),
    "safetensors": ("check_weights",),
    "sentence_transformers": (
        "POOLING_FILE", "Pooling", "embed_length", "normalizes", "pooling_of",
    ),
    "served_engine": ("Messages", "Sampling", "ServedEngine", "Token", "embedded_by_length"),
    "spec": (
        "BuildFormat", "Capability", "EngineEnvironment", "EngineRequirement", "NO_TOKEN_CHANGED",
        "Proposal", "ProviderSpec", "STRUCTURAL_PARAMETERS", "Setting", "SettingType",
        "SettingValue",
    ),
    "states": ("Health", "ProviderStatus", "Reason"),
    "stream_reader": ("MAX_ANSWER_BYTES", "StreamReader", "pieces"),
    "text_pieces": ("Characters",),
    "tool_emulation": ("EmulatedTools", "with_emulated_tools", "with_tools"),
    "upstream": ("Upstream",),
    "utc": ("Precision", "utc_text"),
}  # fmt: skip
#: Modules whose names read together with the module's: ``numbers.whole``.
_MODULES = (
    "bounded_json",
    "child_process",
    "graphics",
    "hub_download",
    "hub_files",
    "numbers",
    "programs",
)
__all__, __getattr__ = lazy_exports(__name__, _HOMES, _MODULES)
