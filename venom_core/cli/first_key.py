"""The first key: made where none ever was, so that a server in a container can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venom_core.cli.terminal import say
from venom_core.cli.wording import words

if TYPE_CHECKING:
    from venom_core.api.signin_links import SignInLinks
    from venom_core.composition import Venom

NAME = "first"
FILE = "first-key"


def make_first_key(venom: Venom) -> str | None:
    """Make a key that may do everything, and write it into a file of its owner's in the data
    directory; return its id. None where there is, or ever was, a key.

    Raises:
        StorageError: the data directory cannot be written.
    """
    from venom_core.sdk.disk import write_file
    from venom_core.store.audit import Actor
    from venom_core.store.keys import KeyRights

    if venom.settings.core.api_key_file or (venom.store.exists() and venom.store.keys().list()):
        return None
    paths = venom.settings.paths
    paths.make(paths.home)
    text, key = venom.store.keys().create(NAME, KeyRights(), Actor.local())
    write_file(paths.home / FILE, f"{text}\n")
    return key.id


def print_first_key(links: SignInLinks, venom: Venom, url: str, key_id: str) -> None:
    """Print the address that signs a browser in, once, and where the key is."""
    # Imported here: a server that makes no key needs neither.
    from venom_core.api.signin_links import LINK_SECONDS, link_path

    say(f"  Sign in          {url}{link_path(links.make(key_id))}")
    minutes = LINK_SECONDS // 60
    print(f"  {words(f'works once, within {minutes} minutes; another: venom keys link {key_id}')}")
    say(f"  Key for tools    {venom.settings.paths.home / FILE}")
