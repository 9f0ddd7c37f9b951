"""Given the address a reader opened, a page: the search, an article, all articles, the API."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from kb.article import Article, is_question
from kb.errors import InvalidRequest
from kb.knowledge_base import MAX_DEPTH, KnowledgeBase
from kb.results import SearchResponse
from search_api import examples
from search_api.api import Live
from search_api.blocks import blocks
from search_api.cards import make_card
from search_api.problems import KINDS
from search_api.templates import Templates

RESULTS_PER_PAGE = 10
ARTICLES_PER_PAGE = 100
EXAMPLES = 4

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_METHODS = ["GET", "HEAD"]


@router.api_route("/", methods=_METHODS)
def home(request: Request, live: Live) -> HTMLResponse:
    """The box alone, or the answer to `q`."""
    q, offset = parameter(request, "q"), parameter(request, "offset")
    templates: Templates = request.app.state.templates
    with live.use() as knowledge_base:
        if q is None:
            return HTMLResponse(_home(templates, knowledge_base))
        start = min(whole_number(offset) or 0, MAX_DEPTH - RESULTS_PER_PAGE)
        try:
            # One more than is shown tells whether there are more.
            wanted = min(RESULTS_PER_PAGE + 1, MAX_DEPTH - start)
            response = knowledge_base.search(q, wanted, start)
        except InvalidRequest as error:
            page = _home(templates, knowledge_base, question=q, message=str(error))
            return HTMLResponse(page, 422)
        return HTMLResponse(_results(templates, knowledge_base, response, start))


@router.api_route("/articles", methods=_METHODS)
def all_articles(request: Request, live: Live) -> HTMLResponse:
    """The articles by title, a hundred at a time."""
    start = min(whole_number(parameter(request, "offset")) or 0, 10**9)
    with live.use() as knowledge_base:
        page = request.app.state.templates.render(
            "articles.html",
            articles=knowledge_base.articles(ARTICLES_PER_PAGE, start),
            total=knowledge_base.article_count,
            offset=start,
            step=ARTICLES_PER_PAGE,
        )
    return HTMLResponse(page)


@router.api_route("/articles/{article_id:path}", methods=_METHODS)
def article_page(request: Request, article_id: str, live: Live) -> HTMLResponse:
    """The whole article, with the cited passage highlighted when the address names one."""
    section_id = parameter(request, "section")
    start, end = parameter(request, "start"), parameter(request, "end")
    with live.use() as knowledge_base:
        article = knowledge_base.article(article_id)
        marked = cited_range(article, section_id, start, end)
        page = request.app.state.templates.render(
            "article.html",
            article=article,
            sections=[
                (part, blocks(part.text, [marked] if marked and part.id == section_id else []))
                for part in article.sections
            ],
            cited_section=section_id if marked else None,
            related=knowledge_base.related(article),
        )
    return HTMLResponse(page)


@router.api_route("/docs", methods=_METHODS)
def api_guide(request: Request) -> HTMLResponse:
    """The API's routes with examples, from the OpenAPI document."""
    document: dict[str, Any] = request.app.openapi()
    origin = request.app.state.settings.base_url or str(request.base_url).rstrip("/")
    page = request.app.state.templates.render(
        "docs.html", document=document, kinds=KINDS, curl=examples.curl_commands(origin)
    )
    return HTMLResponse(page)


def _home(
    templates: Templates, knowledge_base: KnowledgeBase, question: str = "", message: str = ""
) -> str:
    return templates.render(
        "home.html",
        question=question,
        message=message,
        examples=example_titles(knowledge_base),
        article_count=knowledge_base.article_count,
        section_count=knowledge_base.section_count,
    )


def _results(
    templates: Templates, knowledge_base: KnowledgeBase, response: SearchResponse, offset: int
) -> str:
    shown = response.results[:RESULTS_PER_PAGE]
    articles = {result.citation.article_id for result in shown}
    by_id = {article_id: knowledge_base.article(article_id) for article_id in articles}
    more = offset + RESULTS_PER_PAGE
    has_more = len(response.results) > RESULTS_PER_PAGE and more < MAX_DEPTH
    return templates.render(
        "results.html",
        question=response.question,
        answered=response.answered,
        cards=[make_card(result, by_id[result.citation.article_id]) for result in shown],
        offset=offset,
        next_offset=more if has_more else None,
        previous_offset=max(offset - RESULTS_PER_PAGE, 0) if offset else None,
    )


def example_titles(knowledge_base: KnowledgeBase) -> list[str]:
    """Up to four titles from all over the library, questions among them first.

    An article's own title is a question that any library can answer, whatever it holds.
    """
    step = max(knowledge_base.article_count // EXAMPLES, 1)
    titles = []
    for window in range(min(EXAMPLES, knowledge_base.article_count)):
        near = knowledge_base.articles(min(step, 25), window * step)
        # `sorted` is stable: of equals, the first by title. An id alone is the last resort.
        best = sorted(near, key=lambda article: (not is_question(article.title), not article.title))
        titles.append(best[0].display_title)
    return titles


def parameter(request: Request, name: str) -> str | None:
    """The first value that the address gives a parameter, or None.

    What stands in the address of a page may be anything; what is not understood is left aside.
    """
    return next(iter(request.query_params.getlist(name)), None)


def whole_number(text: str | None) -> int | None:
    """The number of at most nine ASCII digits that `text` is, or None."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else None


def cited_range(
    article: Article, section_id: str | None, start: str | None, end: str | None
) -> tuple[int, int] | None:
    """The range of a section that an address cites, or None where there is no such range."""
    section = article.section(section_id) if section_id is not None else None
    begin, stop = whole_number(start), whole_number(end)
    if section is None or begin is None or stop is None:
        return None
    return (begin, stop) if begin < stop <= len(section.text) else None
