"""For every test of this repository: a marker by its folder, and a home of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from venom_core.testing.deadlines import measure_if_old, patience
from venom_core.testing.surroundings import own_home

KINDS = ("unit", "contract", "integration", "install", "e2e", "engines", "clients", "containers")
_KINDS = frozenset(KINDS)
# Folders named after a subject, not after a kind.
FOLDER_KIND = {
    "budgets": "unit",
    "compat": "contract",
    "security": "contract",
    **{kind: kind for kind in KINDS},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its kind: its own marker, else its nearest folder's, else `unit`."""
    for item in items:
        if not _KINDS.isdisjoint(mark.name for mark in item.iter_markers()):
            continue
        folders = reversed(Path(str(item.path)).parts)
        kind = next((FOLDER_KIND[part] for part in folders if part in FOLDER_KIND), "unit")
        item.add_marker(kind)


def pytest_configure() -> None:
    """Let Ctrl-C and a closed terminal reach what the tests start, and no property test fail for
    one slow example."""
    import hypothesis

    hangup = getattr(signal, "SIGHUP", None)
    if hangup and signal.getsignal(hangup) is signal.SIG_IGN:  # under nohup
        signal.signal(hangup, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a worker; its children inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)

    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("patient")


def pytest_runtest_logstart() -> None:
    measure_if_old()


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> object:
    """Stretch a test's time limit as far as the machine is slow, and leave the rest as it is."""
    import pytest_timeout  # type: ignore[import-untyped]

    stretched = settings._replace(timeout=patience(settings.timeout))
    return pytest_timeout.pytest_timeout_set_timer(item, stretched)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path) -> Iterator[None]:
    """No test reads or writes the home of whoever runs it, nor obeys their environment."""
    with own_home(tmp_path):
        yield
