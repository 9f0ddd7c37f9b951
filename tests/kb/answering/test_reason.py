"""kb.answering.reason"""

from __future__ import annotations

from dataclasses import replace

from kb.answering.reason import reason_for
from kb.schema.results import Citation, Explanation

CITATION = Citation(
    "rls", "Restless Legs Syndrome", "t", "Treatment", "/articles/rls#t", "", "Iron helps.", 0, 11
)
NOTHING = Explanation(0, 0, 0, 0, 0, 0, 0, 0.1, 0.1, 0.1, "Restless Legs Syndrome", 0, 0, {})


def test_the_subject_the_section_and_the_words_are_named() -> None:
    found = replace(NOTHING, name_cosine=0.5)
    assert reason_for(found, CITATION, ["Iron", "iron", "helps"]) == (
        "The article is about “Restless Legs Syndrome”; the section is “Treatment”; it mentions iron and helps."
    )
    assert "also called “RLS”" in reason_for(replace(found, name_matched="RLS"), CITATION, [])


def test_what_is_not_so_is_not_said() -> None:
    assert (
        reason_for(NOTHING, CITATION, ["iron"]) == "The section is “Treatment”; it mentions iron."
    )
    assert reason_for(NOTHING, replace(CITATION, section_heading=""), []) == (
        "It is similar in meaning, though worded differently."
    )


def test_a_section_that_leads_for_its_kind_says_so() -> None:
    assert reason_for(replace(NOTHING, kind=0.01), CITATION, ["iron"]) == (
        "The section is “Treatment”; it is the kind of section you ask for; it mentions iron."
    )


def test_few_words_are_named() -> None:
    assert reason_for(NOTHING, CITATION, ["a", "b", "c", "d"]).endswith("it mentions a, b and c.")
