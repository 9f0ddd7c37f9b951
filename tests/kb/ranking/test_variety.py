"""kb.ranking.variety"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kb.ranking.variety import ALIKE_BITS, ARTICLE_SHARE, WINDOW, diversify
from kb.text.hashing import word_hash
from kb.text.simhash import simhash

TEXT = (
    "Call your doctor if the pain is severe, gets worse or does not go away within a week, or if you have a "
    "fever, cannot move the leg, or notice that it is numb, cold or blue and the swelling spreads upwards."
)
sections = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), st.sampled_from([0, 7, 2**40, 2**63])), max_size=40
)


def words(text: str) -> list[int]:
    return [word_hash(word) for word in text.lower().split()]


def arranged(rows: list[tuple[int, bool, int]]) -> list[int]:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return diversify(
        np.arange(len(rows)),
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.bool_),
        np.array(columns[2], dtype=np.uint64),
    ).tolist()


@given(sections)
def test_nothing_is_left_out_the_first_stays_first_and_the_rest_keeps_its_order(
    rows: list[tuple[int, bool, int]],
) -> None:
    order = arranged(rows)
    assert sorted(order) == list(range(len(rows)))
    assert order[:1] == list(range(len(rows)))[:1]
    tail = order[WINDOW:]
    passed = [place for place in tail if place > max(order[:WINDOW], default=-1)]
    assert passed == sorted(passed)


@given(sections)
def test_no_article_that_is_not_the_subject_has_more_than_its_share_of_a_full_first_page(
    rows: list[tuple[int, bool, int]],
) -> None:
    order = arranged(
        [(article, False, word_hash(str(place))) for place, (article, *_) in enumerate(rows)]
    )
    distinct = sum(min(ARTICLE_SHARE, sum(row[0] == n for row in rows)) for n in range(5))
    first = [rows[place][0] for place in order[: min(WINDOW, distinct)]]
    assert all(first.count(article) <= ARTICLE_SHARE for article in first)


def test_the_subject_may_fill_the_page_and_others_step_back() -> None:
    far = [0, 2**20 - 1, (2**20 - 1) << 20, (2**20 - 1) << 40, 2**60 - 1, (2**10 - 1) << 50]
    assert arranged([(1, True, bits) for bits in far]) == [0, 1, 2, 3, 4, 5]
    mixed = [(1, False, bits) for bits in far[:5]] + [(2, False, far[5])]
    assert arranged(mixed) == [0, 1, 2, 5, 3, 4]


def test_the_same_text_from_another_article_steps_back() -> None:
    assert arranged([(1, True, 5), (2, True, 5), (3, True, 2**40 - 1)]) == [0, 2, 1]


def test_texts_that_share_nearly_all_their_words_are_alike_and_others_are_not() -> None:
    one = simhash(words(TEXT))
    assert (one ^ simhash(words(TEXT))).bit_count() == 0
    other = "The heart sits a little to the left, and its lower tip taps against the chest wall at each beat."
    assert (one ^ simhash(words(other))).bit_count() > 4 * ALIKE_BITS
    assert (one ^ simhash(words(TEXT.replace("pain", "itch")))).bit_count() < 20


@given(st.lists(st.integers(0, 2**64 - 1), max_size=12))
def test_any_text_has_64_bits(hashes: list[int]) -> None:
    assert 0 <= simhash(hashes) < 2**64
