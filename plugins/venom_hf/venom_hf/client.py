"""``HuggingFaceClient``: the Hub's API through ``huggingface_hub``. Every method blocks.

The library is imported when it is first used. Its own listings try a question that failed again
for up to half a minute, asleep meanwhile; questions are asked once here, over the library's session
and with its headers and errors, so that a dead network is told at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

from venom_core.sdk.catalogue import (
    CatalogueEntry,
    RepositoryCard,
    RepositoryFile,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.errors import InvalidRequest, ModelNotFound, UpstreamError
from venom_core.sdk.hub_download import ANOTHER_PROGRAM
from venom_core.sdk.hub_files import DEFAULT_REVISION, HubRef, gguf_groups
from venom_core.sdk.masking import keep_secret
from venom_hf.hub_model import HubModel
from venom_hf.refusals import offline, refusal
from venom_hf.weights import Choice, choose, why_not

OFFICIAL: Final = "https://huggingface.co"
MAX_ANSWER_BYTES = 32 * 1024 * 1024
MAX_PAGES = 10
LONGEST_PAGE = 500
LIBRARY: Final = "venom"
_EXPAND = (
    "author", "cardData", "downloads", "gated", "lastModified", "likes", "pipeline_tag",
    "safetensors", "tags",
)  # fmt: skip
_SORTS: Final = {
    "trending": "trendingScore",
    "downloads": "downloads",
    "likes": "likes",
    "updated": "lastModified",
}
#: What a machine of one's own can answer with; the Hub's own list is full of image models.
_TASKS = frozenset(
    {"text-generation", "image-text-to-text", "any-to-any", "feature-extraction",
     "sentence-similarity", "translation", "summarization"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """The files of a pull. ``revision`` is the name that was asked for."""

    repo: str
    commit: str
    revision: str
    choice: Choice


def tell_nothing() -> None:
    """Keep the library from telling the Hub what else is installed and who calls it: to find that
    out it asks huggingface.co itself, also where a mirror is set."""
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True


class HuggingFaceClient:
    """The Hub at one address.

    Args:
        endpoint: ``https://huggingface.co`` or a mirror of it.
        token: sent to the endpoint and nowhere else; None takes the one that ``hf auth login``
            stored, for huggingface.co alone.
        timeout: seconds of each silence of the Hub.
    """

    def __init__(self, endpoint: str, token: str | None, *, offline: bool, timeout: float) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.timeout = timeout
        self._token = (token or "").strip() or None
        self._offline = offline

    def token(self) -> str | None:
        """Return the token to send to the endpoint, None for none."""
        if self._token is None and self.endpoint == OFFICIAL:
            from huggingface_hub import get_token

            token = get_token()  # of a file, which the settings know nothing of
            keep_secret(token)
            return token
        return self._token

    # -- the catalogue -----------------------------------------------------------------------

    def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        wanted = limit * page
        rows, complete = self._models(search_parameters(query, filters), wanted)
        entries = tuple(entry_of(row) for row in rows[wanted - limit : wanted])
        return SearchPage(entries, len(rows) if complete else None)

    def trending(self, limit: int) -> tuple[CatalogueEntry, ...]:
        """Return models in demand now; by downloads where a mirror knows no such order."""
        # Some of them are no models to talk with: more are asked for than are given.
        wanted = min(limit * 3, LONGEST_PAGE)
        try:
            rows, _ = self._models({"sort": _SORTS["trending"]}, wanted)
        except UpstreamError:
            rows, _ = self._models({"sort": _SORTS["downloads"]}, wanted)
        fitting = [row for row in rows if row.task is None or row.task in _TASKS]
        return tuple(entry_of(row) for row in fitting[:limit])

    def _models(self, parameters: Mapping[str, Any], wanted: int) -> tuple[list[HubModel], bool]:
        """Return rows of ``/api/models``, and whether there are no others. More than ``MAX_PAGES``
        pages are not read."""
        url: str | None = f"{self.endpoint}/api/models"
        asked: Mapping[str, Any] | None = {
            **parameters, "limit": min(wanted, LONGEST_PAGE), "expand": list(_EXPAND),
        }  # fmt: skip
        rows: list[HubModel] = []
        for _ in range(MAX_PAGES):
            if not url or len(rows) >= wanted:
                break
            found, url = self._page(url, asked)
            asked = None  # the address of the next page has them
            models = [model for row in found if (model := HubModel.of(row)) is not None]
            if found and not models:
                raise refusal(TypeError("no models"))
            rows += models
        return rows, url is None

    # -- one model ---------------------------------------------------------------------------

    def card(self, ref: HubRef) -> RepositoryCard:
        info = self._info(ref)
        files = info.files
        try:
            taken = choose(files, ref)
        except (ModelNotFound, InvalidRequest):
            if ref.label is not None:
                raise
            taken = None  # there is something to show, if nothing to fetch without a choice
        names = {file.name for file in taken.files} if taken else set()
        labels = {
            name: label
            for label, members in gguf_groups([file.name for file in files]).items()
            for name in members
        }
        return RepositoryCard(
            entry=entry_of(info, ref=str(ref), size_bytes=_weight_bytes(taken)),
            commit=info.sha,
            files=tuple(
                RepositoryFile(
                    file.name, file.size_bytes, file.sha256, file.name in names,
                    why_not(file.name, file.size_bytes),
                    str(replace(ref, label=labels[file.name])) if file.name in labels else None,
                )
                for file in files
            ),
            download_bytes=taken.size_bytes if taken else None,
            terms_url=f"{self.endpoint}/{ref.repo}" if info.gated else None,
        )  # fmt: skip

    def plan(self, ref: HubRef) -> Plan:
        """Return what a pull of ``ref`` fetches, its revision pinned to the commit it stands for
        now."""
        info = self._info(ref)
        if not info.sha:
            raise UpstreamError(
                "Hugging Face does not say which commit this is.", fix=ANOTHER_PROGRAM
            )
        revision = ref.revision or DEFAULT_REVISION
        return Plan(ref.repo, info.sha, revision, choose(info.files, ref))

    def _info(self, ref: HubRef) -> HubModel:
        revision = f"/revision/{quote(ref.revision, safe='')}" if ref.revision else ""
        url = f"{self.endpoint}/api/models/{ref.repo}{revision}"
        body, _ = self._get(url, {"blobs": "true"}, repo=ref.repo)
        try:
            model = HubModel.of(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise refusal(error) from error
        if model is None:
            raise refusal(TypeError("no model"))
        return model

    # -- the wire ----------------------------------------------------------------------------

    def file(self, repo: str, commit: str, name: str) -> str:
        """Return a small text file of a repository."""
        return self._get(f"{self.endpoint}/{repo}/resolve/{commit}/{name}", None, repo=repo)[
            0
        ].decode("utf-8", "replace")

    def text(self, path: str) -> str:
        """Return the text at a path of the endpoint, without the token: it is public."""
        return self._get(f"{self.endpoint}{path}", None, authorized=False)[0].decode("utf-8")

    def rows(self, path: str, parameters: Mapping[str, Any]) -> list[Any]:
        """Return a JSON list of the endpoint."""
        return self._page(f"{self.endpoint}{path}", parameters)[0]

    def _page(self, url: str, parameters: Mapping[str, Any] | None) -> tuple[list[Any], str | None]:
        body, following = self._get(url, parameters)
        try:
            rows = json.loads(body)
        except ValueError as error:
            raise refusal(error) from error
        if not isinstance(rows, list):
            raise refusal(TypeError("no list"))
        return rows, following

    def _get(
        self,
        url: str,
        parameters: Mapping[str, Any] | None,
        *,
        authorized: bool = True,
        repo: str | None = None,
    ) -> tuple[bytes, str | None]:
        """Return a body, and the address of the next page. Raises what an answer but 200 stands
        for."""
        self._check_online()
        from huggingface_hub import get_session
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

        tell_nothing()
        token = self.token() if authorized else None
        headers = build_hf_headers(token=token or False, library_name=LIBRARY)
        body = bytearray()
        try:
            with get_session().stream(
                "GET", url, params=parameters, headers=headers, timeout=self.timeout
            ) as response:
                if response.status_code >= 300:
                    response.read()
                hf_raise_for_status(response)
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER_BYTES:
                        raise UpstreamError(
                            "Hugging Face's answer is too large.", fix=ANOTHER_PROGRAM
                        )
                following = response.links.get("next", {}).get("url")
        except Exception as error:
            raise refusal(error, repo) from error
        if following is not None:
            following = urljoin(url, following)
            # The token goes with it: to the same place only.
            if _origin(following) != _origin(self.endpoint):
                following = ""  # there are others, which are not asked for
        return bytes(body), following

    def _check_online(self) -> None:
        if self._offline:
            raise offline()


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def search_parameters(query: str, filters: SearchFilters) -> dict[str, Any]:
    """Return a search as ``/api/models`` takes it."""
    tags: list[str] = [filters.format] if filters.format else []
    tags += [f"license:{filters.license.lower()}"] if filters.license else []
    parameters: dict[str, Any] = {"search": query}
    if tags:
        parameters["filter"] = tags
    if filters.author:
        parameters["author"] = filters.author
    if filters.task:
        parameters["pipeline_tag"] = filters.task
    if filters.sort:
        parameters["sort"] = _SORTS[filters.sort]
    return parameters


def entry_of(
    model: HubModel, *, ref: str | None = None, size_bytes: int | None = None
) -> CatalogueEntry:
    """Return a model as listings show it."""
    gguf = "gguf" in model.tags
    return CatalogueEntry(
        ref=ref or model.id,
        title=model.id.rpartition("/")[2],
        size_bytes=size_bytes if size_bytes is not None or gguf else model.tensor_bytes,
        runtime="llamacpp" if gguf else "vllm" if model.has_tensors else None,
        tags=tuple(([model.task] if model.task else []) + list(model.tags))[:20],
        downloads=model.downloads,
        likes=model.likes,
        license=model.license,
        gated=model.gated,
        updated_at=model.updated_at,
    )


def _weight_bytes(choice: Choice | None) -> int | None:
    if choice is None:
        return None
    ending = ".gguf" if choice.kind == "gguf" else ".safetensors"
    return sum(file.size_bytes for file in choice.files if file.name.lower().endswith(ending))
