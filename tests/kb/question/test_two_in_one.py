"""kb.question.two_in_one"""

from __future__ import annotations

import pytest

from kb.question.two_in_one import parts


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("difference between a cold and the flu", ("a cold", "the flu")),
        ("botox vs fillers", ("botox", "fillers")),
        ("Is botox safe and how long does it last?", ("Is botox safe", "how long does botox safe last")),
        ("What is gout? Is gout hereditary?", ("What is gout", "Is gout hereditary")),
        ("can gout harm kidneys and what helps", ("can gout harm kidneys", "what helps gout harm kidneys")),
    ],
)  # fmt: skip
def test_two_questions_are_taken_apart_each_with_its_subject(
    question: str, expected: tuple[str, ...]
) -> None:
    assert parts(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "heart and lungs",
        "what helps against cramps and twitches",
        "does salt and pepper matter",
        "why do my legs jerk when I fall asleep",
        "is it and what is it",
        "",
    ],
)
def test_one_question_stays_whole(question: str) -> None:
    assert parts(question) == ()
