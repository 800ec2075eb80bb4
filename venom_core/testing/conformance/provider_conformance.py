"""The rules as tests of pytest: one a rule, over one examination."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from venom_core.testing.conformance.examination import Report, examine_here
from venom_core.testing.conformance.rules import RULES
from venom_core.testing.conformance.subject import Trial


class ProviderConformance:
    """Subclass it and give the fixture ``trial``; every rule is then a test of your provider::

        class TestAcme(ProviderConformance):
            @pytest.fixture
            def trial(self):
                return acme

    The provider is examined once a class, and only for the rules whose tests were chosen. A rule
    that does not apply is skipped with the reason. A rule that is known to be broken is overridden
    with a reason, and passes the day it holds::

        @pytest.mark.xfail(reason="Acme counts no tokens")
        def test_usage_is_counted(self, conformance):
            super().test_usage_is_counted(conformance)
    """

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        for name, test in TESTS.items():
            found = inspect.getattr_static(cls, name, None)
            if found is not test and not _has_reason(found):
                raise TypeError(
                    f"{cls.__name__} overrides {name} and does not say why: mark it with"
                    " pytest.mark.xfail(reason=...)"
                )

    @pytest.fixture
    def conformance(
        self, trial: Trial, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Report:
        """Return the examination of the trial, which the tests of a class share."""
        known: dict[Trial, Report] | None = vars(request.cls).get("_examined")
        if known is None:
            known = request.cls._examined = {}
        if trial in known:
            return known[trial]
        chosen = {
            item.originalname.removeprefix("test_")
            for item in request.session.items
            if isinstance(item, pytest.Function) and item.cls is request.cls
        }
        folder = tmp_path_factory.mktemp("conformance")
        report = known[trial] = examine_here(trial, folder, chosen & set(RULES))
        return report


def _test_of(name: str) -> Callable[..., None]:
    def check(self: ProviderConformance, conformance: Report) -> None:
        if conformance.problem is not None:
            problem = conformance.problem
            pytest.fail(f"{problem['message']} {problem['fix'] or ''}", pytrace=False)
        outcome = conformance.outcomes[name]
        if outcome.state == "skipped":
            pytest.skip(outcome.said or "")
        if outcome.state == "failed":
            pytest.fail(f"{outcome.said}\n{outcome.rule.law}\n{outcome.rule.docs}", pytrace=False)

    check.__name__ = f"test_{name}"
    check.__qualname__ = f"ProviderConformance.test_{name}"
    check.__doc__ = RULES[name].law
    return check


TESTS = {f"test_{name}": _test_of(name) for name in RULES}
for _name, _test in TESTS.items():
    setattr(ProviderConformance, _name, _test)


def _has_reason(test: Any) -> bool:
    marks = getattr(test, "pytestmark", [])
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)
