"""kb.question.operators"""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.question.operators import MAX_QUESTION_CHARS, Condition, Question, parse_question
from kb.schema.errors import InvalidRequest
from kb.schema.results import Exclusion


def phrase(text: str, field: str | None = None, negated: bool = False) -> Condition:
    return Condition("phrase", text, field, negated)


def prefix(text: str, field: str | None = None, negated: bool = False) -> Condition:
    return Condition("prefix", text, field, negated)


@pytest.mark.parametrize(
    ("typed", "text", "conditions"),
    [
        ('"restless legs" causes', "restless legs causes", [phrase("restless legs")]),
        ("legs -restless", "legs", [phrase("restless", negated=True)]),
        ('legs -"at night"', "legs", [phrase("at night", negated=True)]),
        ("title:magnesium dose", "magnesium dose", [phrase("magnesium", "title")]),
        ('heading:"see a doctor" legs', "see a doctor legs", [phrase("see a doctor", "heading")]),
        ("-title:dentures pain", "pain", [phrase("dentures", "title", negated=True)]),
        ("TITLE:Legs", "Legs", [phrase("Legs", "title")]),
        ("fascic* eyelid", "fascic eyelid", [prefix("fascic")]),
        ("title:den*", "den", [prefix("den", "title")]),
        ("-den* gums", "gums", [prefix("den", negated=True)]),
        ("(title:legs)", "(legs)", [phrase("legs", "title")]),
        ('why "twitch"?', "why twitch?", [phrase("twitch")]),
        (
            "title:legs heading:causes",
            "legs causes",
            [phrase("legs", "title"), phrase("causes", "heading")],
        ),
        ("don't* move", "don't move", [prefix("don't")]),
    ],
)
def test_operators_become_conditions(typed: str, text: str, conditions: list[Condition]) -> None:
    parsed = parse_question(typed)
    assert (parsed.text, parsed.conditions) == (text, tuple(conditions))


@pytest.mark.parametrize(
    ("typed", "words", "included"),
    [
        ("legs -restless", ("restless",), "legs restless"),
        ('legs -"at night" -den*', ('"at night"', "den*"), "legs at night den"),
        ("-title:dentures pain", ("title:dentures",), "dentures pain"),
        ('"restless legs" -iron, pills', ("iron",), '"restless legs" iron, pills'),
        ("sleep -apnea", ("apnea",), "sleep apnea"),
        ("diet -sugar", ("sugar",), "diet sugar"),
        ("x -rays of the hand -wrist", ("wrist",), "x-rays of the hand wrist"),
    ],
)
def test_what_is_left_out_is_said_with_the_question_that_leaves_nothing_out(
    typed: str, words: tuple[str, ...], included: str
) -> None:
    assert parse_question(typed).excluded == Exclusion(words, included)
    again = parse_question(included)
    assert again.excluded is None
    assert not any(condition.negated for condition in again.conditions)


@pytest.mark.parametrize(
    "typed",
    [
        "vaccine below -20 degrees",
        "resting pulse 60 -100",
        "fever 38.5 -39",
        "-20",
        "-3 diopters in one eye",
        "covid -19",
        "vitamin b -12",
        "temperature -5",
        "pain −sharp",
        "rash –itchy",
        "rash —itchy",
        "sleep --children",
        "a child 2 -year -old",
        "12 -hour shifts",
        "rash -and fever",
        "-dentures",
        "-dentures -gums",
        '-"at night"',
        "pain -",
        "blood type A-",
    ],
)
def test_a_minus_that_may_be_something_else_leaves_nothing_out(typed: str) -> None:
    parsed = parse_question(typed)
    assert parsed.conditions == ()
    assert parsed.excluded is None
    assert parsed.text.replace("-", " ").split() == typed.replace("-", " ").split()


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("x -ray", "x-ray"),
        ("post -natal care", "post-natal care"),
        ("t -cell count", "t-cell count"),
        ("hepatitis -b vaccine", "hepatitis-b vaccine"),
        ("long -term effects", "long-term effects"),
        ("gluten -free bread", "gluten-free bread"),
        ("ultra -sound", "ultra-sound"),
        ("sea -sickness on ferries", "sea-sickness on ferries"),
    ],
)
def test_a_compound_with_a_space_by_mistake_is_one(typed: str, text: str) -> None:
    parsed = parse_question(typed, {"seasickness"}.__contains__)
    assert parsed == Question(text, ())


@pytest.mark.parametrize(
    "typed",
    [
        "why do my legs jerk when I fall asleep",
        "is it normal? (really)",
        "vitamin B-12 vs. well-known D3",
        "legs - arms",
        "pain -- sharp",
        'a 5" scar',
        '"',
        '""',
        "title: the reelin protein",
        "subtitle:legs",
        "site:example.org",
        "what is a*",
        "** bold **",
        "C++ && AND OR NOT ~2 ^3 [a TO b] {x} \\",
        "don’t",
        "¿por qué?",
        "为什么",
        "a" * MAX_QUESTION_CHARS,
    ],
)
def test_a_plain_question_passes_unchanged(typed: str) -> None:
    parsed = parse_question(typed)
    assert parsed.text.replace("*", "") == typed.replace("*", "")
    assert parsed.conditions == ()


@given(st.lists(st.from_regex(r"[a-z]{1,8}[.,?!;]?", fullmatch=True), min_size=1))
def test_words_and_punctuation_alone_are_always_plain(words: list[str]) -> None:
    typed = " ".join(words)[:MAX_QUESTION_CHARS].strip()
    assert parse_question(typed) == Question(typed, ())


@given(st.one_of(st.text(), st.text(st.sampled_from('abc "-:*()title heading:\t\n\0\ud800é'))))
def test_whatever_is_typed_is_a_question_or_an_invalid_request_that_does_not_repeat_it(
    typed: str,
) -> None:
    try:
        parsed = parse_question(typed)
    except InvalidRequest as error:
        assert error.field == "question"
        assert str(error) == "The question is empty. Type a few words."
    else:
        parsed.text.encode()
        assert unicodedata.is_normalized("NFC", parsed.text)
        assert not any(unicodedata.category(letter) == "Cc" for letter in parsed.text)
        assert all(condition.text.strip() or condition.text for condition in parsed.conditions)


@pytest.mark.parametrize("typed", ["", " ", "\n\t", "\u00a0\u3000", "\0", "\ud800"])
def test_a_blank_question_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRequest, match="The question is empty") as caught:
        parse_question(typed)
    assert caught.value.field == "question"


def test_an_overlong_question_is_refused_with_its_length_and_the_limit_and_not_its_text() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_question("secret " * 2000)
    assert caught.value.field == "question"
    assert "14,000" in str(caught.value)
    assert "4,000" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_white_space_and_control_characters_are_one_space() -> None:
    assert parse_question("  legs\0\n\tjerk \ud800 at\u00a0night ").text == "legs jerk at night"


def test_a_decomposed_letter_is_composed() -> None:
    assert parse_question("cafe\u0301").text == "café"


@pytest.mark.parametrize("piece", ['"a ', "-", "(", "title:", '-title:"', "a*", "a'", '" "', "a"])
def test_the_longest_question_of_any_sign_is_read_at_once(piece: str) -> None:
    begun = time.perf_counter()
    parse_question((piece * MAX_QUESTION_CHARS)[:MAX_QUESTION_CHARS])
    assert time.perf_counter() - begun < 1


def test_quotation_marks_and_dashes_in_a_long_message_are_only_that() -> None:
    message = 'My doctor said "keep moving" -and I try to, but every evening when I sit down my legs start again'
    assert parse_question(message) == Question(message, ())
