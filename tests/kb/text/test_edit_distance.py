from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.edit_distance import (
    DOUBLED_COST,
    FIRST_LETTER_COST,
    FIRST_SOUND_COST,
    LETTER_COST,
    LIKE_SOUND_COST,
    NEIGHBOUR_KEY_COST,
    REPLACED_COST,
    SAME_SOUND_COST,
    SWAPPED_COST,
    VOWEL_COST,
    sound,
    unlikeness,
    weighted_distance,
)

WORDS = st.text("abcehiklmnoprst", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("typed", "meant", "cost"),
    [
        ("muscle", "muscle", 0.0),
        ("musccle", "muscle", DOUBLED_COST),
        ("diarhea", "diarrhea", DOUBLED_COST),
        ("mucsle", "muscle", SWAPPED_COST),
        ("vitemin", "vitamin", VOWEL_COST),
        ("vitmin", "vitamin", VOWEL_COST),
        ("rytm", "rhythm", VOWEL_COST + VOWEL_COST),
        ("exersise", "exercise", LIKE_SOUND_COST),
        ("mudcle", "muscle", NEIGHBOUR_KEY_COST),
        ("mucle", "muscle", LETTER_COST),
        ("mutle", "muple", REPLACED_COST),
        ("nuscle", "muscle", FIRST_LETTER_COST + LIKE_SOUND_COST),
        ("uscle", "muscle", FIRST_LETTER_COST + LETTER_COST),
        ("tremblor", "tremor", LETTER_COST + LETTER_COST),
    ],
)
def test_each_slip_has_its_cost(typed: str, meant: str, cost: float) -> None:
    assert weighted_distance(typed, meant) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fasiculation", "fasciculation"),
        ("newmonia", "neumonia"),
        ("sikosis", "psykosis"),
        ("numonia", "pneumonia"),
        ("hydroxicloroquin", "hydroxychloroquine"),
        ("infecshun", "infection"),
        ("disc", "disk"),
        ("edema", "oedema"),
        ("migrane", "migrain"),
    ],
)
def test_words_that_are_said_alike_sound_alike(typed: str, meant: str) -> None:
    apart = weighted_distance(sound(typed), sound(meant))
    assert apart <= VOWEL_COST
    by_ear = SAME_SOUND_COST if typed[0] == meant[0] else SAME_SOUND_COST + FIRST_SOUND_COST
    by_eye = weighted_distance(typed, meant)
    unlike = unlikeness(typed, meant, sound(typed), sound(meant))
    assert unlike == pytest.approx(min(by_eye, by_ear + apart))


@given(WORDS, WORDS)
def test_the_distance_is_that_of_the_whole_table(typed: str, meant: str) -> None:
    """What both have at their ends is left aside; the result is as if it were not."""
    assert weighted_distance(typed, meant) <= 1.0 * FIRST_LETTER_COST + REPLACED_COST * max(
        len(typed), len(meant)
    )
    assert weighted_distance(typed, meant) == pytest.approx(weighted_distance(meant, typed))
    assert (weighted_distance(typed, meant) == 0) == (typed == meant)


@given(WORDS, WORDS, st.floats(0, 4))
def test_a_bound_changes_nothing_below_it(typed: str, meant: str, most: float) -> None:
    exact = weighted_distance(typed, meant)
    bounded = weighted_distance(typed, meant, most)
    assert bounded == (exact if exact <= most else math.inf)
