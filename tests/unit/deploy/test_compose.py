"""Rules of the compose files and of the Dockerfile, each shown red by a break of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.containers.images import NOT_RUN, tag_of, targets
from venom_core.settings.profiles import PROFILES

ROOT = Path(__file__).resolve().parents[3]
FILES = {path.name.split(".")[1]: path for path in (ROOT / "compose").glob("compose.*.yml")}
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
PROFILE_OF = {"minimal": "light", "onnx": "light", "llm_off": "llm_off", "full": "full"}
SECRET = re.compile(r"KEY(?!_FILE)|TOKEN|PASSWORD|SECRET")


def problems(compose: dict[str, Any]) -> list[str]:
    """Return what a compose file breaks."""
    found = []
    for name, service in compose["services"].items():
        ours = service["image"].removeprefix("localhost/")
        is_ours = service["image"].startswith("localhost/")
        if is_ours and (ours not in targets() or service["build"]["target"] != ours):
            found.append(f"{name}: {service['image']} is no target of the Dockerfile")
        if service.get("cap_drop") != ["ALL"]:
            found.append(f"{name}: keeps capabilities")
        if "no-new-privileges:true" not in service.get("security_opt", []):
            found.append(f"{name}: may gain privileges")
        if any(service.get(word) for word in ("privileged", "network_mode", "pid", "cap_add")):
            found.append(f"{name}: reaches into its host")
        if any("docker.sock" in str(volume) for volume in service.get("volumes", [])):
            found.append(f"{name}: has Docker's socket")
        found += [
            f"{name}: {port} is open to others"
            for port in service.get("ports", [])
            if not port.startswith("127.0.0.1:")
        ]
        found += [
            f"{name}: {variable} holds a secret"
            for variable in service.get("environment", {})
            if SECRET.search(variable)
        ]
        if service.get("ports") and "healthcheck" not in service:
            found.append(f"{name}: nobody sees whether it is well")
        if is_ours and not (service.get("read_only") and service.get("tmpfs") == ["/tmp"]):
            found.append(f"{name}: its root can be written")
        if is_ours and "data:/data" not in service.get("volumes", []):
            found.append(f"{name}: loses its data")
    return found


def read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(FILES[name].read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_keeps_the_rules(name: str) -> None:
    assert problems(read(name)) == []


BREAKS: dict[str, dict[str, Any]] = {
    "is no target": {"image": "localhost/venom-backend-heavy"},
    "keeps capabilities": {"cap_drop": []},
    "may gain privileges": {"security_opt": []},
    "reaches into its host": {"network_mode": "host"},
    "has Docker's socket": {"volumes": ["/var/run/docker.sock:/var/run/docker.sock", "data:/data"]},
    "is open to others": {"ports": ["8366:8366"]},
    "holds a secret": {"environment": {"HF_TOKEN": "x"}},
    "nobody sees": {"healthcheck": None},
    "can be written": {"read_only": False},
    "loses its data": {"volumes": []},
}


@pytest.mark.parametrize("said", BREAKS)
def test_a_broken_rule_is_named(said: str) -> None:
    compose = read("minimal")
    service = {**compose["services"]["venom"], **BREAKS[said]}
    service = {key: value for key, value in service.items() if value is not None}
    [problem] = problems({"services": {"venom": service}})
    assert said in problem


def test_there_is_a_file_for_each_way_to_run() -> None:
    assert sorted(FILES) == sorted(PROFILE_OF)
    for name, profile in PROFILE_OF.items():
        said = read(name)["services"]["venom"]["environment"]
        wanted = PROFILES[profile].environment
        assert dict(wanted).items() <= said.items(), name


def test_what_was_never_started_says_so() -> None:
    assert "# Not run: " in DOCKERFILE.partition("FROM engines AS venom-full")[0]
    text = FILES["full"].read_text(encoding="utf-8")
    assert text.startswith("# not run:") and NOT_RUN == ("venom-full",)
    assert tag_of("venom-full").startswith(read("full")["services"]["venom"]["image"])


def dockerfile_problems(text: str) -> list[str]:
    """Return what a Dockerfile breaks."""
    found = []
    users = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    if not users or not re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", users[-1]):
        found.append("root runs it")
    commands = re.findall(r"^\s*(?:CMD|ENTRYPOINT) (.+)$", text, re.MULTILINE)
    if not all(said.startswith("[") for said in commands):
        found.append("a shell is needed")
    if "HEALTHCHECK" not in text or "/healthz" not in text:
        found.append("nobody sees whether it is well")
    if "VOLUME /data" not in text or "VENOM_HOME=/data" not in text:
        found.append("its data is lost")
    if re.search(r"pull |\.gguf|huggingface", text):
        found.append("weights are inside")
    if any("--no-compile" not in line for line in re.findall(r"pip install.*", text)):
        found.append("bytecode is inside")
    if "PIP_NO_INDEX=1" not in text or "sha256sum --check" not in text:
        found.append("its packages are anybody's")
    light = re.search(r"^FROM wheels AS light\n((?:.+\n)+)", text, re.MULTILINE)
    if light is None or '"venom[light]"' not in light[1] or "setuptools pip" not in light[1]:
        found.append("light is not light")
    if not re.search(r"^FROM base AS venom-backend-light$", text, re.MULTILINE):
        found.append("light is not light")
    return found


def test_the_dockerfile_keeps_the_rules() -> None:
    assert dockerfile_problems(DOCKERFILE) == []
    assert targets() == [
        "venom-backend-light", "venom-backend-embedded", "venom-backend-onnx", "venom-full",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("USER 10001:10001", "USER root", "root runs it"),
        ('CMD ["serve"]', "CMD serve", "a shell is needed"),
        ("/healthz", "/", "nobody sees whether it is well"),
        ("VENOM_HOME=/data", "VENOM_HOME=/opt", "its data is lost"),
        ("WORKDIR /data", "RUN venom pull gemma3:4b", "weights are inside"),
        ("pip install --no-compile", "pip install", "bytecode is inside"),
        ("PIP_NO_INDEX=1 ", "", "its packages are anybody's"),
        ('"venom[light]"', '"venom[embedded]"', "light is not light"),
        ("FROM base AS venom-backend-light", "FROM engines AS venom-backend-light", "light is not"),
    ],
)
def test_a_broken_dockerfile_is_named(good: str, bad: str, said: str) -> None:
    broken = DOCKERFILE.replace(good, bad)
    assert broken != DOCKERFILE
    assert any(said in one for one in dockerfile_problems(broken))
