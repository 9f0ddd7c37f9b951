"""Given the routes, the OpenAPI document: what FastAPI writes, with every field described.

The answers are the dataclasses of `kb` as they are. Those carry their documentation in docstrings,
which JSON Schema does not see, so the fields are described here; a test holds that none is left
out.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kb.knowledge_base import MAX_DEPTH
from search_api import access
from search_api.problems import MEDIA_TYPE, Problem, kind_of

SCHEMA_REF = "#/components/schemas/{model}"

_DATES = "ISO 8601 date, or null where none is known."

FIELDS: dict[str, dict[str, str]] = {
    "SearchResponse": {
        "": "The answer to one question.",
        "question": "The question as it was asked.",
        "answered": "How far the first result can be trusted to answer; with `none` the results are"
        " only the nearest passages.",
        "results": "The best passage of each section (or article, or each passage: `group_by`) that answers, best"
        " first.",
        "generation": "Names the state of the index that answered.",
        "timings": "Milliseconds by step.",
        "notices": "Fixed notices for a question that sounds like an emergency, to be shown above the"
        " results, whatever those are.",
        "facets": "What the answer could be narrowed to, where that was asked for; else null.",
        "correction": "What was searched for instead of what was typed, if anything; else null.",
        "reason": "With `none`, one sentence that says why; else empty.",
        "total": f"How many results all pages have together, at most {MAX_DEPTH:,}.",
        "explanation": "How the question was understood, where that was asked for; else null.",
        "companion": "For a question about a symptom, the section of the first result's article that says"
        " when to seek care, if there is one, unless it is a result; its `rank` is 0. Null on later pages.",
    },
    "QuestionExplanation": {
        "": "How a question was understood and answered.",
        "text": "What was ranked by: the question less its operators' signs and excluded words, repaired.",
        "terms": "Its terms.",
        "names": "The names in it that the library knows under other names as well.",
        "conditions": "Its operators.",
        "weights": "How much each of the five signals counted.",
        "allowed": "How many passages filters and operators left.",
        "candidates": "How many of them were ranked.",
        "evidence": "What `answered` goes by.",
        "likely_from": "The evidence from which on an answer is `likely`, in a library of this size.",
        "confident_from": "The evidence from which on it is `confident`.",
    },
    "ExplainedTerm": {
        "": "A term of the question.",
        "term": "The stem, as the index holds it.",
        "passages": "In how many passages it stands; 0: nowhere.",
        "idf": "What it counts: its inverse document frequency.",
    },
    "ExplainedName": {
        "": "A name in the question.",
        "name": "As it was typed.",
        "others": "The other names that were looked for beside it, as terms.",
    },
    "ExplainedCondition": {
        "": "An operator.",
        "kind": "`phrase`, of one or more words, or `prefix`.",
        "text": "Its words, or the beginning.",
        "field": "`title` or `heading` where it holds there alone; else null.",
        "negated": "Whether passages that hold it are left out.",
        "expansions": "The terms that a prefix stands for, at most 64.",
    },
    "BatchResponse": {
        "": "The answers to several searches.",
        "answers": "The answers in the order of the searches.",
        "generation": "Names the state of the index that gave all of them.",
        "timings": "Milliseconds in all.",
    },
    "RelatedResponse": {
        "": "What is near in meaning.",
        "results": "The nearest first.",
        "generation": "Names the state of the index that answered.",
        "timings": "Milliseconds by step.",
    },
    "RelatedResult": {
        "": "An article or a section, by its nearest passage.",
        "rank": "Its place, counted from 1.",
        "score": "A cosine: of the two passages; or, of an article, the mean of its passages with the other's.",
        "text": "The passage, word for word.",
        "citation": "Where the passage stands.",
    },
    "Correction": {
        "": "Misspelt words of the question, repaired; `exact` leaves them as they are.",
        "text": "The whole question as it was searched for.",
        "changes": "Each repaired word, as [typed, used].",
    },
    "SectionLink": {
        "": "A section to go to.",
        "section_id": "Its id.",
        "section_heading": "Its heading; empty for the text above the first heading.",
        "url": "Its page here, with the section's anchor.",
    },
    "Notice": {
        "": "Fixed words of the publisher, which no ranking chose.",
        "id": "Its id.",
        "title": "What it is about, in a few words.",
        "text": "What to do, in two or three sentences.",
        "links": "Public pages where it can be checked.",
    },
    "Link": {
        "": "A public page.",
        "title": "Its name.",
        "url": "Its address.",
    },
    "Facets": {
        "": "The topics and sources of the articles of the first 50 sections, the commonest first.",
        "topics": "Topics, for `tag`.",
        "sources": "Hosts of publishers' pages, for `source`.",
    },
    "FacetValue": {
        "": "One topic or source.",
        "name": "Its name.",
        "articles": "How many of those articles bear it.",
    },
    "SearchResult": {
        "": "One section, by its best passage.",
        "rank": "Its place, counted from 1 over all pages; 0 for a companion.",
        "score": "How well it answers; the sum of the contributions in `explanation`.",
        "text": "The whole passage, word for word.",
        "snippet": "The part of the passage that answers.",
        "highlights": "The matched words, each as [start, end] in the text of the section.",
        "citation": "Where the passage stands.",
        "explanation": "What each ranker contributed, in figures.",
        "why": "Why it is here, in words.",
        "also": "Sections of the same article that stand further down, at most three.",
    },
    "Snippet": {
        "": "One contiguous part of a section's text, in code points, the end exclusive.",
        "text": "Its words.",
        "start": "Where it begins in the text of the section.",
        "end": "Where it ends.",
    },
    "Citation": {
        "": "A verifiable pointer: `quote` stands word for word at `start` to `end` of it.",
        "article_id": "The article's id.",
        "article_title": "The article's title, or its id where it has none.",
        "section_id": "The section's id, unique within the article.",
        "section_heading": "The section's heading; empty for the text above the first heading.",
        "url": "The article's page here, with the section's anchor.",
        "source_url": "The publisher's page, or empty.",
        "quote": "The passage, word for word.",
        "start": "Where it begins in the text of the section, in code points.",
        "end": "Where it ends, exclusive.",
        "updated": f"When the article was last changed: {_DATES}",
        "reviewed": f"When a clinician reviewed it: {_DATES}",
    },
    "Explanation": {
        "": "What each ranker contributed; the score is the sum of `keyword`, `dense`,"
        " `sentence`, `name`, `focus`, `subject` and `kind`.",
        "keyword": "Contribution of the words in common.",
        "dense": "Contribution of the passage's meaning.",
        "name": "Contribution of the article's title or nearest alias.",
        "focus": "Contribution of the words that question and title or alias share.",
        "keyword_score": "BM25F divided by the bound of the question, 0 to 1.",
        "passage_cosine": "Cosine of question and passage, -1 to 1.",
        "sentence": "Contribution of the meaning of the passage's nearest sentence.",
        "sentence_cosine": "Cosine of question and that sentence, -1 to 1.",
        "name_cosine": "Cosine of question and the nearest of title and aliases, -1 to 1.",
        "name_matched": "The title or alias that was nearest.",
        "focus_share": "How far the question and one of those names are the same words, 0 to 1.",
        "terms": "The matched terms, each with its share of `keyword`.",
        "subject": "What is added so that of several subjects in one question each is shown; mostly 0.",
        "kind": "What is added so that an article's section of the kind asked for is its first; mostly 0.",
    },
    "Article": {
        "": "One source document with its sections.",
        "id": "Its id.",
        "title": "Its title; empty where it has none.",
        "sections": "Its sections in order.",
        "aliases": "Other names of its subject, lay and medical.",
        "url": "The publisher's page, or empty.",
        "sources": "Public references that a reader can check.",
        "updated": f"When it was last changed: {_DATES}",
        "reviewed": f"When a clinician reviewed it: {_DATES}",
        "language": "BCP 47 language tag.",
        "tags": "Its topics.",
        "related": "Ids or titles of other articles, which may or may not be here.",
        "section_ids_given": "Whether the sections' ids came with the collection; else they are"
        " made from the headings.",
    },
    "Section": {
        "": "The text under one heading, up to the next heading of any level.",
        "id": "Its id, unique within the article, and its anchor on the page.",
        "heading": "Its heading; empty for the text above the first heading.",
        "level": "1 to 6 as in HTML.",
        "text": "Plain text, its blocks separated by a blank line.",
    },
    "Source": {
        "": "A public reference.",
        "title": "Its name.",
        "url": "Its address, or empty.",
    },
    "ArticleSummary": {
        "": "What a list of articles shows of one.",
        "id": "Its id.",
        "title": "Its title; empty where it has none.",
        "url": "The publisher's page, or empty.",
        "updated": f"When it was last changed: {_DATES}",
        "reviewed": f"When a clinician reviewed it: {_DATES}",
        "language": "BCP 47 language tag.",
        "tags": "Its topics.",
        "section_count": "How many sections it has.",
    },
    "Suggestion": {
        "": "One thing that a text may become.",
        "text": "What to show: a title, `alias: title`, `title › heading`, or a question.",
        "kind": "`article`, `section`, or `question` for a title or an alias that can be asked as it stands.",
        "url": "The article's or section's page here; for a question, the page that answers it.",
    },
    "SuggestionList": {
        "": "What a text may become.",
        "suggestions": "The suggestions, best first, each address once.",
        "generation": "Names the state of the index that they were taken from.",
        "timings": "Milliseconds by step.",
    },
    "ArticleList": {
        "": "One page of the list of articles.",
        "total": "How many articles there are in all.",
        "articles": "Those of this page, by title.",
    },
    "Health": {
        "": "What is being served.",
        "status": "`degraded` while a newer index was published that does not open.",
        "generation": "The state of the index that answers.",
        "created": "When that index was built, ISO 8601 in UTC.",
        "model": "The embedding model it was built with.",
        "articles": "How many articles it holds.",
        "sections": "How many sections.",
        "passages": "How many passages.",
        "reason": "Why the service is degraded, and what to do; else null.",
    },
    "Readiness": {
        "": "That questions may be sent here.",
        "status": "Always `ready`.",
        "generation": "The state of the index that answers.",
        "at_work": "How many requests this worker has at work.",
        "waiting": "How many wait in its line.",
    },
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route declares of the problems it may answer with."""
    schema = {"$ref": SCHEMA_REF.format(model="Problem")}
    declared: dict[int | str, dict[str, Any]] = {}
    for status in dict.fromkeys((*statuses, 429, 500)):
        kind = kind_of(status)
        example = {"type": f"/docs#{kind.name}", "title": kind.title, "status": status}
        declared[status] = {
            "description": f"{kind.title}. {kind.meaning}",
            "content": {MEDIA_TYPE: {"schema": schema, "example": {**example, **kind.example}}},
        }
    return declared


def install(app: FastAPI, reading: access.Access) -> None:
    """Let `/openapi.json` give the described document, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    summary=app.summary,
                    description=app.description,
                    routes=app.routes,
                    tags=app.openapi_tags,
                    servers=app.servers,
                ),
            )
            access.describe(app.openapi_schema, reading, problem_responses(401, 403))
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _described(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template=SCHEMA_REF)
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for name, fields in FIELDS.items():
        for field, description in fields.items():
            target = schemas[name]["properties"][field] if field else schemas[name]
            target["description"] = description
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _never_null(parameter["schema"])
    return document


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out: an address has no null."""
    others = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(others) != 1:
        return schema
    return {**others[0], **{name: value for name, value in schema.items() if name != "anyOf"}}
