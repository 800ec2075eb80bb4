"""Each operation has an example, and the application answers its request as the example has it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.contract.api_v1.examples import ROOT, record
from tests.contract.api_v1.settling import Settling, cut, outline
from tests.declared_answers import faults_of, undeclared
from tools import openapi
from venom_core.api.app import create_app
from venom_core.api.errors import AnthropicError, ApiError, OllamaError, OpenAIError
from venom_core.api.openapi.examples import Examples, read
from venom_core.composition import Venom

WRITE = "write the examples with: python -m tools.openapi_examples"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("home")
    return create_app(Venom.from_environment({"VENOM_HOME": str(home)})).openapi()


def differences(kept: Examples, now: Examples) -> list[str]:
    """List where the examples say otherwise than the application does now, a sentence each."""
    found = []
    for operation in sorted(set(kept["operations"]) | set(now["operations"])):
        ours = kept["operations"].get(operation, {})
        theirs = now["operations"].get(operation, {})
        for name in sorted(set(ours) | set(theirs)):
            if name not in ours or name not in theirs:
                found.append(f"{operation}: {name} is {'no longer' if name in ours else 'not yet'}")
                continue
            found += [
                f"{operation}: {name} has another {part}"
                for part in ("summary", "path", "query", "body", "status", "type")
                if ours[name].get(part) != theirs[name].get(part)
            ]
            was, is_now = set(outline(ours[name]["answer"])), set(outline(theirs[name]["answer"]))
            found += [f"{operation}: {name} has {one!r} no longer" for one in sorted(was - is_now)]
            found += [f"{operation}: {name} has no {one!r}" for one in sorted(is_now - was)]
    for shape in sorted(set(kept["refusals"]) | set(now["refusals"])):
        if kept["refusals"].get(shape) != now["refusals"].get(shape):
            found.append(f"the refusal {shape} is another")
    return found


async def test_the_application_answers_as_the_examples_have_it(
    tmp_path: Path, declared_answers: set[str]
) -> None:
    now: Any = await record(tmp_path)
    assert differences(read(), now) == [], WRITE
    assert set(now["operations"]) <= declared_answers, "each answer was held to its declaration"


def test_every_operation_has_one_and_none_is_of_an_operation_that_is_gone(
    document: dict[str, Any],
) -> None:
    assert list(openapi.without_example(document, read())) == []


def test_every_example_is_as_its_operation_declares() -> None:
    found = [
        fault
        for operation, by_name in read()["operations"].items()
        for example in by_name.values()
        for fault in undeclared(operation, example)
    ]
    assert found == [], WRITE
    kinds: tuple[Any, ...] = (AnthropicError, ApiError, OllamaError, OpenAIError)
    shapes = {kind.__name__: kind for kind in kinds}
    refusals = read()["refusals"]
    assert set(refusals) == set(shapes)
    for name, refused in refusals.items():
        assert list(faults_of(shapes[name], refused["answer"])) == []


def test_every_one_stands_in_the_document(document: dict[str, Any]) -> None:
    operations = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    for name, by_name in read()["operations"].items():
        operation = operations[name]
        for key, example in by_name.items():
            content = operation["responses"][str(example["status"])]["content"][example["type"]]
            assert content["examples"][key]["value"] == example["answer"], name
            if "body" in example:
                body = operation["requestBody"]["content"]["application/json"]
                assert body["examples"][key]["value"] == example["body"], name
        for parameter in operation.get("parameters", ()):
            assert parameter["in"] == "query" or "example" in parameter, f"{name}: {parameter}"
        shown = operation["responses"]["4XX"]["content"]["application/json"]["examples"]["refused"]
        shape = shown["$ref"].removeprefix("#/components/examples/")
        assert (
            document["components"]["examples"][shape]["value"]
            == (read()["refusals"][shape]["answer"])
        )


def test_whatever_takes_something_shows_it_and_every_kind_of_answer_is_there(
    document: dict[str, Any],
) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            by_name = read()["operations"][name].values()
            assert ("requestBody" in operation) == any("body" in one for one in by_name), name
            takes_query = any(one["in"] == "query" for one in operation.get("parameters", ()))
            assert takes_query == any("query" in one for one in by_name), name
            done = [one for status, one in operation["responses"].items() if status.isdigit()]
            kinds = {kind for answer in done for kind in answer["content"]}
            assert {one["type"] for one in by_name} == kinds, name


def test_they_hold_no_secret_no_place_and_nothing_drawn() -> None:
    text = json.dumps(read(), ensure_ascii=False)
    assert not re.search(r"venom-[0-9a-f]{8}-|hf_[a-z]|Bearer", text)
    assert str(ROOT) not in text and "/tmp" not in text and str(Path.home()) + "/" not in text
    assert set(re.findall(r"(?:127\.0\.0\.1|localhost):(\d+)", text)) <= {"8366"}
    for drawn in re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,}", text):
        assert int(drawn.replace("-4000-8000-", "-0000-0000-").replace("-", ""), 16) < 1000, drawn
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", text)) == {"2026-01-15T12:00:00Z"}


STALE: dict[str, Any] = {
    "a field that is gone": lambda one: one["operations"]["healthz"]["example"]["answer"].update(
        gone=1
    ),
    "a field that is new": lambda one: one["operations"]["healthz"]["example"]["answer"].pop(
        "status"
    ),
    "a field of an item that is gone": lambda one: one["operations"]["list_models"]["example"][
        "answer"
    ]["models"][0].pop("name"),
    "another status": lambda one: one["operations"]["readyz"]["example"].update(status=503),
    "another request": lambda one: one["operations"]["translate"]["example"]["body"].pop("text"),
    "an operation that is gone": lambda one: one["operations"].update(flown={"example": {}}),
    "an operation that is new": lambda one: one["operations"].pop("list_models"),
    "an event that is gone": lambda one: one["operations"]["simple_stream"]["example"].update(
        answer="event: start\ndata: {}\n\n"
    ),
    "another refusal": lambda one: one["refusals"]["ApiError"]["answer"].update(code="x"),
}


@pytest.mark.parametrize("change", STALE.values(), ids=STALE)
def test_what_is_stale_is_told(change: Any) -> None:
    kept = read()
    assert differences(kept, read()) == []
    change(kept)
    assert differences(kept, read()) != []


def test_a_wrong_kind_is_told() -> None:
    example = copy.deepcopy(read()["operations"]["healthz"]["example"])
    assert undeclared("healthz", example) == []
    example["answer"]["version"] = 1
    assert undeclared("healthz", example) != []


def test_what_changes_is_fixed() -> None:
    settling = Settling({"/somewhere/home": "/home/you", "secret": "KEY"})
    drawn = "3f2c9a52-0d0f-4a83-9a0e-0c2d6f0a1b2c"
    value = {
        "id": f"chatcmpl-{'ab' * 16}", "operation_id": drawn, "again": [drawn], "created": 17,
        "started_at": "2031-05-06T07:08:09.123Z", "day": "2031-05-06", "month": "2031-05",
        "path": "/somewhere/home/x", "url": "http://127.0.0.1:40123/x", "cpu_percent": 99.9,
        "latency_ms": None, "key": "secret", "size_bytes": 5, "is_so": True,
    }  # fmt: skip
    assert settling.value(value) == {
        "id": f"chatcmpl-{1:032x}",
        "operation_id": f"00000000-0000-4000-8000-{2:012x}",
        "again": [f"00000000-0000-4000-8000-{2:012x}"],
        "created": 1768478400,
        "started_at": "2026-01-15T12:00:00Z", "day": "2026-01-15", "month": "2031-05",
        "path": "/home/you/x", "url": "http://127.0.0.1:8366/x", "cpu_percent": 1.5,
        "latency_ms": None, "key": "KEY", "size_bytes": 5, "is_so": True,
    }  # fmt: skip


def test_lists_are_cut_and_long_content_left_out() -> None:
    value = {"all": [{"a": [1, 2]}, {"b": 1}], "paths": {"x": 1}, "by": {"x": 1, "y": 2}, "no": []}
    shown = {"all": [{"a": [1]}], "paths": {}, "by": {"x": 1}, "no": []}
    assert cut(value, ("paths",), ("by",)) == shown
