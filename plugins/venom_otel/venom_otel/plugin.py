"""The manifest: what is found without importing anything heavier."""

from collections.abc import Callable

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.sdk.spec import EngineRequirement, ProviderSpec, Setting

#: Exporters that are open, each a function that never waits.
WATCHING: set[Callable[[ObservedEvent], None]] = set()

SETTINGS = (
    Setting(
        "endpoint",
        "url",
        None,
        "The collector, without /v1/traces: http://host:4318. Without one nothing is exported.",
        env_aliases=("OTEL_EXPORTER_OTLP_ENDPOINT",),
    ),
    Setting(
        "traces_endpoint",
        "url",
        None,
        "The whole address for traces, where it is not below the endpoint.",
        env_aliases=("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",),
    ),
    Setting(
        "metrics_endpoint",
        "url",
        None,
        "The whole address for metrics, where it is not below the endpoint.",
        env_aliases=("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",),
    ),
    Setting(
        "headers",
        "str",
        None,
        "Headers for the collector, such as its key: name=value,name=value.",
        secret=True,
        env_aliases=("OTEL_EXPORTER_OTLP_HEADERS",),
    ),
    Setting(
        "protocol",
        "str",
        "http/protobuf",
        "How the collector is spoken to; OTLP over HTTP is the only one there is.",
        choices=("http/protobuf",),
        env_aliases=("OTEL_EXPORTER_OTLP_PROTOCOL",),
    ),
    Setting(
        "service_name",
        "str",
        None,
        "The name of this server in traces and metrics; not set, it is called venom.",
        env_aliases=("OTEL_SERVICE_NAME",),
    ),
    Setting(
        "traces_exporter",
        "str",
        "otlp",
        "Whether traces are exported.",
        choices=("otlp", "none"),
        env_aliases=("OTEL_TRACES_EXPORTER",),
    ),
    Setting(
        "metrics_exporter",
        "str",
        "otlp",
        "Whether metrics are exported.",
        choices=("otlp", "none"),
        env_aliases=("OTEL_METRICS_EXPORTER",),
    ),
    Setting(
        "disabled",
        "bool",
        False,
        "Export nothing, whatever else is set.",
        env_aliases=("OTEL_SDK_DISABLED",),
    ),
)


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="otel",
            title="OpenTelemetry",
            summary="Traces and metrics of what models were asked, to a collector over OTLP.",
            factory="venom_otel.provider:TelemetryProvider",
            capabilities=frozenset(),
            settings=SETTINGS,
            homepage="https://opentelemetry.io",
            engine=EngineRequirement(
                module="opentelemetry.exporter.otlp.proto.http",
                install="otel",
                size_bytes=1_300_000,
            ),
            observes=True,
        )
    ]


@hookimpl
def venom_observe(event: ObservedEvent) -> None:
    for watch in tuple(WATCHING):
        watch(event)
