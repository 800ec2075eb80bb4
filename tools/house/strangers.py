"""No command that we write down can install the stranger who has our name on the public index.

Whatever names Venom to an installer has to say where from (`--no-index` with a wheelhouse), or by
which hash; a path to one of our wheels or folders does not do, since what it requires comes from
the index. Read off every page, script, container file, workflow and sentence of the product.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from tools.house.tree import Tree

FIX = "name the wheelhouse: --no-index --find-links WHEELHOUSE"
_SUFFIXES = {
    ".cfg", ".container", ".html", ".json", ".md", ".mdx", ".py", ".service", ".sh", ".toml",
    ".ts", ".tsx", ".txt", ".yaml", ".yml",
}  # fmt: skip
_CONTAINER = ("Dockerfile", "Containerfile")
_NAMED = (*_CONTAINER, "Makefile")
_FROM = re.compile(r"(?i)FROM\s+(?:--\S+\s+)*(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?")
# Tests plant such commands to see them found; made files are made from what is looked at.
_NOT_READ = ("tests/", "docs/_done/", "requirements/", "web/openapi.json", "web/package-lock.json")
_HERE = "tools/house/strangers.py"

# What installs, up to its own words; whatever runs before it (`sudo`, `python -m`) says nothing.
_INSTALLER = re.compile(
    r"(?<![\w.-])(?:"
    r"(?:pip[0-9.]*(?:\.exe)?|\$[({]?PIP[)}]?\"?)\s+(?:-\S+\s+(?:[^\s-]\S*\s+)?)*"
    r"(?:install|download|wheel)"
    r"|pipx\s+(?:install|run|inject|upgrade)|uvx|uv\s+(?:pip\s+install|tool\s+(?:install|run)|add|run)"
    r"|(?:poetry|pdm|rye|hatch|conda|mamba|pixi)\s+(?:add|install)"
    r"|easy_install"
    r")\b"
)
_EXEC_FORM = re.compile(r'"\s*,\s*"')  # ["pip", "install", "venom"]
_END = re.compile(r"[;|<>`]|\"\s*=\s*\"|&&|\|\||(?<!\\)\$\(|\s#\s|\s(?:or|and|then|i|albo|lub)\s")
_VENOM = re.compile(r"(?i)^venom(?:[-_.][a-z0-9._-]+)?(?:\[[^\]]*\])?(?:\s*(?:[=<>!~@]=?|@).*)?$")
_PATH = re.compile(r"(?i)(?:\.whl|\.tar\.gz)$|^\.{1,2}(?:/|\[|$)|^plugins/|/venom[_-]|^file:")
_ON_ITS_OWN = ("-r", "--requirement", "-c", "--constraint", "-f", "--find-links", "--dest", "-d",
               "-i", "--index-url", "--extra-index-url", "-t", "--target", "--python", "--prefix",
               "--root", "--log", "--cache-dir", "--platform", "--python-version", "--spec",
               "--from", "--with")  # fmt: skip


def check(tree: Tree) -> list[str]:
    problems = []
    for name in tree.files:
        if not _is_read(name):
            continue
        for line, text, settings in _placed(name, tree.text(name)):
            for command, why in unsafe(text, tree, settings):
                problems.append(f"{name}:{line}: `{command}`: {why}; {FIX}")
    return problems


def _is_read(name: str) -> bool:
    path = PurePosixPath(name)
    if name.startswith(_NOT_READ) or "/tests/" in name or name == _HERE:
        return False
    return path.suffix in _SUFFIXES or path.name.startswith(_NAMED)


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with those that a backslash goes on in, and the number of the first."""
    held, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first or number
        if line.rstrip().endswith("\\"):
            held += line.rstrip()[:-1] + " "
            continue
        yield first, held + line
        held, first = "", 0
    if held:
        yield first, held


def _placed(name: str, text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the lines with the environment that a container file gave to its stage before."""
    stages: dict[str, str] = {}
    stage = settings = ""
    for number, line in _logical(text):
        if PurePosixPath(name).name.startswith(_CONTAINER):
            if found := _FROM.match(line):
                settings = stages.get(found["base"].lower(), "")
                stage = (found["name"] or "").lower()
            elif re.match(r"\s*(?:ENV|ARG)\s", line):
                settings += line
            stages[stage] = settings
        yield number, line, settings


def unsafe(line: str, tree: Tree | None = None, given: str = "") -> Iterator[tuple[str, str]]:
    """Yield each command of a line that may install the stranger, and why.

    Args:
        given: settings of the environment that were made before it.
    """
    plain = _EXEC_FORM.sub(" ", line).replace('\\"', '"')
    for found in _INSTALLER.finditer(plain):
        rest = plain[found.end() :]
        end = _END.search(rest)
        rest = rest[: end.start()] if end else rest
        words = _words(rest)
        if _is_safe(words, rest, given + plain[: found.start()]):
            continue
        if why := _danger(words, tree):
            yield f"{found.group()} {' '.join(words)}".strip(), why


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quotation mark of the prose around it
        return [word for word in re.split(r"[\s\"']+", text) if word]


def _is_safe(words: list[str], rest: str, settings: str) -> bool:
    no_index = "--no-index" in rest or "PIP_NO_INDEX=1" in settings
    found = re.search(r"--find-links|(?<!\S)-f\s", rest) or "PIP_FIND_LINKS=" in settings
    return bool((no_index and found) or "--require-hashes" in words)


def _danger(words: list[str], tree: Tree | None) -> str:
    """Return why a command without an own source of packages is one, or nothing."""
    previous = ""
    for word in words:
        option, _, value = word.partition("=") if word.startswith("--") else (word, "", "")
        named = value if option in ("-r", "--requirement", "--spec", "--from", "--with") else word
        if previous in ("-r", "--requirement") or (option in ("-r", "--requirement") and value):
            if why := _of_file(named, tree):
                return why
        elif previous in _ON_ITS_OWN and previous not in ("--spec", "--from", "--with"):
            pass
        elif _VENOM.match(named.strip("'\"`,.:)")):
            return "the public index has another project of that name"
        elif _PATH.search(named) and "--no-deps" not in words and _is_ours(named):
            return "what it requires of ours comes from the public index"
        previous = word
    return ""


def _is_ours(path: str) -> bool:
    """A wheel or folder of ours, or the folder that one stands in, which is ours in our pages."""
    bare = re.sub(r"\[[^\]]*\]$", "", path)
    return "venom" in bare.lower() or bare in (".", "./")


def _of_file(name: str, tree: Tree | None) -> str:
    """A requirements file is safe where it names nothing of ours, or forbids the index itself."""
    if tree is None or not tree.has(name):
        return "" if "venom" not in name.lower() else "a file of ours from the public index"
    text = tree.text(name)
    if re.search(r"^--no-index$", text, re.MULTILINE):
        return ""
    ours = re.search(r"(?im)^venom(?:[-_][\w-]+)?(?:\[[^\]]*\])?\s*(?:[=<>!~]|$)(?!.*--hash)", text)
    return f"{name} names Venom without a hash" if ours else ""
