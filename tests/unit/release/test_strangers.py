"""A command that may install the stranger of the public index is named; one that cannot is not."""

from __future__ import annotations

import pytest

from tests.unit.checks.planting import Plant
from tools.house import strangers
from tools.house.strangers import unsafe

WHERE = "--no-index --find-links WHEELHOUSE"
BAD = (
    "pip install venom",
    "pip install 'venom[light]'",
    'pip3 install "venom[light]"',
    "pip3.12 install venom",
    "python -m pip install -U venom",
    "sudo python3 -m pip --quiet install --upgrade venom[full]",
    "pip install venom==2026.11.0",
    ".venv/bin/pip install venom",
    "/opt/venom/bin/pip install --no-compile 'venom[light]'",
    "Scripts\\pip.exe install venom",
    "pip --python /opt/venom/bin/python install venom",
    "pip --quiet --log x.log install venom",
    "$PIP install venom",
    '"${PIP}" install venom',
    "$(BIN)/pip install venom",
    'subprocess.run([python, "-m", "pip", "install", "venom[light]"])',
    "pip install 'venom>=2026' requests",
    "pip install requests Venom",
    "pip install venom-ollama",
    "pip install venom_onnx==2026.11.0",
    "pip install 'venom[light] @ file:///x'",
    "pip download venom",
    "pip wheel venom",
    "pip install --no-index venom; pip install venom",
    "pip install --find-links WHEELHOUSE 'venom[light]'",
    "pip install --no-index 'venom[light]' && pip install venom",
    "pip install --extra-index-url https://ours.example/ venom",
    "pip install --index-url https://ours.example/ venom",
    "PIP_FIND_LINKS=WHEELHOUSE pip install venom",
    "pip install dist/venom_ollama-2026.11.0-py3-none-any.whl",
    "pip install plugins/venom_hf",
    "pip install -e plugins/venom_hf",
    "pip install -e .",
    "pip install '.[light]'",
    "pipx install venom",
    "pipx run venom serve",
    "uvx venom",
    "uv pip install venom",
    "uv tool install 'venom[light]'",
    "uv add venom-ollama",
    "poetry add venom",
    "conda install venom",
    "easy_install venom",
    'RUN ["pip", "install", "venom[light]"]',
    "RUN pip install --no-cache-dir venom[light]",
    "      - run: pip install venom",
    "Run `pip install venom[light]` first.",
    '    fix = "Install it with: pip install venom[hf]"',
    '"Install it: pip install venom" = "Zainstaluj: pip install venom"',
    "pip install -r requirements/files/named.txt",
    "pip install --requirement=requirements/files/named.txt",
)
GOOD = (
    f"pip install {WHERE} venom",
    f"pip install {WHERE} 'venom[light]'",
    f"pip install 'venom[light]' {WHERE}",
    "pip install --no-index -f dist/wheelhouse 'venom[light]'",
    "PIP_NO_INDEX=1 PIP_FIND_LINKS=WHEELHOUSE pip install venom",
    "pip install --require-hashes -r WHEELHOUSE/requirements-venom.txt",
    "pip install --find-links WHEELHOUSE -r requirements/files/closed.txt",
    "pip install -r requirements/files/hashed.txt",
    "pip install -r requirements/files/others.txt",
    "python -m pip install --no-deps --editable .",
    "pip install --no-deps dist/venom_ollama-2026.11.0-py3-none-any.whl",
    f"pipx install --pip-args='{WHERE}' venom",
    f"uv pip install {WHERE} 'venom[light]'",
    "pip install ollama",
    "pip install --target venom requests",
    "python3 -m venv venom && . venom/bin/activate",
    "venom plugins install onnx",
    "npm install venom",
    "pip install revenom unvenomed",
    "pip install fastapi, then venom serve",
    "pip uninstall venom",
    "docker run venom pip install requests",
)


@pytest.fixture
def tree(plant: Plant) -> strangers.Tree:
    hashed = f"venom[light]==1 --hash=sha256:{'0' * 64}\n"
    return plant(
        {
            "requirements/files/named.txt": "venom[full]==2026.11.0\n",
            "requirements/files/closed.txt": "--no-index\nvenom[full]==2026.11.0\n",
            "requirements/files/hashed.txt": hashed,
            "requirements/files/others.txt": "venomous==1\nrequests\n",
        }
    )


@pytest.mark.parametrize("command", BAD)
def test_one_that_may_install_the_stranger(command: str, tree: strangers.Tree) -> None:
    assert list(unsafe(command, tree))


@pytest.mark.parametrize("command", GOOD)
def test_one_that_cannot(command: str, tree: strangers.Tree) -> None:
    assert list(unsafe(command, tree)) == []


@pytest.mark.parametrize(
    "name",
    [
        "README.md", "README_PL.md", "docs/install.md", "docs/pl/install.md", "docs/adr/0001-x.md",
        "plugins/venom_hf/README.md", "deploy/Dockerfile", "deploy/Dockerfile.onnx",
        "compose/a.yml", ".github/workflows/ci.yml", "Makefile", "tools/x.sh", "venom_core/x.py",
        "venom_core/language/terminal.pl.toml", "web/lib/texts.ts", "deploy/venom.container",
    ],
)  # fmt: skip
def test_wherever_it_stands(plant: Plant, name: str) -> None:
    """The line is the command's first, also where a backslash carries it on."""
    tree = plant({name: "one\n  pip install \\\n    'venom[light]'\n"})
    (problem,) = strangers.check(tree)
    assert problem.startswith(f"{name}:2: `pip install venom[light]`: ")
    assert problem.endswith("--no-index --find-links WHEELHOUSE")


CONTAINER = """FROM debian AS first
ENV PIP_NO_INDEX=1 \\
    PIP_FIND_LINKS=/wheelhouse
RUN pip install "venom[light]"
FROM first AS second
RUN /opt/venom/bin/pip install "venom[full]"
"""


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("", "", []),
        ("PIP_NO_INDEX=1", "PIP_NO_INDEX=0", [4, 6]),
        ("PIP_FIND_LINKS=/wheelhouse", "OTHER=1", [4, 6]),
        ("FROM first AS second", "FROM debian AS second", [6]),
        ("FROM first", "FROM --platform=linux/arm64 first", []),
        ("ENV PIP", "RUN PIP", [4, 6]),
    ],
)
def test_the_environment_of_a_stage(
    plant: Plant, before: str, after: str, lines: list[int]
) -> None:
    """A container file says it once, and each stage that begins with that one has it."""
    tree = plant({"deploy/Dockerfile": CONTAINER.replace(before, after)})
    found = [int(problem.split(":")[1]) for problem in strangers.check(tree)]
    assert found == lines


@pytest.mark.parametrize("name", ["tests/x.py", "plugins/venom_hf/tests/x.py", "docs/_done/x.md"])
def test_what_is_no_documentation(plant: Plant, name: str) -> None:
    assert strangers.check(plant({name: "pip install venom\n"})) == []
