"""`compose.minimal.yml` on a bare machine: an address is printed, and "hi" gets a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from acts import expect, finished, send
from project import Project, answer

from tools.containers.images import tag_of
from tools.containers.programs import LIMITS
from venom_core.testing.deadlines import eventually, patience

if TYPE_CHECKING:
    from acts import OpenWindow

GEMMA = "llamacpp://gemma3-270m-base"
#: Seconds for both models, of an index that is not far.
FETCHED = 150


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with Project("minimal", tmp_path_factory.mktemp("light")) as project:
        yield project


def has_models(light: Project) -> bool:
    with light.client() as client:
        return client.get("/api/v1/models").json()["count"] == 2


@pytest.mark.refusals(401)  # until the address has signed it in
@pytest.mark.timeout(300)
def test_through_the_printed_address_hi_gets_a_sentence(
    light: Project, open_window: OpenWindow
) -> None:
    [link] = light.sign_in_links()
    page = open_window(link)
    # The models are on their way; the page goes on by itself when the first is there.
    model = page.get_by_role("button", name=re.compile("^Model: "))
    expect(model).to_be_enabled(timeout=patience(FETCHED) * 1000)
    said = finished(send(page, "hi"), patience(60)).get_by_test_id("answer-text")
    expect(said).to_have_text(re.compile(r"\w+\W+\w+.*[.!?]"))
    assert link.partition("#")[2] not in page.url


@pytest.mark.timeout(300)
def test_a_chat_on_gemma_3_without_onnx(light: Project) -> None:
    assert eventually(lambda: has_models(light), FETCHED), light.logs()
    with light.client() as client:
        said = answer(client, "What is the capital of Poland?", model=GEMMA)
    assert said.strip() == "Warsaw"
    found = "import importlib.util as u; print([n for n in {} if u.find_spec(n)])"
    assert light.python(found.format(["onnxruntime", "torch", "docker", "vllm"])) == "[]"


def test_the_container_may_do_little(light: Project) -> None:
    status = light.inside("cat", "/proc/self/status").stdout
    assert re.search(r"^Uid:\s+10001\b", status, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    written = "import pathlib; pathlib.Path({!r}).touch()"
    for place in ("/opt/venom/x", "/x"):
        refused = light.inside("python3", "-c", written.format(place), check=False)
        assert refused.returncode and "Read-only file system" in refused.stderr
    light.inside("python3", "-c", written.format("/data/x"))


def test_page_backend_and_engine_are_ready_and_the_healthcheck_says_so(light: Project) -> None:
    with light.client() as client:
        assert "<title>Venom" in client.get("/").text
        assert client.get("/readyz").json()["status"] == "ready"
    assert light.podman("healthcheck", "run", light.container(), check=False).returncode == 0


def test_another_profile_needs_no_other_package(light: Project) -> None:
    before = light.inside("venom", "--version").stdout
    with light.client() as client:
        light.inside("venom", "profile", "use", "llm_off")
        body = {"messages": [{"role": "user", "content": "hi"}]}
        assert client.post("/v1/chat/completions", json=body).status_code == 503
        light.inside("venom", "profile", "use", "light")
        assert answer(client, "What is the capital of Italy?", model=GEMMA).strip() == "Rome"
    assert light.inside("venom", "--version").stdout == before


def test_the_limit_of_the_container_is_the_memory_that_counts(light: Project) -> None:
    look = "from venom_core.sdk.machine import this_machine as t; print(t().memory_total_bytes)"
    python = ["--entrypoint", "/opt/venom/bin/python", tag_of("venom-backend-embedded"), "-c", look]
    done = light.podman("run", "--rm", *LIMITS, "--memory", "512m", *python)
    assert int(done.stdout) == 512 * 1024 * 1024


def test_a_second_start_keeps_what_the_first_made(light: Project) -> None:
    links, key = light.sign_in_links(), light.key()
    light.restart()
    assert light.sign_in_links() == links, "nobody is let in by a start"
    assert light.key() == key and has_models(light)
    another = light.inside("venom", "keys", "list", "--json").stdout
    assert '"first"' in another


def test_sigterm_ends_it_in_order(light: Project) -> None:
    light.podman("stop", "--time", "25", light.container())
    code = light.podman("inspect", "--format", "{{.State.ExitCode}}", light.container()).stdout
    assert code.strip() == "0" and "Stopped." in light.logs()
