"""The check that every command which somebody is told to run is one that there is."""

from __future__ import annotations

import pytest

from tests.unit.checks.planting import Plant
from tools.house import commands

PLUGIN = "plugins/venom_acme/"
CORE = {
    "venom_core/__init__.py": "",
    "venom_core/cli/__init__.py": "",
    "venom_core/cli/main.py": """
import click
@click.group()
def cli(): ...
@cli.command()
@click.argument("name")
@click.option("--yes", is_flag=True)
def rm(name, yes): ...
@cli.command()
@click.option("--port", type=int)
@click.option("--profile", type=click.Choice(["light", "full"]))
def serve(port, profile): ...
@cli.command()
def doctor(): ...
@cli.group()
def keys(): ...
@keys.command()
@click.argument("name")
def create(name): ...
@cli.group(invoke_without_command=True)
def plugins(): ...
@plugins.command()
@click.argument("name")
def install(name): ...
def main(): ...
""",
}


def problems(plant: Plant, **files: str) -> list[str]:
    named = {name.replace("__", "/"): text for name, text in files.items()}
    return commands.check(plant({**CORE, "venom_core/b.py": "x = 'venom doctor'\n", **named}))


def of_fix(plant: Plant, fix: str) -> list[str]:
    return [line.partition(": ")[2] for line in problems(plant, **{
        "venom_core/a.py": f"raise E('x', fix={fix})\n"
    })]  # fmt: skip


@pytest.mark.parametrize(
    ("fix", "said"),
    [
        ("'venom docter'", "There is no command 'docter'|No such command 'docter'"),
        ("'Make one: venom keys make NAME'", "No such command 'make'"),
        ("'Remove it: venom rm'", "Missing argument 'NAME'"),
        ("'Look with: venom rm. Or do not.'", "Missing argument 'NAME'"),
        ("f'Remove it: venom rm {name} --force'", "No such option '--force'|--force"),
        ("'Start it: venom serve --profile dark'", "'dark' is not one of"),
        ("'Two of them: venom rm A B'", "unexpected extra argument"),
        ("'It is venom keys that makes one.'", "it needs a command"),
        ("'venom plugins instal acme'", "No such command 'instal'"),
        ("'First venom doctor, then: venom keys'", "it needs a command"),
    ],
)
def test_a_command_that_there_is_not(plant: Plant, fix: str, said: str) -> None:
    found = of_fix(plant, fix)
    assert len(found) == 1 and any(word in found[0] for word in said.split("|")), found


@pytest.mark.parametrize(
    "fix",
    [
        "'venom doctor'",
        "'venom doctor shows whether it runs.'",
        "'Try again; venom doctor says more.'",
        "f'Stop it ({stop}), then: venom serve --port {port} (0 takes a free one)'",
        "f'Remove it: venom rm {name} --yes'",
        "f'Choose one: venom serve --profile {name}'",
        "'Make room (venom rm NAME), or venom doctor.'",
        "f'Install it: venom plugins install {name}'",
        "'See: venom plugins'",
        "'Remove it: venom rm A && venom doctor'",
        "'Help: venom serve --help'",
        "'The venomous are not meant.'",
    ],
)
def test_commands_that_there_are_and_what_is_prose_behind_them(plant: Plant, fix: str) -> None:
    assert of_fix(plant, fix) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{PLUGIN}venom_acme/client.py", "raise E('x', fix='Try: venom docter')\n"),
        (f"{PLUGIN}venom_acme/sentences.pl.toml", '"x" = "Spróbuj: venom docter"\n'),
        ("venom_core/language/terminal.pl.toml", '"x" = "Spróbuj: venom docter"\n'),
        (f"{PLUGIN}pyproject.toml", '[tool.venom.first_step]\nthen = ["venom docter"]\n'),
        ("docs/cli.md", "```bash\n.venv/bin/venom docter | jq .\n```\n"),
        ("README.md", "```bash\n$ VENOM_PORT=1 venom docter\n```\n"),
    ],
)
def test_every_place_that_names_commands_is_read(plant: Plant, name: str, text: str) -> None:
    (found,) = commands.check(plant({**CORE, name: text}))
    assert found.startswith(f"{name}: venom docter: ")


def test_the_name_of_who_holds_the_lock_is_nothing_to_type(plant: Plant) -> None:
    code = "with connected('venom keys create', writes=True): ...\n"
    assert problems(plant, **{"venom_core/cli/commands/keys.py": code}) == []


def test_sentences_that_moved_are_noticed(plant: Plant) -> None:
    assert "no command found" in commands.check(plant(CORE))[0]
