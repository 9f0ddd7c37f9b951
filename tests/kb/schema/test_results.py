"""kb.schema.results: the names that callers rely on"""

from __future__ import annotations

import json

from kb.schema.results import Citation, Explanation, SearchResponse, SearchResult, Snippet


def response() -> SearchResponse:
    citation = Citation("legs", "Legs", "top", "", "/articles/legs#top", "", "A leg.", 0, 6)
    explanation = Explanation(
        0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, "Legs", 0.9, 0.3, {"leg": 0.1}
    )
    result = SearchResult(
        1, 1.0, "A leg.", Snippet("A leg.", 0, 6), ((2, 5),), citation, explanation
    )
    return SearchResponse("leg", "likely", (result,), "g1", {"total": 1.5})


def test_the_names_are_those_of_the_contract() -> None:
    found = response().to_dict()
    assert list(found)[:5] == ["question", "answered", "results", "generation", "timings"]
    (result,) = found["results"]
    assert list(result) == [
        *("rank", "score", "text", "snippet", "highlights", "citation", "explanation"),
        *("why", "also"),
    ]
    assert list(result["snippet"]) == ["text", "start", "end"]
    assert list(result["citation"]) == [
        *("article_id", "article_title", "section_id", "section_heading", "url", "source_url"),
        *("quote", "start", "end", "updated", "reviewed"),
    ]


def test_the_json_form_is_json_and_the_same_after_a_round_trip() -> None:
    found = response().to_dict()
    again = json.loads(json.dumps(found))
    assert again["results"][0]["highlights"] == [[2, 5]]
    assert json.dumps(again) == json.dumps(found)
