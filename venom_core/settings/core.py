"""The settings of the core: what each is called in every layer, its type, bounds and default."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from venom_core.sdk.spec import Setting, SettingType, SettingValue
from venom_core.settings.addresses import Shape, Shaped
from venom_core.settings.profiles import PROFILES

KEY = "core_setting"
Theme = Literal["system", "light", "dark"]

#: The profiles, and the older system's names for them.
PROFILE_NAMES = tuple(name for row in PROFILES.values() for name in (row.name, *row.aliases))

#: The layers that the next :class:`CoreSettings` is made from, highest first.
LAYERS: ContextVar[Sequence[PydanticBaseSettingsSource]] = ContextVar("layers", default=())


@dataclass(frozen=True, slots=True)
class CoreSetting:
    """A core setting's names: ``setting.name`` is the attribute and the flag's name, ``key`` is
    ``table.key`` in ``config.toml``, ``env`` the environment variable. ``live`` says that a change
    counts at once; where it is not, that it counts from the next start on."""

    setting: Setting
    key: str
    env: str
    live: bool = False

    @property
    def name(self) -> str:
        return self.setting.name

    @property
    def option(self) -> str:
        """The option of the command line that sets it, where one does."""
        return "--profile" if self.name == "runtime_profile" else f"--{self.name.replace('_', '-')}"


def _declare(
    key: str,
    env: str,
    type_: SettingType,
    default: SettingValue,
    help_: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
    shape: Shape | None = None,
) -> Any:
    """Return a field that carries its declaration; the name is filled in by :func:`declared`."""
    bounds: dict[str, Any] = {"minimum": minimum, "maximum": maximum, "choices": choices}
    setting = Setting("", type_, default, help_, **bounds)
    if shape is not None:
        setting = Shaped("", type_, default, help_, **bounds, shape=shape)
    declaration: dict[str, Any] = {KEY: CoreSetting(setting, key, env, live)}
    return Field(default, description=help_, json_schema_extra=declaration)


class CoreSettings(BaseSettings):
    """The values that the core works with. Times in seconds, sizes in bytes.

    Made by :class:`~venom_core.settings.layers.Settings`, which hands it the layers; made alone, it
    holds the defaults.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use our own layers instead of pydantic's: they know where each value came from."""
        return (init_settings, *LAYERS.get())

    host: str = _declare(
        "server.host",
        "VENOM_HOST",
        "str",
        "127.0.0.1",
        "Address that the server listens on.",
        shape="host",
    )
    port: int = _declare(
        "server.port",
        "VENOM_PORT",
        "int",
        8366,
        "Port that the server listens on; 0 takes a free one.",
        minimum=0,
        maximum=65535,
    )
    allowed_hosts: tuple[str, ...] = _declare(
        "server.allowed_hosts",
        "VENOM_ALLOWED_HOSTS",
        "list",
        (),
        "Host names that requests may be addressed to, beside the loopback ones.",
        shape="host_name",
    )
    allowed_origins: tuple[str, ...] = _declare(
        "server.allowed_origins",
        "VENOM_ALLOWED_ORIGINS",
        "list",
        (),
        "Origins of foreign web pages that may call the API.",
        shape="origin",
    )
    root_path: str | None = _declare(
        "server.root_path",
        "VENOM_ROOT_PATH",
        "str",
        None,
        "Path that a reverse proxy serves the API under, such as /venom.",
        shape="path",
    )
    trusted_proxies: tuple[str, ...] = _declare(
        "server.trusted_proxies",
        "VENOM_TRUSTED_PROXIES",
        "list",
        (),
        "Addresses and networks of reverse proxies whose X-Forwarded headers are believed.",
        shape="network",
    )
    api_key_file: str | None = _declare(
        "server.api_key_file",
        "VENOM_API_KEY_FILE",
        "path",
        None,
        "File that holds one API key, for containers; keys made by `venom keys create` need none.",
    )
    first_key: bool = _declare(
        "server.first_key",
        "VENOM_FIRST_KEY",
        "bool",
        False,
        "Whether a server that starts where no key ever was makes one, for containers.",
    )
    max_body_bytes: int = _declare(
        "server.max_body_bytes",
        "VENOM_MAX_BODY_BYTES",
        "int",
        16 * 1024 * 1024,
        "Largest request body that is read, in bytes.",
        minimum=1024,
    )
    log_level: str = _declare(
        "server.log_level",
        "VENOM_LOG_LEVEL",
        "str",
        "info",
        "How much is logged.",
        choices=("debug", "info", "warning", "error"),
    )
    log_format: str = _declare(
        "server.log_format",
        "VENOM_LOG_FORMAT",
        "str",
        "text",
        "How the log is written: text, lines for people, or json, an object a line.",
        choices=("text", "json"),
    )
    runtime_profile: str = _declare(
        "runtime.profile",
        "VENOM_RUNTIME_PROFILE",
        "str",
        "light",
        "What this installation runs: light, llm_off or full.",
        choices=PROFILE_NAMES,
        live=True,
    )
    drain_timeout: float = _declare(
        "runtime.drain_timeout",
        "VENOM_DRAIN_TIMEOUT",
        "float",
        600.0,
        "Seconds that answers under way have to end, where a switch of the profile stops the engine"
        " that gives them.",
        minimum=0,
        maximum=86_400,
        live=True,
    )
    legacy_light: bool = _declare(
        "features.legacy_light",
        "VENOM_LEGACY_LIGHT",
        "bool",
        False,
        "The profile light runs no model, as before it ran Ollama; no setting from 2027.5 on.",
        live=True,
    )
    parameter_policy: str = _declare(
        "chat.parameter_policy",
        "VENOM_PARAMETER_POLICY",
        "str",
        "strict",
        "What happens to a parameter that a provider cannot honour: strict refuses the request,"
        " warn names it in a response header.",
        choices=("strict", "warn"),
        live=True,
    )
    ollama_model: str | None = _declare(
        "chat.ollama_model",
        "OLLAMA_MODEL",
        "str",
        None,
        "The Ollama model, a name or a glob, that answers where a request names none; the"
        " provider's own choice where not set.",
        live=True,
    )
    active_llm_server: str | None = _declare(
        "chat.active_server",
        "ACTIVE_LLM_SERVER",
        "str",
        None,
        "The provider whose model answers where a request names none and none is active, and that"
        " serves a name which several have; the providers' own order where not set.",
        live=True,
    )
    llm_model_name: str | None = _declare(
        "chat.model_name",
        "LLM_MODEL_NAME",
        "str",
        None,
        "The model that answers where a request names none and none is active.",
        live=True,
    )
    simple_mode_system_prompt: str | None = _declare(
        "chat.simple_mode_system_prompt",
        "SIMPLE_MODE_SYSTEM_PROMPT",
        "str",
        None,
        "System prompt of POST /api/v1/llm/simple/stream, for models whose template takes one.",
        live=True,
    )
    warmup_on_startup: bool = _declare(
        "models.warmup_on_startup",
        "LLM_WARMUP_ON_STARTUP",
        "bool",
        True,
        "Whether a server that starts brings the model into memory that answers where none is"
        " named: one of this machine that takes at most half of the free memory.",
    )
    first_models: tuple[str, ...] = _declare(
        "models.first",
        "VENOM_FIRST_MODELS",
        "list",
        (),
        "Models that a server fetches when it starts and none is installed, for containers.",
    )
    generation_overrides: str | None = _declare(
        "models.generation_overrides",
        "MODEL_GENERATION_OVERRIDES",
        "str",
        None,
        "Generation parameters as the original system kept them, a JSON object of runtime, model"
        " and parameters; each entry is read once and stored.",
    )
    disk_limit_gb: float = _declare(
        "models.disk_limit_gb",
        "VENOM_DISK_LIMIT_GB",
        "float",
        50.0,
        "GB that all models together may take on disk; what would pass it is not fetched.",
        minimum=1,
        maximum=1_000_000,
        live=True,
    )
    max_concurrent: int = _declare(
        "chat.max_concurrent",
        "VENOM_MAX_CONCURRENT",
        "int",
        128,
        "Generations of one provider that run at the same time; further ones queue here. Engines"
        " have queues of their own; this one keeps a flood away from them.",
        minimum=1,
        maximum=1024,
    )
    queue_size: int = _declare(
        "chat.queue_size",
        "VENOM_QUEUE_SIZE",
        "int",
        256,
        "Generations that may wait; one more is refused with 429 queue_full.",
        minimum=0,
        maximum=100_000,
    )
    queue_timeout: float = _declare(
        "chat.queue_timeout",
        "VENOM_QUEUE_TIMEOUT",
        "float",
        60.0,
        "Seconds that a generation may wait in the queue.",
        minimum=0.1,
        maximum=3600,
    )
    answer_timeout: float = _declare(
        "chat.answer_timeout",
        "VENOM_ANSWER_TIMEOUT",
        "float",
        600.0,
        "Seconds that an engine may take to its first token, the loading of the model included.",
        minimum=0.1,
        maximum=86_400,
    )
    stall_timeout: float = _declare(
        "chat.stall_timeout",
        "VENOM_STALL_TIMEOUT",
        "float",
        120.0,
        "Seconds without a token after which a stream ends with an error.",
        minimum=0.1,
        maximum=3600,
    )
    usage_retention_days: int = _declare(
        "usage.retention_days",
        "VENOM_USAGE_RETENTION_DAYS",
        "int",
        400,
        "Days that the usage ledger keeps, today included; 0 keeps all.",
        minimum=0,
        maximum=36_500,
        live=True,
    )
    ui_theme_default: str = _declare(
        "ui.theme_default",
        "UI_THEME_DEFAULT",
        "str",
        "system",
        "How the page looks in a browser in which nobody chose: as the system, light or dark.",
        choices=get_args(Theme),
        live=True,
    )
    plugins: tuple[str, ...] | None = _declare(
        "plugins.allow",
        "VENOM_PLUGINS",
        "list",
        None,
        "Plugins that may be loaded; where it is not set, all may.",
    )
    plugins_disabled: tuple[str, ...] = _declare(
        "plugins.disabled",
        "VENOM_PLUGINS_DISABLED",
        "list",
        (),
        "Plugins that are not loaded; `venom plugins disable` keeps its list here too.",
    )
    plugin_load_timeout: float = _declare(
        "plugins.load_timeout",
        "VENOM_PLUGIN_LOAD_TIMEOUT",
        "float",
        5.0,
        "Seconds that a plugin's manifest, and the opening of a provider, may take.",
        minimum=0.1,
        maximum=600,
        live=True,
    )
    wheelhouse: str | None = _declare(
        "plugins.wheelhouse",
        "VENOM_WHEELHOUSE",
        "path",
        None,
        "Folder of wheels that `venom plugins install` takes packages from, instead of an index.",
        live=True,
    )

    @property
    def default_model(self) -> str | None:
        """The models, as a reference that may be a glob, that answer where a request names none."""
        return None if self.ollama_model is None else f"ollama://{self.ollama_model}"


def declared() -> tuple[CoreSetting, ...]:
    """Return every core setting, in the order in which `venom config show` prints them."""
    found = []
    for name, field in CoreSettings.model_fields.items():
        assert isinstance(field.json_schema_extra, dict)
        part: Any = field.json_schema_extra[KEY]
        found.append(replace(part, setting=replace(part.setting, name=name)))
    return tuple(found)


CORE_SETTINGS = declared()

#: Variables that begin like ours and are read elsewhere, or before the settings are.
OTHER_VARIABLES = {
    "VENOM_HOME": "The data directory; default ~/.venom.",
    "VENOM_OLLAMA_PROFILE": "The setting `profile` of the provider ollama.",
}
