"""A plugin's declaration of its providers: data only, nothing is imported or run by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from venom_core.sdk.architecture import Architecture, MemoryPlan

#: How a setting is written; see ``Setting``.
SettingType = Literal["str", "int", "float", "bool", "url", "path", "list"]
#: The values that a provider finds in ``ProviderContext.settings``; a ``path`` is a text too.
SettingValue = str | int | float | bool | tuple[str, ...] | None


class Capability(StrEnum):
    """An ability of a provider. The conformance kit checks that the class agrees."""

    CHAT = "chat"
    COMPLETE = "complete"
    EMBED = "embed"
    RERANK = "rerank"
    DESCRIBE = "describe"
    LOAD = "load"
    UNLOAD = "unload"
    PS = "ps"
    PULL = "pull"
    REMOVE = "remove"
    SEARCH = "search"
    TRENDING = "trending"
    NEWS = "news"
    CARD = "card"
    ENGINES = "engines"
    BUILD = "build"
    START_ENGINE = "start_engine"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a provider.

    The core builds from it the environment name ``VENOM_<PROVIDER>__<NAME>``, the validation, the
    entry in ``config.toml`` under ``[providers.<provider>]`` and the form on the page.

    Args:
        name: lower-case identifier.
        type: ``list`` is a comma-separated string or a JSON array of texts in the environment, an
            array in the file.
        default: used where no layer sets a value; ``None`` means "not set".
        help: one sentence.
        minimum, maximum: inclusive bounds of an ``int`` or ``float``.
        choices: the allowed values of a ``str``.
        secret: never shown, logged or put in an error.
        env_aliases: further environment names, read after our own (``OLLAMA_HOST``).
        items: what a ``list`` holds; a ``url`` without a scheme is ``http://``.
    """

    name: str
    type: SettingType
    default: SettingValue
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    env_aliases: tuple[str, ...] = ()
    items: Literal["str", "url"] = "str"


@dataclass(frozen=True, slots=True)
class EngineRequirement:
    """The requirement that brings the engine: the module whose presence proves it, and the words
    for its absence.

    ``module`` is looked for with ``importlib.util.find_spec`` (nothing is imported);
    ``install`` is the plugin name for ``venom plugins install``; ``size_bytes`` is what that
    fetches. ``needed_to_list=False`` says that without it the provider still opens and its
    ``models()`` tells what could be fetched; those that are not installed are then shown.
    """

    module: str
    install: str
    size_bytes: int | None = None
    needed_to_list: bool = True


@dataclass(frozen=True, slots=True)
class Proposal:
    """A model worth proposing to somebody who has none, as data: shown while the provider is down
    or its engine missing, and never fetched unasked.

    Args:
        name: what ``venom pull`` takes.
        size_bytes: of its files at their source.
        summary: what it is good for, in a sentence.
        architecture, memory_plan: for the fit check before a download.
    """

    name: str
    title: str
    size_bytes: int
    summary: str
    terms_url: str | None = None
    architecture: Architecture | None = None
    memory_plan: MemoryPlan | None = None


@dataclass(frozen=True, slots=True)
class BuildFormat:
    """A format of model files that a provider can make of a model's folder, as data: the core
    refuses everything else before the provider is asked.

    Args:
        name: of the format, in lower-case letters and digits (``onnx``).
        precisions: those that it can make, the one to take where nothing is said first.
        execution_providers: what the result is to be computed by, the default first.
        default: the setting of the provider that holds the precision to take where nothing is said;
            where there is none, or it is not set, it is the first.
    """

    name: str
    precisions: tuple[str, ...]
    execution_providers: tuple[str, ...] = ("cpu",)
    default: str | None = None


@dataclass(frozen=True, slots=True)
class EngineEnvironment:
    """A Python environment apart from Venom's own, as data: for an engine, or for what builds
    models for it, whose packages would not go together with those of others. A person makes it with
    ``venom engines install``; :class:`~venom_core.sdk.environments.Environment` tells its provider
    where it lies, and whether it can be used.

    Args:
        name: the provider's, or ``<provider>-<something>``.
        title: what is in it, as people write it.
        summary: what it is for, a sentence.
        packages: ``name==version`` each; what they need besides is what pip chooses.
        excludes: distributions that pip would choose and that keep it from working, by their names;
            they are never fetched.
        modules: those that are imported to see that it works.
        download_bytes, disk_bytes: what it fetches, and what it takes then.
        platforms: where its packages are published for, ``<sys.platform>-<platform.machine()>`` in
            lower case (``linux-x86_64``); empty for everywhere.
        card: the maker of the graphics cards that it computes with, where it needs one. The
            provider then declares ``<name>-cpu`` as well, for machines without:
            ``venom engines install NAME --cpu``.
        memory_bytes: the main memory that a machine has at least where it is of any use.
    """

    name: str
    title: str
    summary: str
    packages: tuple[str, ...]
    modules: tuple[str, ...]
    download_bytes: int
    disk_bytes: int
    platforms: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    card: Literal["nvidia"] | None = None
    memory_bytes: int = 0


#: What is added to the name of an environment that needs a card, for the one that needs none.
CPU_SUFFIX = "-cpu"


#: Parameters of an OpenAI body that every provider receives and that are no sampling parameters.
STRUCTURAL_PARAMETERS = frozenset(
    {"model", "messages", "prompt", "input", "stream", "stream_options"}
)


#: Fields of the OpenAI wire that change no token of an answer.
NO_TOKEN_CHANGED = frozenset(
    {
        "metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
        "service_tier", "store", "user",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A provider, declared.

    Args:
        name: the entry point's name, or ``<entry>-<something>``.
        title: as people write it ("Ollama").
        summary: one sentence.
        factory: ``"module:Class"``; imported at first use.
        capabilities: the truth about the class.
        parameters: names of the request parameters that are honoured. Any other parameter with a
            value that matters is refused by the core with 400 ``unsupported_parameter``.
        passes_on: requests go to another server with a dialect of its own: it gets the fields that
            nobody here knows too, and those that ask for nothing, under the client's own names.
        tokens: fields that may hold the numbers of a text's tokens in its place. Which vocabulary
            they are of is nothing that a request says, so a provider declares this only where
            wrong ones are its users' own affair.
        settings: see :class:`Setting`.
        aliases: further names accepted in references (``huggingface://`` for ``hf``).
        homepage: where its engine or server is described.
        engine: what it needs to be installed, if anything.
        local: prompts stay on this machine with the default settings.
        preference: of several providers that serve a bare name, the one with the highest wins, and
            the profile is ready once one of those that have any answers. 0 takes no part.
        proposals: models to propose; those that ``models()`` lists with ``installed=False`` are
            proposed as well.
        needs: a sentence for somebody who has not yet what its proposals need.
        default_model: of its models those that answer where a request names none; a glob.
        pages: addresses of pages about its models, which people paste as names: a regular
            expression for what follows ``https://``, and the name with its groups put in. Of all
            that match the first counts.
        builds: the formats that ``build`` makes.
        environments: see :class:`EngineEnvironment`.
        observes: it has no models and no capabilities: it is a part with settings and a life of its
            own beside ``venom_observe``. It is opened as soon as its plugin is loaded, and nobody
            asks it for models.
    """

    name: str
    title: str
    summary: str
    factory: str
    capabilities: frozenset[Capability]
    parameters: frozenset[str] = frozenset()
    tokens: frozenset[Literal["prompt", "input"]] = frozenset()
    settings: tuple[Setting, ...] = ()
    aliases: tuple[str, ...] = ()
    homepage: str | None = None
    engine: EngineRequirement | None = None
    local: bool = True
    preference: int = 0
    proposals: tuple[Proposal, ...] = ()
    needs: str | None = None
    default_model: str | None = None
    pages: tuple[tuple[str, str], ...] = ()
    builds: tuple[BuildFormat, ...] = ()
    environments: tuple[EngineEnvironment, ...] = ()
    passes_on: bool = False
    observes: bool = False

    @property
    def has_one_engine(self) -> bool:
        """Return whether one engine serves all of its models, started and stopped by itself."""
        return Capability.START_ENGINE in self.capabilities

    @property
    def has_engines_of_models(self) -> bool:
        """Return whether each of its models in use has an engine, which is started with it."""
        return Capability.ENGINES in self.capabilities and not self.has_one_engine
