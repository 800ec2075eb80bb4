"""For the tests of plugin authors: the conformance kit, a scripted provider, a fake Ollama.

Importing this package imports none of it: pytest comes with :class:`ProviderConformance` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venom_core.sdk.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from venom_core.testing.conformance.provider_conformance import (
        ProviderConformance as ProviderConformance,
    )
    from venom_core.testing.conformance.subject import Ask as Ask
    from venom_core.testing.conformance.subject import NotApplicable as NotApplicable
    from venom_core.testing.conformance.subject import Subject as Subject
    from venom_core.testing.conformance.subject import Trial as Trial
    from venom_core.testing.conformance.subject import Upstream as Upstream
    from venom_core.testing.conformance.subject import trial as trial
    from venom_core.testing.network import no_network as no_network
    from venom_core.testing.staging import Stage as Stage
    from venom_core.testing.staging import entry as entry
    from venom_core.testing.staging import stage as stage

_HOMES = {
    "conformance.provider_conformance": ("ProviderConformance",),
    "conformance.subject": ("Ask", "NotApplicable", "Subject", "Trial", "Upstream", "trial"),
    "network": ("no_network",),
    "staging": ("Stage", "entry", "stage"),
}
__all__, __getattr__ = lazy_exports(__name__, _HOMES)
