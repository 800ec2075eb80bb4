"""Light stays light: what is imported is an allow-list, so that nothing creeps in unseen."""

from __future__ import annotations

import pytest

from tests.budgets.modules import how_to_look
from tools.plugins import packages
from tools.projects import ROOT
from venom_core.testing.imports import HEAVY, imported_by, third_party
from venom_core.testing.ollama.process import FakeOllama

SDK = "import venom_core.sdk"
VERSION = """
import sys
from venom_core.cli.main import main
sys.argv = ["venom", "--version"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
APP = "from venom_core.api.app import create_app; create_app()"
SERVER = """
import asyncio, httpx
from venom_core.api.app import create_app

async def main():
    app = create_app()
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            plugins = (await client.get("/api/v1/plugins")).json()["plugins"]
            assert {one["id"] for one in plugins} >= {"ollama", "llamacpp", "remote"}, plugins
            found = []
            while not found:  # a listing that is late on a busy machine leaves its provider out
                listed = await client.get("/v1/models")
                assert listed.status_code == 200, listed.text
                models = listed.json()["data"]
                found = [one["id"] for one in models if one["owned_by"] == "ollama"]
            model = found[0]
            body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
            answer = await client.post("/v1/chat/completions", json=body)
            assert answer.status_code == 200, answer.text
            assert answer.headers["venom-model"].startswith("ollama://")

asyncio.run(main())
"""
WARM_UP = """
import asyncio
import filelock  # comes with what a start keeps of its settings, in a thread: sooner or later
from venom_core.api.app import create_app
from venom_core.composition import Venom

async def main():
    venom = Venom.from_environment()
    async with create_app(venom).router.lifespan_context(None):
        await venom.providers.begin_loading()
        begun = BEGIN
        await asyncio.wait({begun}, timeout=0.5)
        assert not begun.done(), "it did not wait for the first answers"

asyncio.run(main())
"""
WEB = {
    "annotated_doc", "annotated_types", "anyio", "fastapi", "idna", "pydantic", "pydantic_core",
    "pydantic_settings", "sniffio", "starlette", "typing_extensions", "typing_inspection",
}  # fmt: skip
# importlib_metadata brings lazy_importer and zipp, FastAPI opentelemetry, pydantic-settings dotenv.
OF_OUR_DEPENDENCIES = {"dotenv", "lazy_importer", "opentelemetry", "zipp"}
ALLOWED: dict[str, tuple[str, set[str]]] = {
    "sdk": (SDK, set()),
    "version": (VERSION, {"click"}),
    "app": (APP, WEB | OF_OUR_DEPENDENCIES | {"importlib_metadata", "pluggy"}),
}

COMMANDS = """
import importlib
from venom_core.cli.main import COMMANDS
for place, _ in COMMANDS.values():
    importlib.import_module(place.partition(":")[0])
"""
#: Python's own, each of which a help or a completion would wait for: they come with the work.
SLOW = {"asyncio", "concurrent.futures", "logging.handlers", "sqlite3", "ssl"}
WAYS = {f"venom_core.cli.connection.{name}" for name in ("local", "loop", "server")}


@pytest.mark.parametrize("name", ALLOWED)
def test_only_what_is_allowed_is_imported(name: str) -> None:
    code, allowed = ALLOWED[name]
    extra = third_party(imported_by(code)) - allowed
    assert not extra, how_to_look(f"{', '.join(sorted(extra))} imported by '{name}'", code.strip())


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_not_more_than_needed(name: str) -> None:
    """An allow-list that names what is no longer imported would let it creep back."""
    code, allowed = ALLOWED[name]
    # Which of these a package imports differs between its versions.
    differs = {"idna", "sniffio", "typing_inspection", "annotated_doc", "annotated_types"}
    unused = allowed - third_party(imported_by(code)) - differs - OF_OUR_DEPENDENCIES
    assert not unused, f"take {', '.join(sorted(unused))} out of the list of '{name}'"


def test_version_opens_nothing_big() -> None:
    deny = HEAVY | {"sqlalchemy", "rich", "httpx", "aiohttp", "fastapi", "uvicorn", "pydantic"}
    found = third_party(imported_by(VERSION)) & deny
    assert not found, how_to_look(f"venom --version imports {found}", "import venom_core.cli.main")


def test_a_command_brings_its_work_when_it_works() -> None:
    """Every command's module is imported: a help needs none of what the command then does."""
    modules = imported_by(COMMANDS)
    early = modules & (SLOW | WAYS) | third_party(modules) - {"click"}
    assert not early, how_to_look(f"{sorted(early)} imported by commands", COMMANDS.strip())


def test_manifests_are_not_providers() -> None:
    """Loading a plugin imports its manifest; the provider comes with its first use."""
    manifests = "import " + ", ".join(f"{package}.plugin" for package in packages(ROOT))
    modules = imported_by(manifests)
    early = {name for name in modules if name.startswith("venom_") and name.endswith(".provider")}
    assert not early
    assert third_party(modules) <= {"pluggy"}


def test_no_engine_in_the_server_process() -> None:
    """After a request, with every plugin installed: engines live in processes of their own."""
    with FakeOllama(scenarios=("any_chat",)) as fake:
        modules = imported_by(SERVER, OLLAMA_HOST=fake.url)
    found = {name.split(".")[0] for name in modules} & HEAVY
    assert not found, how_to_look(f"the server imports {found}", SERVER.strip())


def test_a_warm_up_waits_for_the_first_answers() -> None:
    """It is begun with the server; what it needs is imported once the first answers are out."""
    cold, warm = (
        imported_by(WARM_UP.replace("BEGIN", begin), OLLAMA_HOST="127.0.0.1:9")
        for begin in ("asyncio.create_task(asyncio.sleep(600))", "venom.warm_up.begin()")
    )
    early = warm - cold
    assert not early, how_to_look(f"{sorted(early)} imported by a warm-up", WARM_UP.strip())
