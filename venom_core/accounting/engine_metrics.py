"""The metrics of engines on our page: read, bounded, relabelled, one family for all that have it.

Names stay as the engine has them, for the dashboards that people have. ``provider`` and ``model``
are added to the labels; a label of the engine's own with such a name is ``exported_model`` then, as
Prometheus itself does it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from venom_core.sdk.provider import MOST_METRICS_BYTES, EngineMetrics

if TYPE_CHECKING:
    from prometheus_client import Metric

log = logging.getLogger(__name__)

#: Of all engines together.
MOST_SERIES = 10_000
#: How names begin that are ours.
OURS = "venom_"


def engine_exposition(told: Mapping[str, Sequence[EngineMetrics]]) -> bytes:
    """Return Prometheus text of what engines told, by provider. Blocks.

    One that cannot be read is left out, and so is what is more than the bounds allow.
    """
    from prometheus_client import CollectorRegistry, generate_latest

    together = _Together()
    for provider, engines in told.items():
        for engine in engines:
            try:
                together.add(provider, engine)
            except Exception as error:  # whatever a parser makes of a stranger's text
                log.info("no metrics of %s://%s: %s", provider, engine.model, error)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(together)
    return generate_latest(registry)


class _Together:
    """The families of all engines, as a registry asks for them."""

    def __init__(self) -> None:
        self._families: dict[str, Metric] = {}
        #: A series that is there twice would make the whole page unreadable.
        self._series: set[tuple[str, ...]] = set()

    def collect(self) -> Iterable[Metric]:
        return self._families.values()

    def add(self, provider: str, engine: EngineMetrics) -> None:
        """Add what one engine told; raises what its reader raises."""
        whose = {"provider": provider, "model": engine.model}
        for family in list(_read(engine.text)):  # read whole before any of it is added
            known = self._families.setdefault(family.name, _empty(family))
            if known.type != family.type:
                continue
            for sample in family.samples:
                labels = _labels(sample.labels, whose)
                series = (sample.name, *(part for pair in sorted(labels.items()) for part in pair))
                if len(self._series) >= MOST_SERIES or series in self._series:
                    continue
                self._series.add(series)
                known.add_sample(sample.name, labels, sample.value)


def _read(text: bytes) -> Iterator[Metric]:
    from prometheus_client.parser import text_string_to_metric_families

    if len(text) > MOST_METRICS_BYTES:
        raise ValueError(f"they are {len(text)} bytes")
    for family in text_string_to_metric_families(text.decode("utf-8")):
        if not family.name.startswith(OURS):
            yield family


def _empty(family: Metric) -> Metric:
    from prometheus_client import Metric

    return Metric(family.name, family.documentation, family.type)


def _labels(labels: Mapping[str, str], whose: Mapping[str, str]) -> dict[str, str]:
    kept = {(f"exported_{name}" if name in whose else name): text for name, text in labels.items()}
    return {**kept, **whose}
