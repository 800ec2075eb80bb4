"""Installing plugins in a fresh environment, beside strangers that use our names.

The environment holds this tree's ``venom`` as a wheel made by hand. "The user's index" is a folder
of wheels that pip is configured for, as a public index with a stranger's ``venom`` would be.
Of what the core needs only the modules that the installer imports are in it, and no distribution
beside the core, so the one setting that it reads is handed to it by name.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import venom_core
from tests.made_wheels import sums, unpack, wheel
from venom_core.testing.deadlines import patience

# Minutes of pip in environments of their own: with the wheels, not with the quick tests.
pytestmark = pytest.mark.install

CORE = "2026.11.0"
STRANGER = "2099.1.0"
PINNED = (f"venom=={CORE}",)

#: What the modules that the installer imports need.
NEEDED = ("pluggy", "psutil", "importlib_metadata", "lazy_importer", "zipp", "packaging")

DRIVER = """
import json, os, sys
from types import SimpleNamespace
from venom_core.installing.sources import remember
from venom_core.installing.installer import PluginInstaller
from venom_core.sdk.errors import VenomError
from venom_core.settings.paths import Paths

ask = json.loads(sys.argv[1])
paths = Paths.resolve()
core = SimpleNamespace(wheelhouse=os.environ.get("VENOM_WHEELHOUSE"))
installer = PluginInstaller(SimpleNamespace(core=core), paths)
answer = {}
try:
    if ask.get("remember"):
        from pathlib import Path
        remember(paths, Path(ask["remember"]))
    if ask.get("uninstall"):
        from venom_core.installing import uninstaller
        removal = uninstaller.plan_removal(ask["name"], paths)
        answer["removal"] = [removal.distribution, removal.version, removal.files]
        uninstaller.remove(removal)
        raise SystemExit(print(json.dumps(answer)))
    plan = installer.plan(ask["name"], third_party=ask.get("third_party", False))
    answer["plan"] = {a.name: a.version for a in plan.additions}
    answer["sizes"] = {a.name: a.size_bytes for a in plan.additions}
    answer["replaces"] = {a.name: a.replaces for a in plan.additions if a.replaces}
    answer["summary"] = plan.summary
    if ask.get("swap"):
        os.replace(*ask["swap"])
    if ask.get("install", True):
        answer["core"] = installer.install(plan).core_version
except VenomError as error:
    answer["error"] = error.record()
    answer["output"] = getattr(error, "output", "")
print(json.dumps(answer))
"""


def our_wheels(folder: Path) -> None:
    """A release: the plugin with its engine as an extra, and the engine."""
    wheel(folder, "venom-onnx", CORE, requires=PINNED, extras={"engine": ("fake-engine==1.5",)})
    wheel(folder, "fake-engine", "1.5", files={"fake_engine.py": b"#" * 5000})


def stranger_wheels(folder: Path) -> None:
    """Build wheels that anybody can publish under our names, with a version above ours."""
    wheel(folder, "venom", STRANGER)
    wheel(folder, "venom-onnx", STRANGER, requires=(f"venom=={STRANGER}",))


class Environment:
    """A virtual environment with our core in it, and the user's index beside it."""

    def __init__(self, root: Path, venv: Path) -> None:
        self.root = root
        self.venv = root / "venv"
        # pip replaces files and never writes into them: links are copies here, and fast
        shutil.copytree(venv, self.venv, symlinks=True, copy_function=os.link)
        self.python = self.venv / "bin" / "python"
        self.index = root / "index"
        self.index.mkdir()
        self.home = root / "home"

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "VENOM_"))}
        clean |= {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.index),
            "VENOM_HOME": str(self.home),
        }
        return subprocess.run(
            [str(self.python), *command],
            capture_output=True,
            text=True,
            timeout=patience(100),
            env=clean | env,
            cwd=self.root,  # with -c Python looks here first, and the repository is no part of it
        )

    def install(self, name: str, *, env: Mapping[str, str] | None = None, **ask: Any) -> Any:
        """Return what the installer answers; see ``DRIVER``."""
        done = self.run("-c", DRIVER, json.dumps({"name": name, **ask}), **(env or {}))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def add(self, *wheels: Path) -> None:
        """Put wheels into the environment, as somebody did long before."""
        for path in wheels:
            unpack(path, self.venv)

    def installed(self) -> dict[str, str]:
        site = next(self.venv.glob("lib/python*/site-packages"))
        found = Distribution.discover(path=[str(site)])
        return {d.name: d.version for d in found if d.name not in ("pip", "setuptools")}

    def made_by(self, module: str) -> str:
        done = self.run("-c", f"import {module}; print({module}.made_by)")
        return done.stdout.strip()

    def assert_ours_survived(self) -> None:
        assert self.installed()["venom"] == CORE
        done = self.run("-c", "import venom_core; print(venom_core.__file__)")
        assert done.stdout.strip().startswith(str(self.venv)), done.stderr


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pip and our core alone."""
    root = tmp_path_factory.mktemp("install")
    venv, release = root / "venv", root / "release"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=patience(100))
    tree = Path(venom_core.__file__).parent
    files = {
        f"venom_core/{path.relative_to(tree).as_posix()}": path.read_bytes()
        for path in tree.rglob("*.py")
        if "static" not in path.parts
    }
    # As the built wheel holds them.
    files |= {
        f"venom_core/release/{path.parent.name}/pyproject.toml": path.read_bytes()
        for path in tree.parent.glob("plugins/*/pyproject.toml")
    }
    unpack(wheel(release, "venom", CORE, files=files), venv)
    (site,) = venv.glob("lib/python*/site-packages")
    for name in NEEDED:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:  # not every version needs all of them
            shutil.copytree(Path(spec.origin).parent, site / name)
    return venv


@pytest.fixture
def environment(base: Path, tmp_path: Path) -> Environment:
    return Environment(tmp_path, base)


class TestFromTheUsersIndex:
    def test_ours_survives_beside_the_stranger(self, environment):
        stranger_wheels(environment.index)
        our_wheels(environment.index)
        answer = environment.install("onnx")
        assert answer["plan"] == {"fake-engine": "1.5", "venom-onnx": CORE}
        assert answer["core"] == CORE
        assert environment.installed() == {
            "fake-engine": "1.5",
            "venom": CORE,
            "venom-onnx": CORE,
        }
        environment.assert_ours_survived()

    def test_the_index_can_do_it(self, environment):
        """Without the installer the stranger wins: what the other tests guard against is real."""
        stranger_wheels(environment.index)
        our_wheels(environment.index)
        environment.run("-m", "pip", "install", "venom-onnx")
        assert environment.installed()["venom"] == STRANGER

    def test_nothing_is_installed_by_a_plan(self, environment):
        our_wheels(environment.index)
        answer = environment.install("onnx", install=False)
        assert set(answer["plan"]) == {"fake-engine", "venom-onnx"}
        assert set(environment.installed()) == {"venom"}

    def test_only_the_stranger_is_there(self, environment):
        stranger_wheels(environment.index)
        answer = environment.install("onnx")
        assert answer["error"]["code"] == "plugin_not_available"
        assert answer["error"]["fix"]
        assert set(environment.installed()) == {"venom"}
        environment.assert_ours_survived()

    def test_stranger_with_our_version_that_pins_no_core(self, environment):
        wheel(environment.index, "venom-onnx", CORE, requires=("venom>=1",))
        answer = environment.install("onnx")
        assert answer["error"]["code"] == "plan_refused"
        assert set(environment.installed()) == {"venom"}

    def test_stranger_with_our_version_that_wants_its_own_core(self, environment):
        wheel(environment.index, "venom", STRANGER)
        wheel(environment.index, "venom-onnx", CORE, requires=(f"venom=={STRANGER}",))
        answer = environment.install("onnx")
        assert answer["error"]["code"] == "install_conflict"
        environment.assert_ours_survived()

    def test_dependency_that_wants_another_core(self, environment):
        our_wheels(environment.index)
        wheel(environment.index, "venom", STRANGER)
        wheel(environment.index, "fake-engine", "1.5", requires=("venom>=2099",))
        answer = environment.install("onnx")
        assert answer["error"]["code"] == "install_conflict"
        assert set(environment.installed()) == {"venom"}

    def test_plugin_of_another_release_is_brought_into_lockstep(self, environment):
        our_wheels(environment.index)
        environment.add(wheel(environment.root / "old", "venom-onnx", "2026.10.0"))
        answer = environment.install("onnx")
        assert answer["replaces"] == {"venom-onnx": "2026.10.0"}
        assert environment.installed()["venom-onnx"] == CORE

    def test_engine_alone_where_the_plugin_is_there(self, environment):
        our_wheels(environment.index)
        environment.add(next(environment.index.glob("venom_onnx*")))
        assert environment.install("onnx")["plan"] == {"fake-engine": "1.5"}

    def test_everything_is_there(self, environment):
        our_wheels(environment.index)
        environment.install("onnx")
        answer = environment.install("venom-onnx")
        assert answer["plan"] == {}
        assert "nothing to add" in answer["summary"]

    def test_package_that_changed_after_the_plan(self, environment):
        our_wheels(environment.index)
        engine = next(environment.index.glob("fake_engine*"))
        other = wheel(environment.root / "other", "fake-engine", "1.5")
        answer = environment.install("onnx", swap=[str(other), str(engine)])
        assert answer["error"]["code"] == "hash_mismatch"
        assert set(environment.installed()) == {"venom"}

    def test_source_package_is_never_built(self, environment):
        """Its build script would run before anybody saw the plan."""
        bait = environment.root / "bait"
        sdist = environment.root / f"venom-onnx-{CORE}"
        sdist.mkdir()
        (sdist / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "bait"\nbackend-path = ["."]\n'
        )
        (sdist / "bait.py").write_text(f"open({str(bait)!r}, 'w')\n")
        (sdist / "PKG-INFO").write_text(
            f"Metadata-Version: 2.1\nName: venom-onnx\nVersion: {CORE}\n"
        )
        shutil.make_archive(
            str(environment.index / f"venom-onnx-{CORE}"),
            "gztar",
            environment.root,
            sdist.name,
        )
        answer = environment.install("onnx")
        assert answer["error"]["code"] == "plugin_not_available"
        assert not bait.exists()


class TestFromTheWheelhouse:
    @pytest.fixture
    def wheelhouse(self, environment: Environment) -> Path:
        folder = environment.root / "wheelhouse"
        our_wheels(folder)
        wheel(folder, "venom", CORE)
        sums(folder)
        return folder

    def test_nothing_else_is_asked(self, environment, wheelhouse):
        """The stranger copied version and pin; only the folder tells them apart."""
        stranger_wheels(environment.index)
        wheel(environment.index, "venom-onnx", CORE, requires=PINNED)
        (wheelhouse / "SHA256SUMS").unlink()
        environment.install("onnx", env={"VENOM_WHEELHOUSE": str(wheelhouse)})
        assert environment.made_by("venom_onnx") == str(wheelhouse)

    def test_remembered(self, environment, wheelhouse):
        environment.install("onnx", remember=str(wheelhouse))
        assert environment.made_by("venom_onnx") == str(wheelhouse)

    def test_known_from_where_the_core_came(self, environment, wheelhouse):
        info = next(environment.venv.glob("lib/python*/site-packages/venom-*.dist-info"))
        url = (wheelhouse / f"venom-{CORE}-py3-none-any.whl").as_uri()
        (info / "direct_url.json").write_text(json.dumps({"url": url, "archive_info": {}}))
        environment.install("onnx")
        assert environment.made_by("venom_onnx") == str(wheelhouse)

    def test_swapped_wheel(self, environment, wheelhouse):
        wheel(wheelhouse, "venom-onnx", CORE, requires=PINNED, files={"venom_onnx.py": b"evil"})
        answer = environment.install("onnx", env={"VENOM_WHEELHOUSE": str(wheelhouse)})
        assert answer["error"]["code"] == "plan_refused"
        assert "SHA256SUMS" in answer["error"]["message"]
        assert set(environment.installed()) == {"venom"}

    def test_sizes_are_those_of_the_files(self, environment, wheelhouse):
        answer = environment.install(
            "onnx", install=False, env={"VENOM_WHEELHOUSE": str(wheelhouse)}
        )
        engine = next(wheelhouse.glob("fake_engine*")).stat().st_size
        assert answer["sizes"]["fake-engine"] == engine
        assert "adds 2 packages, 0.0 MB" in answer["summary"]
        assert "pip install" not in answer["summary"]

    def test_folder_that_is_not_there(self, environment):
        answer = environment.install("onnx", env={"VENOM_WHEELHOUSE": "/nowhere/wheels"})
        assert answer["error"]["code"] == "wheelhouse_not_found"


class TestOtherNames:
    def test_third_party_needs_a_word(self, environment):
        wheel(environment.index, "venom-acme", "1.0", requires=("venom>=2026",))
        answer = environment.install("venom-acme")
        assert answer["error"]["code"] == "third_party_plugin"
        assert "--third-party" in answer["error"]["fix"]
        answer = environment.install("venom-acme", third_party=True)
        assert answer["plan"] == {"venom-acme": "1.0"}
        environment.assert_ours_survived()

    def test_third_party_that_wants_the_strangers_core(self, environment):
        stranger_wheels(environment.index)
        wheel(environment.index, "venom-acme", "1.0", requires=("venom>=2099",))
        answer = environment.install("venom-acme", third_party=True)
        assert answer["error"]["code"] == "install_conflict"
        environment.assert_ours_survived()

    def test_third_party_that_brings_a_false_plugin_of_ours(self, environment):
        wheel(environment.index, "venom-onnx", CORE)
        wheel(environment.index, "venom-acme", "1.0", requires=("venom-onnx",))
        answer = environment.install("venom-acme", third_party=True)
        assert answer["error"]["code"] == "plan_refused"
        assert set(environment.installed()) == {"venom"}

    def test_third_party_that_replaces_another_plugin(self, environment):
        environment.add(wheel(environment.root / "old", "venom-zenith", "1.0"))
        wheel(environment.index, "venom-zenith", "2.0")
        wheel(environment.index, "venom-acme", "1.0", requires=("venom-zenith>=2",))
        answer = environment.install("venom-acme", third_party=True)
        assert answer["error"]["code"] == "plan_refused"
        assert environment.installed()["venom-zenith"] == "1.0"

    def test_source_checkout(self, environment):
        info = next(environment.venv.glob("lib/python*/site-packages/venom-*.dist-info"))
        checkout = environment.root / "checkout"
        (checkout / "plugins" / "venom_onnx").mkdir(parents=True)
        (checkout / "plugins" / "venom_onnx" / "pyproject.toml").touch()
        origin = {"url": checkout.as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(origin))
        our_wheels(environment.index)
        answer = environment.install("onnx")
        assert answer["error"]["code"] == "source_checkout"
        assert "plugins/venom_onnx" in answer["error"]["fix"]

    def test_python_without_pip(self, environment):
        for folder in environment.venv.glob("lib/python*/site-packages/pip*"):
            shutil.rmtree(folder)
        answer = environment.install("onnx")
        assert answer["error"]["code"] == "pip_missing"
        assert "ensurepip" in answer["error"]["fix"]


class TestFromAnIndexServer:
    """Sizes over HTTP, from an index by the simple repository API."""

    @pytest.fixture
    def url(self, environment: Environment) -> Iterator[str]:
        our_wheels(environment.index)
        stranger_wheels(environment.index)
        simple = environment.root / "served" / "simple"
        for path in environment.index.glob("*.whl"):
            project = simple / path.name.partition("-")[0].replace("_", "-")
            project.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, project)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            with (project / "index.html").open("a") as page:
                page.write(f'<a href="{path.name}#sha256={digest}">{path.name}</a><br>')
        handler = functools.partial(_Quiet, directory=str(simple.parent))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()
        server.server_close()
        thread.join(5)

    def test_sizes_and_survival(self, environment, url):
        env = {"PIP_NO_INDEX": "0", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": url}
        env |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        answer = environment.install("onnx", env=env)
        engine = next(environment.index.glob("fake_engine*")).stat().st_size
        assert answer["sizes"]["fake-engine"] == engine
        assert environment.installed()["venom-onnx"] == CORE
        environment.assert_ours_survived()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing among the tests' output."""


PLUGIN = {"venom.providers.v1": "demo = venom_demo.plugin"}


def demo(folder: Path, text: str = "first", *, requires: tuple[str, ...] = PINNED) -> Path:
    """Write a wheel of somebody's plugin that says which build of it this is."""
    files = {"venom_demo/__init__.py": f"made_by = {text!r}\n".encode()}
    return wheel(folder, "venom-demo", "0.1", files=files, requires=requires, entries=PLUGIN)


class TestAWheelFile:
    def test_exactly_that_file_and_what_it_needs(self, environment, tmp_path):
        stranger_wheels(environment.index)
        wheel(environment.index, "fake-engine", "1.5")
        path = demo(tmp_path / "dist", requires=(*PINNED, "fake-engine"))
        answer = environment.install(str(path))
        assert answer["plan"] == {"venom-demo": "0.1", "fake-engine": "1.5"}
        assert answer["replaces"] == {}
        assert environment.made_by("venom_demo") == "first"
        environment.assert_ours_survived()

    def test_another_build_of_the_same_version_takes_its_place(self, environment, tmp_path):
        environment.install(str(demo(tmp_path / "dist")))
        again = environment.install(str(tmp_path / "dist" / "venom_demo-0.1-py3-none-any.whl"))
        assert again["plan"] == {} and "nothing to add" in again["summary"]
        answer = environment.install(str(demo(tmp_path / "dist", "second")))
        assert answer["replaces"] == {"venom-demo": "0.1"}
        assert environment.made_by("venom_demo") == "second"

    def test_a_file_that_changed_after_the_plan(self, environment, tmp_path):
        path, other = demo(tmp_path / "dist"), demo(tmp_path / "other", "second")
        answer = environment.install(str(path), swap=[str(other), str(path)])
        assert answer["error"]["code"] == "hash_mismatch"
        assert set(environment.installed()) == {"venom"}

    def test_one_that_wants_the_strangers_core(self, environment, tmp_path):
        stranger_wheels(environment.index)
        answer = environment.install(str(demo(tmp_path, requires=(f"venom=={STRANGER}",))))
        assert answer["error"]["code"] == "core_mismatch"
        environment.assert_ours_survived()


class TestUninstalling:
    def test_the_plugin_goes_and_what_it_needed_stays(self, environment, tmp_path):
        wheel(environment.index, "fake-engine", "1.5")
        environment.install(str(demo(tmp_path, requires=(*PINNED, "fake-engine"))))
        answer = environment.install("demo", uninstall=True)
        assert answer["removal"][:2] == ["venom-demo", "0.1"] and answer["removal"][2] >= 4
        assert set(environment.installed()) == {"venom", "fake-engine"}
        again = environment.install("demo", uninstall=True)
        assert again["error"]["code"] == "plugin_not_found"

    def test_what_pip_cannot_remove_is_said(self, environment, tmp_path):
        """Without its list of files pip refuses, whoever made it so."""
        environment.install(str(demo(tmp_path)))
        next(environment.venv.glob("lib/python*/site-packages/venom_demo-*/RECORD")).unlink()
        answer = environment.install("venom-demo", uninstall=True)
        assert answer["error"]["code"] == "uninstall_failed"
        assert "RECORD" in answer["output"]
        assert "venom-demo" in environment.installed()

    def test_ours_is_no_plugin_to_uninstall(self, environment):
        entries = {"venom.providers.v1": "onnx = venom_onnx.plugin"}
        ours = wheel(environment.root / "r", "venom-onnx", CORE, requires=PINNED, entries=entries)
        environment.add(ours)
        answer = environment.install("onnx", uninstall=True)
        assert answer["error"]["code"] == "first_party_plugin"
        assert "venom-onnx" in environment.installed()
