"""Faults that only a process of its own can show: plugins that end it, hang in it or print into
it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cli.processes import running
from tests.unit.plugins.distributions import GOOD, install, install_plugin
from venom_core.testing.deadlines import patience

DRIVER = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
from venom_core.plugins.host import PluginHost
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

async def main():
    paths = Paths.resolve()
    host = PluginHost(Settings.load(paths, {"VENOM_PLUGIN_LOAD_TIMEOUT": "2"}), paths)
    before = set(sys.modules)
    host.scan()
    imported = sorted(n for n in set(sys.modules) - before if n.startswith("venom_t"))
    for verb, name in zip(sys.argv[2::2], sys.argv[3::2]):
        await getattr(host, verb)(name)
    await host.load_all()
    records = [r.record() for r in host.records() if r.distribution.startswith("venom-t")]
    print(json.dumps({"imported": imported, "plugins": records}))

asyncio.run(main())
"""


def start(site: Path, home: Path, *verbs: str) -> subprocess.CompletedProcess[str]:
    """A process that loads every plugin and prints the records, by the scan that users get."""
    env = {**os.environ, "VENOM_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", DRIVER, str(site), *verbs],
        capture_output=True,
        text=True,
        timeout=patience(60),
        env=env,
    )


def states(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str | None]]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["imported"] == [], "the scan imported a plugin"
    return {
        plugin["id"]: (plugin["state"], (plugin["reason"] or {}).get("code"))
        for plugin in answer["plugins"]
    }


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    install_plugin(folder, "tgood")
    return folder


GOOD_MANIFEST = GOOD.format(name="tbad", package="venom_tbad", aliases=())


@pytest.mark.parametrize(
    "death",
    [
        "import os; os._exit(7)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes; ctypes.string_at(0)",
    ],
    ids=["os._exit", "SIGKILL", "segmentation fault"],
)
def test_plugin_that_ends_the_process_is_left_out_of_the_next(site, tmp_path, death):
    install_plugin(site, "tbad", death)
    home = tmp_path / "home"
    first = start(site, home)
    assert first.returncode != 0
    assert first.stdout == ""
    second = start(site, home)
    assert states(second) == {
        "tbad": ("disabled", "crashed_last_start"),
        "tgood": ("loaded", None),
    }
    third = start(site, home)
    assert states(third)["tbad"] == ("disabled", "crashed_last_start"), "until somebody asks"
    again = start(site, home, "retry", "tbad")
    assert again.returncode != 0
    (site / "venom_tbad" / "plugin.py").write_text(GOOD_MANIFEST)
    assert states(start(site, home))["tbad"] == ("disabled", "crashed_last_start")
    assert states(start(site, home, "enable", "tbad"))["tbad"] == ("loaded", None)
    assert states(start(site, home))["tbad"] == ("loaded", None)


def test_faults_side_by_side(site, tmp_path):
    """One environment with everything that can be wrong; the good one works, stdout is JSON."""
    install_plugin(site, "texits", "import sys; sys.exit('bye')")
    install_plugin(
        site,
        "tprints",
        "print('{\"plugins\": []}')\n"
        + GOOD.format(name="tprints", package="venom_tprints", aliases=()),
    )
    install_plugin(site, "traises", "raise RuntimeError('secret text')")
    install_plugin(site, "trecurses", "def f(): return f()\nf()")
    install_plugin(site, "tsleeps", "import time; time.sleep(60)")
    install_plugin(site, "tlies", GOOD.format(name="ollama", package="venom_tlies", aliases=()))
    install_plugin(site, "tfuture", group="venom.providers.v9")
    install_plugin(site, "tneeds", requires=("venom>=2099",))
    install_plugin(site, "ttwice", distribution="venom-ttwice-one")
    install_plugin(site, "ttwice", distribution="venom-ttwice-two")
    install_plugin(site, "onnx", distribution="venom-tonnx")
    done = start(site, tmp_path / "home")
    assert states(done) == {
        "onnx": ("incompatible", "name_reserved"),
        "texits": ("failed", "manifest_exited"),
        "tfuture": ("incompatible", "api_mismatch"),
        "tgood": ("loaded", None),
        "tlies": ("failed", "bad_spec"),
        "tneeds": ("incompatible", "core_mismatch"),
        "tprints": ("loaded", None),
        "traises": ("failed", "import_failed"),
        "trecurses": ("failed", "import_failed"),
        "tsleeps": ("failed", "import_timeout"),
        "ttwice": ("disabled", "name_conflict"),
    }
    plugins = json.loads(done.stdout)["plugins"]
    assert len([plugin for plugin in plugins if plugin["id"] == "ttwice"]) == 2
    assert all(plugin["reason"]["fix"] for plugin in plugins if plugin["reason"])
    assert "secret text" not in done.stdout


def test_hanging_plugin_does_not_keep_the_process(site, tmp_path):
    install_plugin(site, "tbad", "import time; time.sleep(600)")
    assert states(start(site, tmp_path / "home"))["tbad"] == ("failed", "import_timeout")


def test_ctrl_c_during_an_import_is_no_crash(site, tmp_path):
    """The process ends in an orderly way while a manifest is being imported."""
    install_plugin(site, "tbad", "import time; time.sleep(600)")
    home = tmp_path / "home"
    code = DRIVER.replace(
        "    await host.load_all()",
        "    asyncio.get_running_loop().call_later(1, lambda: sys.exit(130))\n"
        "    await host.load_all()",
    )
    env = {**os.environ, "VENOM_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(site)], capture_output=True, timeout=patience(60), env=env
    )
    assert done.returncode == 130
    assert list((home / "run").iterdir()) == []


def test_scan_among_300_distributions_imports_none(site, tmp_path):
    for number in range(300):
        script = {"run": f"dist{number}:main"} if number % 3 == 0 else None
        install(site, f"dist-{number}", entries=script, group="console_scripts")
    assert states(start(site, tmp_path / "home")) == {"tgood": ("loaded", None)}


STUCK = """
import asyncio
from venom_core.sdk import Frame, Health, Model, Provider, ProviderStatus, delta, finish

async def go_on():
    while True:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            pass

class Acme(Provider):
    async def open(self):
        self.task = asyncio.create_task(go_on(), name="goes on")

    async def close(self):
        self.task.cancel()

    async def health(self):
        return Health(ProviderStatus.READY)

    async def models(self):
        return [Model("m", "x")]

    async def chat(self, request):
        yield Frame.of(delta("a", role="assistant"))
        if "stuck" in str(request.body["messages"]):
            await go_on()
        yield Frame.of(finish("stop"))
"""


def test_a_server_over_a_plugin_that_swallows_its_end_serves_and_ends(tmp_path):
    """Its place is given back, and a task and a stream that go on do not keep the process."""
    site = tmp_path / "site"
    install_plugin(site, "tstuck", provider=STUCK)
    env = {"PYTHONPATH": str(site), "VENOM_MAX_CONCURRENT": "1", "VENOM_STALL_TIMEOUT": "1"}
    with running(tmp_path / "home", "serve", "--port", "0", **env) as server:
        url = f"{server.url()}/v1/chat/completions"
        for said, ends in (("stuck", "upstream_timeout"), ("hello", '"stop"'), ("stuck", None)):
            body = {"model": "tstuck://m", "stream": True,
                    "messages": [{"role": "user", "content": said}]}  # fmt: skip
            with httpx.stream("POST", url, json=body, timeout=patience(60)) as answer:
                lines = answer.iter_lines()
                assert '"a"' in next(lines)
                if ends is not None:  # the last reader is there when the server ends
                    assert ends in "".join(lines)
                    continue
                assert server.end() == 0, server.lines
    text = "".join(server.lines)
    assert "provider tstuck broke the rule lets_go in chat" in text
    assert "the server ends without tasks that do not" in text
    assert "is ended now" not in text
