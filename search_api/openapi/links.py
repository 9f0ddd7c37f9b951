"""Links between operations of the OpenAPI document: where each response leads next.

Clients can follow them, and an API checker can walk through the API as a client would.
"""

from __future__ import annotations

from typing import Any

Links = dict[str, dict[str, Any]]


def _body(pointer: str) -> str:
    return f"$response.body#{pointer}"


def _link(operation: str, description: str, **parameters: Any) -> dict[str, Any]:
    return {"operationId": operation, "description": description, "parameters": parameters}


def _from_citation(citation: str) -> Links:
    article, section = _body(f"{citation}/article_id"), _body(f"{citation}/section_id")
    return {
        "citedArticle": _link(
            "readArticle", "The article that is cited first.", article_id=article
        ),
        "nearThePassage": _link(
            "related",
            "What is near in meaning to the passage that is cited first.",
            article=article,
            section=section,
            start=_body(f"{citation}/start"),
        ),
        "nearTheArticle": _link(
            "related",
            "What is near in meaning to the article that is cited first.",
            article=article,
        ),
    }


FROM_SEARCH: Links = {
    **_from_citation("/results/0/citation"),
    "nextPage": _link(
        "searchByAddress",
        "The next ten results of the same list. 409 if the index has changed since.",
        q=_body("/question"),
        offset=10,
        generation=_body("/generation"),
    ),
    "within": _link(
        "searchByAddress",
        "The same question within the article that is cited first.",
        q=_body("/question"),
        article=_body("/results/0/citation/article_id"),
    ),
}

FROM_BATCH: Links = _from_citation("/answers/0/results/0/citation")

FROM_RELATED: Links = _from_citation("/results/0/citation")

FROM_SUGGEST: Links = {
    "ask": _link(
        "searchByAddress", "The answer to the first suggestion.", q=_body("/suggestions/0/text")
    ),
}

FROM_ARTICLES: Links = {
    "read": _link(
        "readArticle", "The first article of the page.", article_id=_body("/articles/0/id")
    ),
}

FROM_TASK: Links = {
    "follow": _link("readTask", "The progress of the task.", task_id=_body("/id")),
}

FROM_ARTICLE: Links = {
    "near": _link("related", "Articles that are near in meaning.", article=_body("/id")),
}
