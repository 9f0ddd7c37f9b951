"""corpus/notices.yaml: what an editor may get wrong by hand, and that its examples name what is there."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import Stemmer
import yaml

from indexer.lexicon.lexicon import read_lexicon
from kb.question.notices import Notices
from kb.question.tokenised import TokenisedText
from support.json_lines import read_records
from support.places import ROOT

STEMMER = Stemmer.Stemmer("english")
EMERGENCY_NUMBERS = "112 in Europe, 911 in the US, 999 in the UK"


@pytest.fixture(scope="module")
def notices() -> list[dict[str, Any]]:
    text = (ROOT / "corpus" / "notices.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)
    return found


def test_every_notice_has_what_a_reader_needs(notices: list[dict[str, Any]]) -> None:
    assert len({notice["id"] for notice in notices}) == len(notices) == 45
    for notice in notices:
        brought_by = {"kind"} if notice.get("kind") == "conditional" else {"triggers"}
        assert set(notice) - {"unless"} == {"id", "title", "text", "links"} | brought_by
        assert re.fullmatch(r"[a-z]+(?:-[a-z]+)*", notice["id"])
        assert 0 < len(notice["title"]) <= 40, notice["id"]
        assert EMERGENCY_NUMBERS in notice["text"], notice["id"]
        assert 2 <= len(re.findall(r"\.(?=\s|$)", notice["text"])) <= 3, notice["id"]
        assert "\n" not in notice["text"] and "!" not in notice["text"], notice["id"]


def test_links_are_secure_and_named(notices: list[dict[str, Any]]) -> None:
    for notice in notices:
        assert len(notice["links"]) >= 2, notice["id"]
        for link in notice["links"]:
            assert set(link) == {"title", "url"}, link
            assert re.fullmatch(r"https://[a-z0-9.-]+/\S*", link["url"]), link


def test_triggers_are_slots_of_single_words(notices: list[dict[str, Any]]) -> None:
    for notice in notices:
        for trigger in [*notice.get("triggers", []), *notice.get("unless", [])]:
            assert isinstance(trigger, str) and trigger, notice["id"]
            for slot in trigger.split():
                for word in slot.split("|"):
                    assert re.fullmatch(r"[a-z0-9]+", word), (notice["id"], trigger, word)


def test_no_trigger_stands_twice(notices: list[dict[str, Any]]) -> None:
    for notice in notices:
        forms = [
            frozenset(frozenset(STEMMER.stemWords(slot.split("|"))) for slot in trigger.split())
            for trigger in notice.get("triggers", [])
        ]
        repeated = [form for form, count in Counter(forms).items() if count > 1]
        assert repeated == [], notice["id"]


def test_the_conditional_notice_says_if(notices: list[dict[str, Any]]) -> None:
    (conditional,) = [notice for notice in notices if notice.get("kind") == "conditional"]
    assert conditional["title"].startswith("If ")
    assert conditional["text"].startswith("If ")


def test_every_notice_is_brought_by_a_described_emergency(notices: list[dict[str, Any]]) -> None:
    compiled = Notices(read_lexicon([ROOT / "corpus"]).rules)
    path = ROOT / "training" / "notices" / "questions.jsonl"
    rows = read_records(path)
    fired = {
        notice.id
        for row in rows
        if row["kind"] == "emergency"
        for notice in compiled.find(TokenisedText.of(row["text"]))
    }
    assert fired == {notice["id"] for notice in notices if "triggers" in notice}


def test_the_examples_name_no_other_notice(notices: list[dict[str, Any]]) -> None:
    path = ROOT / "tests" / "quality" / "notices.jsonl"
    examples = read_records(path)
    named = Counter(example["notice"] for example in examples)
    assert set(named) <= {notice["id"] for notice in notices} | {None}
    assert named[None] >= 120
    assert named.total() - named[None] >= 120
    assert max(Counter(example["text"] for example in examples).values()) == 1
