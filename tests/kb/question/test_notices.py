"""kb.question.notices: which words bring a notice, and which do not"""

from __future__ import annotations

import re
from itertools import combinations, permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.question.notices import SPAN, NoticeRule, Notices, Trigger, sentences
from kb.question.tokenised import TokenisedText
from kb.schema.results import Link, Notice
from kb.text.analysis import stems


def trigger(row: str) -> Trigger:
    return tuple(frozenset(stems(slot.replace("|", " "))) for slot in row.split())


def rule(name: str, *triggers: str, unless: tuple[str, ...] = ()) -> NoticeRule:
    notice = Notice(name, name.title(), "Call.", (Link("NHS", "https://www.nhs.uk/"),))
    return NoticeRule(notice, tuple(map(trigger, triggers)), tuple(map(trigger, unless)))


def fires(row: str, question: str, unless: tuple[str, ...] = ()) -> bool:
    return bool(Notices([rule("n", row, unless=unless)]).find(TokenisedText.of(question)))


@pytest.mark.parametrize(
    ("row", "question"),
    [
        ("chest pain|pressure", "pain in my chest"),
        ("chest pain", "CHEST PAINS!"),
        ("cant breathe", "I can't breathe"),
        ("cant breathe", "i can’t be breathing"),
        ("cant breathe", "I can`t breathe"),
        ("x ray", "my x-ray"),
        ("throw up", "throwing it all up"),
        ("cafe", "a café"),
        ("cafe", "a cafe\u0301"),
        ("chest pain", "chest\npain, wrapped by a form"),
        ("chest pain", "it is 39.5 in the chest with pain"),
        ("pain pain", "pain upon pain"),
    ],
)
def test_a_trigger_fires(row: str, question: str) -> None:
    assert fires(row, question)


@pytest.mark.parametrize(
    ("row", "question"),
    [
        ("chest pain", "chest. Pain"),
        ("chest pain", 'He said "my chest." Pain is elsewhere'),
        ("chest pain", "chest…\npain"),
        ("chest pain", "a chest\n\npain"),
        ("throw up", "throw"),
        ("pain pain", "pain"),
        ("pain|ache ache|pain chest", "chest pain"),
        ("chest pain", ""),
        ("chest pain", "…"),
    ],
)
def test_a_trigger_does_not_fire(row: str, question: str) -> None:
    assert not fires(row, question)


def test_its_words_stand_no_farther_apart_than_the_span() -> None:
    assert fires("chest pain", "chest" + " so" * (SPAN - 1) + " pain")
    assert not fires("chest pain", "chest" + " so" * SPAN + " pain")
    assert fires("chest pain", "chest" + " so" * SPAN + " pain chest")


def test_unless_silences_its_own_notice_in_its_own_sentence() -> None:
    notices = Notices([rule("heart", "chest pain", unless=("wax",)), rule("skin", "wax pain")])

    def found(question: str) -> list[str]:
        return [notice.id for notice in notices.find(TokenisedText.of(question))]

    assert found("chest pain after a wax") == ["skin"]
    assert found("chest pain. And a wax.") == ["heart"]
    assert found("A wax with chest pain. Still chest pain!") == ["heart", "skin"]


def test_each_notice_comes_once_and_in_the_order_of_the_corpus() -> None:
    notices = Notices([rule("b", "pain", "ache"), rule("a", "blood"), rule("c", "fall")])
    found = notices.find(TokenisedText.of("Blood and pain and ache. Pain, and more blood."))
    assert [notice.id for notice in found] == ["b", "a"]


def test_without_notices_nothing_is_found() -> None:
    assert Notices().find(TokenisedText.of("chest pain")) == ()


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    rules = [rule("heart", "chest pain|ache", unless=("wax",)), rule("é", "blood")]
    Notices.save(tmp_path, rules)
    loaded = Notices.load(tmp_path)
    written = (tmp_path / "notices.json").read_bytes()
    assert len(loaded) == 2
    for question in ("chest aches", "chest aches and wax", "blood", ""):
        assert loaded.find(TokenisedText.of(question)) == Notices(rules).find(
            TokenisedText.of(question)
        )
    Notices.save(tmp_path, rules)
    assert (tmp_path / "notices.json").read_bytes() == written


@given(st.text(alphabet=st.sampled_from("a!.?…\"'”’)] \n\t\xa0"), max_size=40))
def test_a_run_of_signs_ends_one_sentence_and_only_before_a_gap(text: str) -> None:
    naive = re.split(r"""[.!?…]+["'”’)\]]*(?=\s|$)|\n\s*\n""", text)
    # The only word is a run of the letter "a".
    assert sentences(TokenisedText.of(text)) == [
        found for piece in naive if (found := stems(piece))
    ]


def together(slots: Trigger, words: list[str]) -> bool:
    """The definition, by trying every choice of words in every order."""
    return any(
        places[-1] - places[0] <= SPAN
        and any(
            all(words[place] in slot for place, slot in zip(order, slots, strict=True))
            for order in permutations(places)
        )
        for places in combinations(range(len(words)), len(slots))
    )


LETTERS = st.sampled_from(["k", "l", "m", "n", "q"])


@given(
    st.lists(st.frozensets(LETTERS, min_size=1, max_size=3), min_size=1, max_size=4),
    st.lists(LETTERS, max_size=17),
)
def test_it_agrees_with_the_definition(slots: list[frozenset[str]], words: list[str]) -> None:
    notices = Notices([NoticeRule(Notice("n", "N", "Call.", ()), (tuple(slots),))])
    assert bool(notices.find(TokenisedText.of(" ".join(words)))) == together(tuple(slots), words)
