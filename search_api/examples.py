"""Given a route, an example of what goes in and comes out: a real one, from `corpus/`.

The article is shown with one of its sections. A test holds that each example has the shape of the
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
}

_GENERATION = "20261122T124339Z-5b0423886b57c1d5"

_PASSAGE = (
    "What happens | When | What it might be\n"
    "One sudden jump, often with a falling feeling | Just as you drop off |"
    " Sleep start\n"
    "Strong urge to move, eased by moving | Evening, while awake and still "
    "| Restless legs syndrome\n"
    "Repeated kicks every half minute or so | During sleep | Periodic limb "
    "movements\n"
    "Hard, painful knot in the calf | Any time of night | Leg cramp\n"
    "\n"
    "Timing is the best clue. A sleep start belongs to the first moments of"
    " sleep, does not repeat in a steady rhythm, and does not hurt."
)

SEARCH_RESPONSE: dict[str, Any] = {
    "question": QUESTION,
    "answered": "confident",
    "results": [
        {
            "rank": 1,
            "score": 0.7277,
            "text": _PASSAGE,
            "snippet": {
                "text": _PASSAGE[0:296],
                "start": 0,
                "end": 296,
            },
            "highlights": [[69, 76], [203, 207], [350, 353]],
            "citation": {
                "article_id": "sleep-starts-hypnic-jerks",
                "article_title": "Sleep Starts (Hypnic Jerks)",
                "section_id": "telling-it-apart-from-other-night-movements",
                "section_heading": "Telling It Apart From Other Night Movements",
                "url": (
                    "/articles/sleep-starts-hypnic-jerks#telling-it-apart-from-other-night-"
                    "movements"
                ),
                "source_url": "",
                "quote": _PASSAGE,
                "start": 0,
                "end": 493,
            },
            "explanation": {
                "keyword": 0.1223,
                "dense": 0.202,
                "name": 0.1545,
                "heading": 0.0338,
                "keyword_score": 0.8151,
                "passage_cosine": 0.6733,
                "name_cosine": 0.7727,
                "name_matched": "jerking awake when falling asleep",
                "heading_cosine": 0.6765,
                "terms": {
                    "leg": 0.0115,
                    "jerk": 0.0343,
                    "fall": 0.0375,
                    "asleep": 0.039,
                },
                "sentence": 0.215,
                "sentence_cosine": 0.7167,
            },
        },
    ],
    "generation": _GENERATION,
    "timings": {
        "analyse": 0.113,
        "encode": 12.969,
        "rank": 30.374,
        "cite": 2.141,
        "total": 45.596,
    },
}

ARTICLE: dict[str, Any] = {
    "id": "sleep-starts-hypnic-jerks",
    "title": "Sleep Starts (Hypnic Jerks)",
    "sections": [
        {
            "id": "telling-it-apart-from-other-night-movements",
            "heading": "Telling It Apart From Other Night Movements",
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
    "created": "2026-11-22T12:43:39+00:00",
    "model": "all-MiniLM-L6-v2",
    "articles": 26,
    "sections": 231,
    "passages": 237,
    "reason": None,
}


def ok(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """What a route declares of its answer: an example beside the schema."""
    return {200: {"content": {"application/json": {"example": example}}}}


def curl_commands(origin: str) -> dict[str, str]:
    """How to try each operation from a shell, by operation id."""
    body = json.dumps({"question": QUESTION, "limit": 3})
    words = QUESTION.replace(" ", "+")
    return {
        "search": f"curl {origin}/api/v1/search \\\n  --json '{body}'",
        "searchByAddress": f"curl '{origin}/api/v1/search?q={words}&limit=3'",
        "listArticles": f"curl '{origin}/api/v1/articles?limit=10'",
        "readArticle": f"curl {origin}/api/v1/articles/{ARTICLE['id']}",
        "health": f"curl {origin}/healthz",
    }
