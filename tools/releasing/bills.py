"""Bills of material in CycloneDX: of what Python installs, and of what the page is built from."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import venv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name, parse_wheel_filename

from tools.command import quiet
from tools.measure_install import bare_environment, python_of
from tools.projects import ROOT
from tools.releasing.release import NotRun, Release
from tools.releasing.toolbox import ask, present
from tools.wheels import epoch

PYTHON, PAGE = "python.cdx.json", "page.cdx.json"
#: Ours reads its version from a file, which the program does not.
_SUBJECT = '[project]\nname = "venom"\nversion = "{version}"\n'
#: Asks the library that writes such files; it has the schemas of CycloneDX with it.
_VALIDATE = """
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1], encoding="utf-8").read()
version = SchemaVersion.from_version(json.loads(text)["specVersion"])
error = JsonStrictValidator(version).validate_str(text)
sys.exit(f"{error.data.message[:300]}" if error else 0)
"""


def write(release: Release) -> None:
    """Write both bills of a release that is built.

    Raises:
        ValueError: a program that makes one refused; the text is what it said.
    """
    release.bills.mkdir(exist_ok=True)
    moment = epoch(release.root)
    with tempfile.TemporaryDirectory(prefix="venom-bill-") as folder:
        environment = Path(folder) / "all"
        installed(release, environment)
        program = str(present() / "cyclonedx-py")
        command = [program, "environment", "--output-reproducible", "--of", "JSON", "-o"]
        made = [*command, str(release.bills / PYTHON), str(python_of(environment))]
        subject = Path(folder) / "pyproject.toml"
        subject.write_text(_SUBJECT.format(version=release.version), encoding="utf-8")
        _said(ask([*made, "--pyproject", str(subject)], epoch=moment))
        _page(release, Path(folder) / "venom-web", moment)


def installed(release: Release, environment: Path) -> None:
    """Install the largest set as the documentation says it: no index, every file by its hash."""
    venv.create(environment, with_pip=False, clear=True)
    command = [sys.executable, "-m", "pip", "--python", str(python_of(environment)), "install"]
    command += ["--quiet", "--no-compile", "--find-links", str(release.wheelhouse)]
    log = ROOT / ".cache" / "logs" / "release-install.log"
    command += ["--requirement", str(release.wheelhouse / "requirements-full.txt")]
    quiet(command, cwd=environment, log=log, env=bare_environment())


def _page(release: Release, folder: Path, moment: str) -> None:
    """npm tells what a folder's lock holds. It gets the lock without what only building needs: told
    to leave that out itself, it leaves out packages that the page has too."""
    folder.mkdir()  # npm names the whole after it
    package, lock = (_web(release, name) for name in ("package.json", "package-lock.json"))
    kept = {place: one for place, one in lock["packages"].items() if not one.get("dev")}
    lock["packages"] = kept
    for one in (package, lock, kept[""]):
        one["version"] = release.version  # ours has none, which a package's name needs
        one.pop("devDependencies", None)
    for name, data in (("package.json", package), ("package-lock.json", lock)):
        (folder / name).write_text(json.dumps(data), encoding="utf-8")
    command = ["npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]
    bill = json.loads(_said(ask(command, cwd=folder)))
    # A number and a time of the day it was written would make two of one release differ.
    bill.pop("serialNumber", None)
    bill["metadata"].pop("timestamp", None)
    if moment:
        when = datetime.fromtimestamp(int(moment), UTC)
        bill["metadata"]["timestamp"] = f"{when:%Y-%m-%dT%H:%M:%SZ}"
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    (release.bills / PAGE).write_text(text, encoding="utf-8")


def _web(release: Release, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release.root / "web" / name).read_text(encoding="utf-8"))
    return found


def _said(done: Any) -> str:
    if done.returncode:
        raise ValueError(
            f"{Path(done.args[0]).name}: {(done.stderr or done.stdout).strip()[-500:]}"
        )
    return str(done.stdout)


def complete(release: Release) -> Iterator[str]:
    """Each bill is valid by the schema it names, and names exactly what is handed out."""
    if not release.bills.is_dir():
        raise NotRun("there is no bill of material: make release")
    for name in (PYTHON, PAGE):
        file = release.bills / name
        if not file.is_file():
            yield f"sbom/{name}: missing; run `make release`"
            continue
        done = ask([str(present() / "python"), "-c", _VALIDATE, str(file)])
        if done.returncode:
            yield f"sbom/{name}: not valid by its schema: {done.stderr.strip()[-300:]}"
            continue
        bill = json.loads(file.read_text(encoding="utf-8"))
        found = {_full_name(one) for one in bill.get("components", [])}
        subject = _full_name(bill["metadata"]["component"])
        wanted = _housed(release) if name == PYTHON else _of_the_page(release)
        found.add(subject)
        yield from (f"sbom/{name}: {one} is missing" for one in sorted(wanted - found))
        yield from (f"sbom/{name}: {one} is not handed out" for one in sorted(found - wanted))


def _full_name(component: dict[str, Any]) -> str:
    group = f"{component['group']}/" if component.get("group") else ""
    name = f"{group}{component['name']}"
    if str(component.get("purl", "")).startswith("pkg:pypi/") or name == "venom":
        name = canonicalize_name(name)
    return f"{name}=={component.get('version')}"


def _housed(release: Release) -> set[str]:
    parsed = (parse_wheel_filename(path.name) for path in release.housed())
    return {f"{name}=={version}" for name, version, *_ in parsed}


def _of_the_page(release: Release) -> set[str]:
    lock = json.loads((release.root / "web" / "package-lock.json").read_text(encoding="utf-8"))
    found = {f"{lock['name']}=={release.version}"}
    for place, package in lock["packages"].items():
        if place and not package.get("dev"):
            name = re.sub(r"^.*node_modules/", "", place)
            found.add(f"{name}=={package['version']}")
    return found
