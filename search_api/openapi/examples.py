"""Examples of requests and responses, real ones from `corpus/`.

The article is shown with one of its sections. A test checks that each example has the shape of the
real answer, and that the passage stands in the corpus.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi.openapi.models import Example

QUESTION = "why do my legs jerk when I fall asleep"

SEARCH_REQUESTS: dict[str, Example] = {
    "question": {"summary": "A question", "value": {"question": QUESTION}},
    "page": {
        "summary": "The second page of five results",
        "value": {"question": QUESTION, "limit": 5, "offset": 5},
    },
    "narrowed": {
        "summary": "From articles about sleep, in English, changed this year; one result an article",
        "value": {
            "question": QUESTION,
            "topic": "sleep",
            "language": "en",
            "updated_since": "2026-01-01",
            "group_by": "article",
        },
    },
    "chosen": {
        "summary": "From articles about sleep or nerves, but none about the brain",
        "value": {"question": QUESTION, "topic": ["sleep", "nerves", "-brain"]},
    },
    "operators": {
        "summary": "A phrase, an excluded word and the beginning of a title word, ranked only by words",
        "value": {"question": '"falling asleep" -caffeine title:sleep*', "mode": "keyword"},
    },
    "explained": {
        "summary": "With topics to narrow it to, and how it was understood",
        "value": {"question": "leg twiching", "facets": True, "explain": True},
    },
}

BATCH_REQUESTS: dict[str, Example] = {
    "two": {
        "summary": "Two questions, the first result of each",
        "value": {
            "searches": [
                {"question": QUESTION, "limit": 1},
                {"question": "do sleep starts cause harm", "limit": 1, "topic": "sleep"},
            ]
        },
    },
}

_GENERATION = "20261122T130710Z-2566e275bad7bdd0"

_PASSAGE = (
    "Nobody knows for certain. As you fall asleep, the systems in the brain that keep "
    "you alert hand over to those that keep you asleep. One idea is that this "
    "handover is not always smooth, and a stray burst of signals runs down to the "
    "muscles. Another is that the brain misreads the loosening of muscles as a fall "
    "and tries to catch you. Neither idea has been proved.\n\n"
    "Sleep starts can happen to anyone at any age. They seem to be more frequent "
    "with:\n\n"
    "- too little sleep, or irregular hours\n"
    "- caffeine, nicotine and other stimulants, especially late in the day\n"
    "- hard exercise in the evening\n"
    "- stress and anxiety\n"
    "- some medicines, including certain antidepressants"
)

SEARCH_RESPONSE: dict[str, Any] = {
    "question": QUESTION,
    "answered": "confident",
    "results": [
        {
            "rank": 1,
            "score": 0.6855,
            "text": _PASSAGE,
            "snippet": {
                "text": _PASSAGE[0:239],
                "start": 0,
                "end": 239,
            },
            "highlights": [[33, 37], [38, 44], [124, 130], [305, 309]],
            "citation": {
                "article_id": "sleep-starts-hypnic-jerks",
                "article_title": "Sleep Starts (Hypnic Jerks)",
                "section_id": "why-the-body-jumps",
                "section_heading": "Why the Body Jumps",
                "url": "/articles/sleep-starts-hypnic-jerks#why-the-body-jumps",
                "source_url": "",
                "quote": _PASSAGE,
                "start": 0,
                "end": 660,
                "updated": "2026-11-22",
                "reviewed": None,
            },
            "explanation": {
                "keyword": 0.1075,
                "dense": 0.1013,
                "sentence": 0.197,
                "name": 0.1553,
                "focus": 0.1244,
                "wording": 0.0,
                "keyword_score": 0.6325,
                "passage_cosine": 0.6329,
                "sentence_cosine": 0.7295,
                "name_cosine": 0.7727,
                "name_matched": "jerking awake when falling asleep",
                "focus_share": 0.8295,
                "wording_share": 0.0,
                "terms": {"jerk": 0.0313, "fall": 0.0363, "asleep": 0.0399},
                "subject": 0.0,
                "kind": 0.0,
            },
            "why": "The article is about “Sleep Starts (Hypnic Jerks)”, also called “jerking awake when"
            " falling asleep”; the section is “Why the Body Jumps”; it mentions asleep and fall.",
            "also": [],
        },
    ],
    "generation": _GENERATION,
    "timings": {
        "analyse": 0.114,
        "encode": 15.489,
        "rank": 25.592,
        "cite": 3.545,
        "total": 44.74,
    },
    "notices": [],
    "facets": None,
    "correction": None,
    "reason": "",
    "companion": None,
    "total": 230,
    "explanation": None,
    "excluded": None,
}

BATCH_RESPONSE: dict[str, Any] = {
    "answers": [SEARCH_RESPONSE],
    "generation": _GENERATION,
    "timings": {"search": 46.1, "total": 46.1},
}

_NEAR_PASSAGE = (
    "Sleep starts do not damage the brain, the nerves or the muscles. They tend to come and go with how tired and tense"
    " you are. Most people live with the odd jolt all their lives and come to no harm."
)

RELATED: dict[str, Any] = {
    "results": [
        {
            "rank": 2,
            "score": 0.6941,
            "text": _NEAR_PASSAGE,
            "citation": {
                "article_id": "sleep-starts-hypnic-jerks",
                "article_title": "Sleep Starts (Hypnic Jerks)",
                "section_id": "what-to-expect-in-the-long-run",
                "section_heading": "What to Expect in the Long Run",
                "url": "/articles/sleep-starts-hypnic-jerks#what-to-expect-in-the-long-run",
                "source_url": "",
                "quote": _NEAR_PASSAGE,
                "start": 0,
                "end": 195,
                "updated": "2026-11-22",
                "reviewed": None,
            },
        }
    ],
    "generation": _GENERATION,
    "timings": {"rank": 0.308, "cite": 0.153, "total": 0.461},
}

HALF_TYPED_TEXT = "sleep sta"

SUGGEST_REQUESTS: dict[str, Example] = {
    "beginning": {
        "summary": "The beginning of a text",
        "value": {"text": HALF_TYPED_TEXT, "limit": 3},
    },
}

SUGGESTIONS: dict[str, Any] = {
    "suggestions": [
        {
            "text": "Sleep Starts (Hypnic Jerks)",
            "kind": "article",
            "url": "/articles/sleep-starts-hypnic-jerks",
        },
        {
            "text": "Sleep Starts (Hypnic Jerks) › How It Feels",
            "kind": "section",
            "url": "/articles/sleep-starts-hypnic-jerks#how-it-feels",
        },
    ],
    "generation": _GENERATION,
    "timings": {"suggest": 0.412, "total": 0.412},
}

ARTICLE: dict[str, Any] = {
    "id": "sleep-starts-hypnic-jerks",
    "title": "Sleep Starts (Hypnic Jerks)",
    "sections": [
        {
            "id": "why-the-body-jumps",
            "heading": "Why the Body Jumps",
            "level": 2,
            "text": _PASSAGE,
        },
    ],
    "aliases": ["hypnic jerk", "hypnagogic jerk", "sleep start"],
    "url": "",
    "sources": [
        {
            "title": "Brain Basics: Understanding Sleep (NINDS)",
            "url": (
                "https://www.ninds.nih.gov/health-information/public-education/brain-"
                "basics/brain-basics-understanding-sleep"
            ),
        },
    ],
    "updated": "2026-11-22",
    "reviewed": None,
    "publish": None,
    "expires": None,
    "language": "en",
    "tags": ["sleep", "muscles", "brain"],
    "related": [
        "why-is-my-knee-twitching-when-lying-down",
        "sleep-hygiene",
        "periodic-limb-movements-in-sleep",
        "stress-and-the-body",
        "restless-legs-syndrome",
        "medicines-that-cause-twitching",
    ],
    "section_ids_given": False,
}

ARTICLE_LIST: dict[str, Any] = {
    "total": 26,
    "articles": [
        {
            "id": "sleep-starts-hypnic-jerks",
            "title": "Sleep Starts (Hypnic Jerks)",
            "url": "",
            "updated": "2026-11-22",
            "reviewed": None,
            "language": "en",
            "tags": ["sleep", "muscles", "brain"],
            "section_count": 9,
        },
    ],
}

HEALTH: dict[str, Any] = {
    "status": "ok",
    "generation": _GENERATION,
    "created": "2026-11-22T13:07:10+00:00",
    "model": "all-MiniLM-L6-v2",
    "articles": 26,
    "sections": 231,
    "passages": 237,
    "reason": None,
}

READINESS: dict[str, Any] = {
    "status": "ready",
    "generation": _GENERATION,
    "at_work": 2,
    "waiting": 0,
}


TASK: dict[str, Any] = {
    "id": "20261122T184512Z-9f86d081884c7d65",
    "kind": "put",
    "state": "done",
    "article_id": "sleep-starts-hypnic-jerks",
    "created": "2026-11-22T18:45:12+00:00",
    "ended": "2026-11-22T18:45:14+00:00",
    "stage": "",
    "steps_done": 0,
    "steps_total": None,
    "report": {
        "articles": [{"id": "sleep-starts-hypnic-jerks", "change": "changed"}],
        "left_out": 0,
        "failures": [],
        "passed_over": [],
        "summary": {"added": 0, "changed": 1, "removed": 0, "skipped": 0, "failed": 0},
        "generation": _GENERATION,
        "note": None,
    },
    "error": None,
}

ACCEPTED_TASK: dict[str, Any] = {
    **TASK,
    "state": "accepted",
    "ended": None,
    "report": {**TASK["report"], "generation": None},
}

TASK_LIST: dict[str, Any] = {"tasks": [{**TASK, "report": None}]}

TASK_EVENT = f"id: 9\nevent: task\ndata: {json.dumps(TASK)}\n\n"

STATUS: dict[str, Any] = {
    "generation": _GENERATION,
    "created": "2026-11-22T13:07:10+00:00",
    "model": "all-MiniLM-L6-v2",
    "counts": {"articles": 26, "sections": 231, "passages": 237, "terms": 1910},
    "corpora": ["/srv/kb/corpus"],
    "pinned": False,
    "damage": None,
    "rebuild": False,
    "stale": {"added": [], "changed": ["night-leg-cramps"], "removed": [], "moved": []},
    "words": [],
    "unreadable": [],
    "last_build": {
        "added": 26,
        "changed": 0,
        "removed": 0,
        "unchanged": 0,
        "hidden": 0,
        "failed": 0,
        "moved": 0,
        "waiting": 0,
    },
    "last_failures": [],
    "kept": [_GENERATION],
    "bytes": 94_600_000,
    "cache_bytes": 5_200_000,
    "writer": None,
    "tasks": {"queued": 0, "accepted": 0, "done": 3, "failed": 0},
    "corpus_unreadable": None,
}


def ok(
    example: dict[str, Any], links: dict[str, dict[str, Any]] | None = None
) -> dict[int | str, dict[str, Any]]:
    """What a route declares of its answer: an example beside the schema, and where it leads on to."""
    declared: dict[str, Any] = {"content": {"application/json": {"example": example}}}
    return {200: declared if links is None else {**declared, "links": links}}
