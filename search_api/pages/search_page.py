"""The search page: the answers to a question, or the box alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kb.knowledge_base import KnowledgeBase
from kb.question.operators import parse_question
from kb.schema.errors import InvalidRequest
from kb.schema.filters import including, is_exclusion, name_in
from kb.schema.results import FacetValue, SearchResponse
from search_api.pages.cards import make_card
from search_api.pages.example_questions import example_questions
from search_api.pages.search_state import SearchState

MAX_TITLE_CHARS = 120
"""Maximum length of the page's title in characters."""

MAX_FACETS = 8
"""Maximum number of topics, and of sources, that are offered."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to narrow the answer. `path` is the address that chooses it, or undoes the choice.

    `value` is the value in the address of a chosen one, else empty. `back` names what taking it back does.
    """

    name: str
    path: str
    value: str = ""
    excluded: bool = False
    back: str = ""


def search_page(knowledge_base: KnowledgeBase, state: SearchState) -> tuple[int, dict[str, Any]]:
    """The status and the template's values."""
    if state.question is None:
        return 200, _home(knowledge_base, state)
    try:
        response = knowledge_base.answer(state.request())
    except InvalidRequest as error:
        return 422, _home(knowledge_base, state, str(error))
    return 200, _results(knowledge_base, state, response)


def _home(knowledge_base: KnowledgeBase, state: SearchState, message: str = "") -> dict[str, Any]:
    return {
        "view": "home",
        "state": state,
        "title": "The question cannot be answered" if message else "Ask a question",
        "status": message,
        "message": message,
        "examples": example_questions(knowledge_base),
        "article_count": knowledge_base.article_count,
        "section_count": knowledge_base.section_count,
    }


def _results(
    knowledge_base: KnowledgeBase, state: SearchState, response: SearchResponse
) -> dict[str, Any]:
    companion = response.companion
    ids = {
        result.citation.article_id
        for result in (*response.results, *([companion] if companion else []))
    }
    articles = {article_id: knowledge_base.article(article_id) for article_id in ids}
    cards = [make_card(result, articles[result.citation.article_id]) for result in response.results]
    facets = response.facets
    return {
        "view": "results",
        "state": state,
        "title": _shortened(response.question),
        "status": _status(response, len(cards)),
        "message": "",
        "response": response,
        "cards": cards,
        "plain": None if cards else _plain(response),
        "companion": make_card(companion, articles[companion.citation.article_id])
        if companion and not state.offset
        else None,
        "topics": _choices(state, "tag", facets.topics if facets else ()),
        "sources": _choices(state, "source", facets.sources if facets else ()),
        "more": state.more(response.total > state.offset + state.shown),
        "previous": state.path(offset=max(state.offset - state.shown, 0)) if state.offset else None,
    }


def _plain(response: SearchResponse) -> str | None:
    """The question without its operators, or None if it has none."""
    excluded = response.excluded
    # Without an exclusion each minus was found to be something else.
    parsed = parse_question(excluded.question if excluded else response.question, lambda _: True)
    return parsed.text if (parsed.conditions or excluded) and parsed.text else None


def _choices(state: SearchState, field: str, values: tuple[FacetValue, ...]) -> list[Choice]:
    """The chosen values of one filter, each with the way back, then the values on offer.

    A single value is not offered, and neither is a second one: it would not narrow the answer.
    """
    given: tuple[str, ...] = getattr(state, field)
    back = "look in all again" if len(given) == 1 else "leave it out"
    chosen = [
        Choice(
            name_in(value),
            state.path(**{field: tuple(other for other in given if other != value)}),
            value,
            is_exclusion(value),
            back,
        )
        for value in given
    ]
    if len(values) < 2 or not all(map(is_exclusion, given)):
        return chosen
    return chosen + [
        Choice(value.name, state.path(**{field: (*given, including(value.name))}))
        for value in values[:MAX_FACETS]
    ]


def _status(response: SearchResponse, count: int) -> str:
    """The text that a screen reader announces with the answers; notices come first."""
    said = [f"{notice.title}. {notice.text}" for notice in response.notices]
    if response.correction:
        said.append(f"Showing results for {response.correction.text}.")
    if response.excluded:
        said.append(f"Left out: {', '.join(response.excluded.words)}.")
    return " ".join([*said, _outcome(response, count)])


def _outcome(response: SearchResponse, count: int) -> str:
    if not count:
        return "Nothing found."
    passages = f"{count} passage{'' if count == 1 else 's'}"
    if response.answered == "none":
        return f"No clear answer found. {response.reason} The nearest {passages} are listed."
    first = response.results[0].citation
    return f"{passages} found. The first is from {first.article_title}, {first.section_heading or 'introduction'}."


def _shortened(question: str) -> str:
    return (
        question
        if len(question) <= MAX_TITLE_CHARS
        else f"{question[: MAX_TITLE_CHARS - 1].rstrip()}…"
    )
