"""The core declares what it imports and imports what it declares."""

from __future__ import annotations

import re
import sys
import tomllib

from tools.house.imports import imported
from tools.house.tree import Tree

# uvicorn finds these two by name and is twice as fast with them.
FOUND_BY_NAME = {"uvloop", "httptools"}
# Distributions whose module has another name.
OTHER_NAMES = {"markdown_it_py": "markdown_it", "python_dotenv": "dotenv"}
# The kit for plugin authors is used inside their tests; the `testing` extra brings these.
KIT_ONLY = {"pytest", "pytest_asyncio", "hypothesis"}

#: Of an engine's own interpreter, where these modules are used: what an engine's plugin declares.
ENGINE_ONLY = {
    "venom_core/sdk/chat_template.py": "jinja2",
    "venom_core/sdk/fast_tokenizer.py": "tokenizers",
}
#: Brought by an extra of the core, and done without where it is not there: module -> extra.
OPTIONAL = {"venom_core/sdk/nvml.py": ("pynvml", "nvidia")}


def check(tree: Tree) -> list[str]:
    if not tree.has("pyproject.toml"):
        return ["pyproject.toml: missing"]
    project = tomllib.loads(tree.text("pyproject.toml"))["project"]
    declared = {_module(text) for text in project["dependencies"]}
    used: dict[str, str] = {}
    for name in tree.matching(".py", under="venom_core"):
        for line, module in imported(tree.nodes(name)):
            top = module.split(".")[0]
            kit = name.startswith("venom_core/testing/") and top in KIT_ONLY
            optional, extra = OPTIONAL.get(name, ("", ""))
            brought = optional == top and extra in project.get("optional-dependencies", {})
            apart = kit or brought or ENGINE_ONLY.get(name) == top
            if top not in sys.stdlib_module_names and top != "venom_core" and not apart:
                used.setdefault(top, f"{name}:{line}")
    problems = [
        f"{place}: imports {module}, which pyproject.toml does not declare"
        for module, place in sorted(used.items())
        if module not in declared
    ]
    return problems + [
        f"pyproject.toml: {module} is declared and never imported; take it out"
        for module in sorted(declared - set(used) - FOUND_BY_NAME)
    ]


def _module(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    module = name.group(0).replace("-", "_").lower() if name else requirement
    return OTHER_NAMES.get(module, module)
