"""benchmarks.suite, over the collections of this library's own articles: nowhere worse than the best plain ranking"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.suite.__main__ import measure
from benchmarks.suite.collections import Collection, collections
from benchmarks.suite.damage import CHANGES

OWN = [each for each in collections() if each.library == "own"]

ARTICLES = [
    {
        "id": f"a{number}",
        "title": f"Title {number}",
        "aliases": ["Other name"],
        "sections": [{"id": f"a{number}-s", "heading": "Causes", "text": "Some Text."}],
    }
    for number in range(300)
]


@pytest.mark.parametrize("collection", OWN, ids=[each.name for each in OWN])
def test_the_ranking_is_not_below_the_best_plain_one(
    collection: Collection, index_path: Path
) -> None:
    measured = measure(collection, index_path)
    print(measured.row())
    print(measured.verdict_row())
    assert measured.questions == sum(count for count, _ in measured.verdicts.values())
    assert measured.keeps_the_rule, measured


def copies() -> dict[str, list[dict[str, object]]]:
    return {
        name: list(change(dict(article) for article in ARTICLES))
        for name, change in CHANGES.items()
    }


def test_damaged_copies_are_the_same_every_time_and_damaged_as_they_say() -> None:
    found = copies()
    assert found == copies()
    intact = found["intact"]
    assert 0 < len(intact) < len(ARTICLES)
    poor = [
        article
        for article in found["a third of the titles poor"]
        if "Title" not in str(article["title"])
    ]
    assert 0.15 < len(poor) / len(intact) < 0.5
    assert {
        section["heading"] for each in found["no headings"] for section in each["sections"]
    } == {""}  # type: ignore[attr-defined]
    assert all(str(each["title"]).islower() for each in found["lower case"])
    assert len(found["a tenth of the articles"]) < 0.3 * len(intact)
    doubled = found["a tenth of the articles twice"]
    ids = [each["id"] for each in doubled]
    assert len(ids) == len(set(ids)) > len(intact)
