"""How many questions that sound like an emergency are recognised, and how many others are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.lexicon.lexicon import read_lexicon
from kb.question.notices import Notices
from kb.question.tokenised import TokenisedText
from support.json_lines import read_records
from support.places import ROOT

SHARE = 0.95

EXAMPLES = read_records(Path(__file__).parent / "notices.jsonl")


@pytest.fixture(scope="module")
def notices() -> Notices:
    return Notices(read_lexicon([ROOT / "corpus"]).rules)


def test_questions_that_sound_like_an_emergency_bring_their_notice(notices: Notices) -> None:
    wanted = [example for example in EXAMPLES if example["notice"]]
    missed = [
        example
        for example in wanted
        if example["notice"]
        not in {notice.id for notice in notices.find(TokenisedText.of(example["text"]))}
    ]
    print(f"{len(wanted) - len(missed)} of {len(wanted)} recognised; missed: {missed}")
    assert len(missed) <= (1 - SHARE) * len(wanted)


def test_other_questions_bring_none(notices: Notices) -> None:
    others = [example["text"] for example in EXAMPLES if not example["notice"]]
    disturbed = [text for text in others if notices.find(TokenisedText.of(text))]
    print(f"{len(others) - len(disturbed)} of {len(others)} left alone; not: {disturbed}")
    assert len(disturbed) <= (1 - SHARE) * len(others)
