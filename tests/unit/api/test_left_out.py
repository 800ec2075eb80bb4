"""Models that a provider lists and that are none: which are left out, and what is said of them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from tests.unit.api.test_border import GOOD, lists, odd
from tests.unit.guards import guarded
from venom_core.sdk.architecture import MemoryPlan
from venom_core.sdk.provider import Model
from venom_core.testing.staging import client_of

#: By field of a model, what is not of its type.
OTHER_TYPES: dict[str, list[Any]] = {
    "type": [None, 5, b"gguf"],
    "capabilities": ["chat", {"chat"}, frozenset({"fly"}), frozenset({5})],
    "title": [5, b"t", ["t"]],
    "summary": [5, {}],
    "size_bytes": ["12", "", b"12", True, [12], {}],
    "digest": [5, b"sha256:1"],
    "quantization": [4, ("Q4",)],
    "context_length": ["4096", False, (4096,)],
    "languages": ["pl", ["pl"], (5,)],
    "instruct": ["no", 0],
    "installed": ["yes", 1, None],
    "loaded": [1, "no"],
    "allowed_roles": ["user", (None,)],
    "prompt_template": [5],
    "defaults": [None, [], {1: 2}],
    "license": [["mit"]],
    "terms_url": [5],
    "details": [None, "x", [1]],
    "architecture": [{}, "llama"],
    "memory_plan": [{}, 5, MemoryPlan("e", parallel="2")],  # type: ignore[arg-type]
    "location": ["/x", 5],
    "parameter_bounds": [None, {"top_p": (1.0,)}, {"top_p": ("0", "1")}, {"top_p": [0, 1]}],
    "applies_defaults": ["yes", None],
    "runs_at": [5],
    "host_is_named": [1],
}


CASES = [(field, value) for field, values in OTHER_TYPES.items() for value in values]


def test_every_field_of_a_model_has_its_cases() -> None:
    assert set(OTHER_TYPES) == {field.name for field in fields(Model)} - {"ref"}


@pytest.mark.parametrize(("field", "value"), CASES, ids=[f"{f}={v!r}"[:60] for f, v in CASES])
async def test_a_model_with_a_field_of_another_type_is_left_out_with_the_reason(
    caplog: pytest.LogCaptureFixture, field: str, value: Any
) -> None:
    async def models() -> Any:
        return [GOOD, odd(**{field: value})]

    provider = guarded(type("P", (), {"models": staticmethod(models)}))
    found: Any = await provider.models()
    assert found == (GOOD,)
    (left,) = found.left_out
    assert (left.provider, left.name) == ("stub", "odd")
    inner = f"{field}.parallel" if isinstance(value, MemoryPlan) else field
    kind = "str" if isinstance(value, MemoryPlan) else type(value).__name__
    assert left.message.startswith(f"Its {inner}, of the type {kind}, does not fit the declared ")
    (line,) = [r.getMessage() for r in caplog.records]
    assert line.startswith("provider stub broke the rule declared_types in models: ")
    assert line.endswith(f"(odd: {left.message})")


async def test_what_is_left_out_is_told_with_the_reason(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = ["m1", None, {"ref": "x"}, GOOD, odd(title="first"), odd(title="second"),
            Model("big", "x", size_bytes="12"), Model("a\x1bb", "x", title=5),  # type: ignore[arg-type]
            Model("c\x1bd", "x")]  # fmt: skip
    lists(monkeypatch, rows)
    listing = (await client.get("/api/v1/models")).json()
    assert [one["title"] for one in listing["models"] if one["name"] == "odd"] == ["first"]
    wrong = "does not fit the declared"
    assert [(one["name"], one["message"]) for one in listing["left_out"]] == [
        ("#1", "It is of the type str and no Model."),
        ("#2", "It is of the type NoneType and no Model."),
        ("#3", "It is of the type dict and no Model."),
        ("odd", "It is listed already."),
        ("big", f"Its size_bytes, of the type str, {wrong} int | None."),
        ("a\\x1bb", f"Its title, of the type int, {wrong} str | None."),
        ("c\\x1bd", "Its name is not one line of at most 500 characters."),
    ]
    for one in listing["left_out"][:-1]:
        line = f"{one['name']}: {one['message']}"
        assert sum(line in r.getMessage() for r in caplog.records) == 1, line
    polish = await client.get("/api/v1/models", headers={"Accept-Language": "pl"})
    assert "Pole size_bytes (typ str) nie pasuje" in polish.text


async def test_a_model_that_was_mended_is_left_out_no_longer(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        for size, names in (("12", ["odd"]), (12, [])):
            lists(monkeypatch, [GOOD, odd(size_bytes=size)])
            venom.registry.forget("scripted")
            listing = (await client.get("/api/v1/models")).json()
            assert [one["name"] for one in listing["left_out"]] == names
            assert len(listing["models"]) == 2 - len(names)


async def test_of_many_that_are_left_out_some_are_named(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lists(monkeypatch, [*range(200), GOOD])
    listing = (await client.get("/api/v1/models")).json()
    assert [one["name"] for one in listing["models"]] == ["m"]
    assert [one["name"] for one in listing["left_out"]] == [f"#{n}" for n in range(1, 21)]
    assert sum("declared_types" in r.getMessage() for r in caplog.records) == 20
