from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kb.text.symmetric_delete import MAX_LETTERS, deletion_hashes, deletion_table, look_up

WORDS = st.text(st.characters(categories=["L"]), min_size=4, max_size=MAX_LETTERS)


def slip(word: str, data: st.DataObject) -> str:
    """One insertion, deletion, replacement, or swap of neighbours."""
    place = data.draw(st.integers(0, len(word) - 2))
    letter = data.draw(st.characters(categories=["L"]))
    return data.draw(
        st.sampled_from(
            [
                word[:place] + word[place + 1 :],
                word[:place] + letter + word[place + 1 :],
                word[:place] + word[place + 1] + word[place] + word[place + 2 :],
                (word[:place] + letter + word[place:])[:MAX_LETTERS],
            ]
        )
    )


@given(st.lists(WORDS, min_size=1, max_size=20, unique=True), st.integers(1, 2), st.data())
def test_a_word_with_that_many_slips_finds_itself(
    words: list[str], slips: int, data: st.DataObject
) -> None:
    hashes, places = deletion_table(words, np.full(len(words), slips))
    place = data.draw(st.integers(0, len(words) - 1))
    typed = words[place]
    for _ in range(slips):
        typed = slip(typed, data)
    found = places[look_up(hashes, deletion_hashes(typed, slips))]
    assert place in found


def test_a_word_far_from_all_others_finds_none() -> None:
    hashes, _ = deletion_table(["arthritis", "asthma"], np.array([2, 2]))
    assert look_up(hashes, deletion_hashes("pneumonia", 2)).tolist() == []


def test_each_word_has_its_own_number_of_slips() -> None:
    hashes, places = deletion_table(["asthma", "arthritis"], np.array([0, 1]))
    assert look_up(hashes, deletion_hashes("athma", 1)).tolist() == []
    assert set(places[look_up(hashes, deletion_hashes("artritis", 1))]) == {1}


def test_a_table_of_no_words_is_empty() -> None:
    hashes, places = deletion_table([], np.zeros(0, dtype=np.int64))
    assert len(hashes) == len(places) == len(look_up(hashes, deletion_hashes("asthma", 2))) == 0


def test_the_hashes_of_a_word_are_distinct_and_sorted() -> None:
    hashes = deletion_hashes("aabb", 1)
    assert hashes.dtype == np.uint32
    assert len(hashes) == 3  # the word itself, "abb" and "aab"
    assert (np.diff(hashes.astype(np.int64)) > 0).all()
