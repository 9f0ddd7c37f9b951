"""The addresses of the pages: search, articles, the library, citations, status, the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from kb.schema.article import article_path
from kb.schema.citation_formats import FORMATS, Reference
from search_api.http.parts import part
from search_api.http.problem_kinds import KINDS, NO_ARTICLE_MESSAGE
from search_api.openapi.curl import curl_commands
from search_api.pages.article_page import cited_passage, find_within, found_words, related_articles
from search_api.pages.blocks import blocks
from search_api.pages.library_page import library_page
from search_api.pages.rendering import Templates
from search_api.pages.search_page import search_page
from search_api.pages.search_state import SearchState, parameter
from search_api.pages.status_page import status_page
from search_api.state.live import Live
from search_api.state.settings import Settings

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


async def form_fields(request: Request) -> QueryParams:
    """The fields of a form sent as a body, which is bounded by the guard."""
    return QueryParams((await request.body()).decode(errors="replace"))


Form = Annotated[QueryParams, Depends(form_fields)]


@router.get("/")
def home(request: Request, live: Live) -> HTMLResponse:
    """The box alone, or the answer to `q`."""
    with live.use() as knowledge_base:
        status, values = search_page(knowledge_base, SearchState.read(request.query_params))
        return HTMLResponse(_templates(request).render("search.html", **values), status)


@router.post("/answers")
def answers(request: Request, fields: Form, live: Live) -> HTMLResponse:
    """The parts of that page which change with the question, for the page's own script."""
    with live.use() as knowledge_base:
        status, values = search_page(knowledge_base, SearchState.read(fields))
        return HTMLResponse(_templates(request).render("answers.html", **values), status)


@router.get("/articles")
def library(request: Request, live: Live) -> HTMLResponse:
    """All articles, A to Z, by topic or by source."""
    with live.use() as knowledge_base:
        values = library_page(knowledge_base, request.query_params)
        return HTMLResponse(_templates(request).render("library.html", **values))


@router.get("/articles/{article_id:path}")
def article_page(request: Request, article_id: str, live: Live) -> HTMLResponse:
    """The whole article, with the passage highlighted that the address cites, or the words it looks for."""
    query = request.query_params
    section_id, wanted = parameter(query, "section"), parameter(query, "find") or ""
    with live.use() as knowledge_base:
        article = knowledge_base.article(article_id)
        cited = cited_passage(
            *(article, section_id, parameter(query, "start"), parameter(query, "end")),
            words=parameter(query, "words") or "",
        )
        marks = {cited[0]: [cited[1]]} if cited else found_words(article, wanted)
        page = _templates(request).render(
            "article.html",
            article=article,
            sections=[
                (part, blocks(part.text, marks.get(part.id, []))) for part in article.sections
            ],
            cited_section=cited[0] if cited else None,
            found=find_within(knowledge_base, article, wanted),
            related=related_articles(knowledge_base, article),
        )
    return HTMLResponse(page)


@router.post("/found")
def found(request: Request, fields: Form, live: Live) -> HTMLResponse:
    """What is found within an article, for its page's own script."""
    with live.use() as knowledge_base:
        article = knowledge_base.article(parameter(fields, "article") or "")
        within = find_within(knowledge_base, article, parameter(fields, "find") or "")
        return HTMLResponse(_templates(request).render("found.html", found=within))


@router.get("/cite")
def citation(request: Request, live: Live) -> HTMLResponse:
    """A section of an article, or all of it, as a citation in each form."""
    query = request.query_params
    with live.use() as knowledge_base:
        article = knowledge_base.article(parameter(query, "article") or "")
    section_id = parameter(query, "section") or ""
    section = article.section(section_id)
    if section_id and section is None:
        raise HTTPException(404, NO_ARTICLE_MESSAGE)
    settings = part(request, Settings)
    path = article_path(article.id, section_id)
    reference = Reference(
        title=article.display_title,
        section=section.heading if section else "",
        site=settings.site_name,
        url=f"{_origin(request)}{path}",
        accessed=datetime.now(UTC).date(),
        updated=article.updated,
        language=article.language,
    )
    forms = [(name, form(reference)) for name, form in FORMATS.items()]
    page = _templates(request).render("cite.html", reference=reference, forms=forms, path=path)
    return HTMLResponse(page)


@router.get("/status")
def status(request: Request, live: Live) -> HTMLResponse:
    """What is being served."""
    with live.use() as knowledge_base:
        values = status_page(knowledge_base, live.failure)
    return HTMLResponse(_templates(request).render("status.html", **values))


@router.get("/demo")
def demo(request: Request) -> HTMLResponse:
    """The web component for other sites, at work."""
    page = _templates(request).render("demo.html", origin=_origin(request))
    return HTMLResponse(page)


@router.get("/docs")
def api_guide(request: Request) -> HTMLResponse:
    """The API's routes with examples, from the OpenAPI document."""
    document: dict[str, Any] = request.app.openapi()
    page = _templates(request).render(
        "docs.html", document=document, kinds=KINDS, curl=curl_commands(_origin(request))
    )
    return HTMLResponse(page)


def _templates(request: Request) -> Templates:
    return part(request, Templates)


def _origin(request: Request) -> str:
    """The public address of the service: as it was set, else as it was asked."""
    return part(request, Settings).base_url or str(request.base_url).rstrip("/")
