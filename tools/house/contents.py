"""Every page of the documentation stands once in docs/nav.toml, and every line there is a page.

The built site, the server's list of contents and llms.txt are made from that file: a page that is
not in it is found by nobody.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator

from tools.house.docs import pages
from tools.house.tree import Tree

FILE = "docs/nav.toml"
#: Pages in one language that stand in the contents, and the one that is made from the API.
ALSO = ("docs/adr/index.md", "docs/plugins/sdk.md")
MADE = "openapi"


def check(tree: Tree) -> list[str]:
    if not tree.has(FILE):
        return [f"{FILE}: missing; it names the sections of the documentation and their pages"]
    try:
        sections = tomllib.loads(tree.text(FILE))["sections"]
        listed = [name for section in sections for name in section["pages"]]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as fault:
        return [f"{FILE}: cannot be read: {fault}"]
    return list(_problems(tree, listed))


def _problems(tree: Tree, listed: list[str]) -> Iterator[str]:
    for name, count in Counter(listed).items():
        if name != MADE and not tree.has(f"docs/{name}.md"):
            yield f'{FILE}: "{name}" is no page: take its line out, or write docs/{name}.md'
        if count > 1:
            yield f'{FILE}: "{name}" stands there {count} times: keep one of its lines'
    for page in [*pages(tree, "docs"), *(name for name in ALSO if tree.has(name))]:
        name = page.removeprefix("docs/").removesuffix(".md")
        if name not in listed:
            yield f'{page}: in no section of {FILE}: add the line "{name}", to the one it is of'
