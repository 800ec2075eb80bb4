"""A statement of what was built from what, as in-toto has it.

It is prepared here without a signature and says so; a forge, which can vouch for where it ran,
signs the same files.
"""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterator

from tools.projects import APART, LOCKS
from tools.releasing.release import NotRun, Release, sha256

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD = "make release"


def write(release: Release) -> None:
    """Write the statement over everything in `dist/` but itself and the list of sums."""
    names = list(release.files())
    statement = {
        "_type": STATEMENT,
        "subject": [
            {"name": one, "digest": {"sha256": sha256(release.dist / one)}} for one in names
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD,
                "externalParameters": {"version": release.version},
                "internalParameters": {
                    "python": platform.python_version(),
                    "system": f"{platform.system()} {platform.machine()}",
                },
                "resolvedDependencies": list(_materials(release)),
            },
            "runDetails": {"builder": {"id": "unsigned: built outside a forge"}},
        },
    }
    text = json.dumps(statement, indent=2) + "\n"
    release.provenance.write_text(text, encoding="utf-8")


def _materials(release: Release) -> Iterator[dict[str, object]]:
    if commit := _git(release, "rev-parse", "HEAD"):
        state = "changed" if _git(release, "status", "--porcelain") else "as committed"
        yield {"uri": f"git commit, {state}", "digest": {"gitCommit": commit}}
    locks = [f"requirements/{name}.txt" for name in (*LOCKS, *APART)]
    for name in (*locks, "web/package-lock.json"):
        path = release.root / name
        if path.is_file():
            yield {"uri": name, "digest": {"sha256": sha256(path)}}


def _git(release: Release, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=release.root, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def committed(release: Release) -> Iterator[str]:
    """Everything is committed, and a tag of a version on this commit is this version's."""
    if not _git(release, "rev-parse", "HEAD"):
        raise NotRun("this is no repository of git's")
    if changed := _git(release, "status", "--porcelain").splitlines():
        yield f"{len(changed)} files are not as they were committed: {changed[0].strip()}"
    for tag in _git(release, "tag", "--points-at", "HEAD", "v20*").split():
        if tag != f"v{release.version}":
            yield f"this commit is tagged {tag}, and the tree is {release.version}"


def covers(release: Release) -> Iterator[str]:
    """The statement names every file that is handed out, with its sum, and this tree's commit."""
    if not release.provenance.is_file():
        raise NotRun("there is no statement: make release")
    statement = json.loads(release.provenance.read_text(encoding="utf-8"))
    said = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    there = {name: sha256(release.dist / name) for name in release.files()}
    for name in sorted({*said, *there}):
        if name not in said:
            yield f"provenance.json: says nothing of {name}"
        elif said[name] != there.get(name):
            yield f"provenance.json: {name} is another file, or gone"
    version = statement["predicate"]["buildDefinition"]["externalParameters"]["version"]
    if version != release.version:
        yield f"provenance.json: of release {version}, the tree is {release.version}"
