"""The documentation's checks: a missing heading, a page without its Polish, a dead link."""

from __future__ import annotations

import pytest

from tests.unit.checks.planting import Plant
from tools.house import changelog, contents, docs, parity
from tools.house.markdown import sections
from tools.house.tree import Tree

CORE = {
    "venom_core/__init__.py": "",
    "venom_core/settings/__init__.py": "",
    "venom_core/settings/core.py": (
        "class One:\n    env = 'VENOM_PORT'\ndef declared():\n    return [One]\n"
    ),
    "venom_core/cli/__init__.py": "",
    "venom_core/cli/main.py": (
        "import click\n"
        "@click.group()\ndef cli():\n    '''x'''\n"
        "@cli.group()\ndef keys():\n    '''x'''\n"
        "@keys.command()\ndef create():\n    '''x'''\n"
        "@cli.command(hidden=True)\ndef secret():\n    '''x'''\n"
        "def main():\n    cli()\n"
    ),
    "venom_core/errors.py": (
        "class E(Exception):\n    default_code = 'went_wrong'\n"
        "def f():\n    raise E(code='too_big' if f else 'too_small')\n"
    ),
    "venom_core/pip.py": (
        "_CAUSES = (('No module', 'pip_gone', 'It has none.', 'Get it.'),)\n"
        "def g():\n    return reason('too_late', 'x')\n"
    ),
    "venom_core/reasons.py": "REASONS: dict = {'blocked': 'The user keeps it out.'}\n",
    "venom_core/testing/fake.py": "x = dict(code='never_seen')\n",
    "plugins/venom_acme/venom_acme/__init__.py": "",
    "plugins/venom_acme/venom_acme/plugin.py": (
        "class S:\n    name = 'url'\nclass P:\n    name = 'acme'\n    settings = [S]\n"
        "def venom_providers():\n    return [P]\ndef r():\n    return Reason('acme_down', 'x')\n"
    ),
}
PAGE = """# Title
## `went_wrong`
## `too_big`
## `too_small`
## `pip_gone`
## `too_late`
## `blocked`
## Acme is down {#acme_down}
## `VENOM_PORT`: the port
## `VENOM_ACME__URL`
## `venom keys`
### `venom keys create`
See [the code](#acme_down), [a file](../venom_core/errors.py) and [the port](#venom_port-the-port).
"""
PAGE_PL = PAGE.replace("../", "../../").replace("Title", "Tytuł")


def documented(plant: Plant) -> Tree:
    return plant({**CORE, "docs/a.md": PAGE, "docs/pl/a.md": PAGE_PL})


def test_complete(plant: Plant) -> None:
    assert docs.check(documented(plant)) == []


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("## `went_wrong`", "`went_wrong` for the code that venom_core/errors.py raises"),
        ("## `too_small`", "`too_small`"),
        ("## `pip_gone`", "`pip_gone` for the code that venom_core/pip.py raises"),
        ("## `too_late`", "`too_late`"),
        ("## `blocked`", "`blocked`"),
        ("## Acme is down {#acme_down}", "`acme_down`"),
        ("## `VENOM_PORT`: the port", "`VENOM_PORT` for the setting"),
        ("## `VENOM_ACME__URL`", "`VENOM_ACME__URL` for the setting"),
        ("### `venom keys create`", "`venom keys create` for the command"),
    ],
)
@pytest.mark.parametrize("page", ["docs/a.md", "docs/pl/a.md"])
def test_a_subject_without_a_heading(plant: Plant, page: str, heading: str, said: str) -> None:
    text = documented(plant).text(page)
    assert heading in text
    problems = docs.check(plant({page: text.replace(heading, "## Else")}))
    assert any(problem.startswith(page[:-5]) and said in problem for problem in problems), problems


def test_no_documentation_at_all(plant: Plant) -> None:
    problems = docs.check(plant(CORE))
    assert [problem.split(":")[0] for problem in problems] == ["docs/", "docs/pl/"]


def test_code_that_moved_is_noticed(plant: Plant) -> None:
    """Subjects that cannot be read are a failure, never an empty list."""
    documented(plant)
    problems = docs.check(plant({"venom_core/cli/main.py": "def main():\n    pass\n"}))
    assert "no commands found in the code; did their home move?" in problems
    problems = docs.check(plant({"venom_core/settings/core.py": "broken"}))
    assert any("could not be read: NameError" in problem for problem in problems)


@pytest.mark.parametrize("target", ["gone.md", "#gone", "../README.md#gone", "../venom_core/x.py"])
def test_dead_links(plant: Plant, target: str) -> None:
    documented(plant)
    tree = plant({"README.md": "# Venom\n[docs](docs/a.md#too_big)\n"})
    assert docs.check(tree) == []
    (problem,) = docs.check(plant({"docs/a.md": f"{PAGE}\n[x]({target})\n"}))
    assert target in problem


NAV = '[[sections]]\nen = "Use"\npl = "Używanie"\npages = ["a", "openapi"]\n'


def test_the_contents_are_complete(plant: Plant) -> None:
    documented(plant)
    assert contents.check(plant({"docs/nav.toml": NAV})) == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"docs/b.md": "# B\n"}, 'docs/b.md: in no section of docs/nav.toml: add the line "b"'),
        ({"docs/adr/index.md": "# D\n"}, 'add the line "adr/index"'),
        ({"docs/nav.toml": NAV.replace('"a"', '"a", "gone"')}, "write docs/gone.md"),
        ({"docs/nav.toml": NAV.replace('"a"', '"a", "a"')}, "2 times"),
        ({"docs/nav.toml": "pages = 1"}, "cannot be read"),
    ],
)
def test_a_page_that_nobody_finds(plant: Plant, files: dict[str, str], said: str) -> None:
    documented(plant)
    (problem,) = contents.check(plant({"docs/nav.toml": NAV, **files}))
    assert said in problem


def test_no_contents(plant: Plant) -> None:
    (problem,) = contents.check(documented(plant))
    assert problem.startswith("docs/nav.toml: missing")


ENGLISH = {
    "README.md": "# Venom\nOne sentence that says what it is.\n## Install {#install}\nRun it.\n",
    "docs/a.md": "# Engines\nEvery engine is a process of its own.\n\n## `VENOM_PORT`\n8366\n",
}
POLISH = {
    "README_PL.md": "# Venom\nJedno zdanie: co to jest.\n## Instalacja {#install}\nUruchom.\n",
    "CONTRIBUTING.md": "# Contributing\nHow a change comes in.\n",
    "CONTRIBUTING_PL.md": "# Współtworzenie\nJak wchodzi zmiana.\n",
    "docs/pl/a.md": "# Silniki\nKażdy silnik jest osobnym procesem.\n\n## `VENOM_PORT`\n8366\n",
}


def test_parity(plant: Plant) -> None:
    assert parity.check(plant({**ENGLISH, **POLISH, "docs/adr/0001.md": "# Why\n"})) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("docs/pl/a.md", "Każdy silnik jest osobnym procesem.",
         "Every engine is a\nprocess of its own.", "not translated"),
        ("docs/pl/a.md", "## `VENOM_PORT`\n", "", "1 headings, but 2"),
        ("docs/pl/a.md", "`VENOM_PORT`", "`VENOM_HOST`", "stands where"),
        ("docs/pl/a.md", "## `VENOM", "### `VENOM", "stands where"),
        ("README_PL.md", "{#install}", "{#instalacja}", "stands where"),
    ],
)  # fmt: skip
def test_not_in_parity(plant: Plant, name: str, before: str, after: str, said: str) -> None:
    assert before in POLISH[name]
    (problem,) = parity.check(
        plant({**ENGLISH, **POLISH, name: POLISH[name].replace(before, after)})
    )
    assert problem.startswith(name)
    assert said in problem


def test_a_page_in_one_language(plant: Plant) -> None:
    tree = plant({**ENGLISH, **POLISH, "docs/sub/b.md": "# B\n", "docs/pl/c.md": "# C\n"})
    assert parity.check(tree) == [
        "docs/pl/sub/b.md: missing",
        "docs/pl/c.md: its English page is missing",
    ]


RELEASE = {
    "venom_core/_version.py": '__version__ = "2026.11.0"\n',
    "CHANGELOG.md": "# Changes\n## 2026.11.0\n### Added\nEverything.\n",
    "changelog.d/README.md": "# Fragments\n",
    "changelog.d/page.added.md": "A page.\n",
}


def test_changelog(plant: Plant) -> None:
    assert changelog.check(plant(RELEASE)) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("venom_core/_version.py", '__version__ = "2026.12.0"\n', "the newest entry"),
        ("CHANGELOG.md", "# Changes\n", "the newest entry is missing"),
        ("CHANGELOG.md", "# Changes\n## 2026.11.0\n### Added\n", "is empty"),
        ("changelog.d/note.txt", "x", "a fragment is named"),
    ],
)
def test_changelog_out_of_date(plant: Plant, name: str, text: str, said: str) -> None:
    (problem,) = changelog.check(plant({**RELEASE, name: text}))
    assert said in problem


def test_no_changelog(plant: Plant) -> None:
    assert changelog.check(plant({"a.md": ""})) == ["CHANGELOG.md: missing"]


def test_headings_inside_code_are_no_headings() -> None:
    text = "# A\n```sh\n# comment\n```\n## B\n~~~\n## no\n~~~\ntext\n"
    assert [(one.title, one.prose) for one in sections(text)] == [("A", ""), ("B", "text")]
