"""Models that could be fetched: catalogues, what is in demand, searches, news."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import JSONResponse, Response

from venom_core.api.health import venom_of
from venom_core.api.language import in_language, language_headers, language_of, localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.models.shapes import Limit
from venom_core.models.catalogue_views import CardView, EntryList, NewsView, SearchView
from venom_core.sdk.catalogue import SearchFilters, SearchSort, WeightFormat
from venom_core.sdk.errors import InvalidRequest
from venom_core.usecases.catalogue import TrendingResult

router = keyed_router()

Name = Annotated[str, Query(min_length=1, max_length=50)]
Word = Annotated[str | None, Query(min_length=1, max_length=100)]

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_KINDS: dict[str, Literal["blog", "papers"]] = {"blog": "blog", "papers": "papers"}
_LANGUAGES = ("en", "pl", "de")


@router.get("/models/providers")
@answers(EntryList)
async def list_providers(
    request: Request, provider: Name | None = None, limit: Limit = 20
) -> Response:
    """Return what each provider offers; a source that fails is stale, never an error."""
    return localized(request, await venom_of(request).catalogue.providers(provider, limit))


@router.get("/models/trending")
@answers(TrendingResult)
async def list_trending(
    request: Request, provider: Name | None = None, limit: Limit = 12
) -> Response:
    """Return the models in demand."""
    return localized(request, await venom_of(request).catalogue.trending(provider, limit))


@router.get("/models/news")
@answers(NewsView)
async def list_news(
    request: Request,
    provider: Name = "huggingface",
    limit: Limit = 5,
    type: str = "blog",  # noqa: A002 - the contract's name
    month: str | None = None,
    lang: str = "en",
) -> Response:
    """News and papers, in the language that their source has them in."""
    kind = _KINDS.get(type)
    if kind is None:
        raise _unusable("type", f"{type!r} is not a kind of news.", "Choose one of: blog, papers")
    if month is not None and not _MONTH.fullmatch(month):
        raise _unusable("month", f"{month!r} is not a month.", "Write it as 2026-11.")
    if lang not in _LANGUAGES:
        raise _unusable(
            "lang", f"{lang!r} is not a language of the news.", "Choose one of: en, pl, de"
        )
    view = await venom_of(request).catalogue.news(provider, kind, month, lang, limit)
    language = language_of(request.scope)
    # Other people's words are not ours to translate.
    body = {**in_language({**view, "items": []}, language), "items": view["items"]}
    return JSONResponse(body, headers=language_headers(language))


@router.get("/models/search")
@answers(SearchView)
async def search_models(
    request: Request,
    query: Annotated[str, Query(min_length=2, max_length=200)],
    provider: Name = "huggingface",
    limit: Limit = 10,
    page: Annotated[int, Query(ge=1, le=200)] = 1,
    author: Word = None,
    format: WeightFormat | None = None,  # noqa: A002 - what people call it
    license: Word = None,  # noqa: A002 - what people call it
    task: Word = None,
    sort: SearchSort | None = None,
) -> Response:
    """Models of a source's catalogue."""
    filters = SearchFilters(author, format, license, task, sort)
    catalogue = venom_of(request).catalogue
    return localized(request, await catalogue.search(provider, query, filters, limit, page))


@router.get("/models/{name:path}/card")
@answers(CardView)
async def model_card(request: Request, name: str) -> Response:
    """Return a model as its source describes it before it is fetched: files, licence, terms."""
    return localized(request, await venom_of(request).catalogue.card(name))


def _unusable(param: str, message: str, fix: str) -> InvalidRequest:
    return InvalidRequest(message, param=param, fix=fix)
