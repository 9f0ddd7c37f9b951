"""indexer.writers.term_rows: what is joined is what is made of both at once"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.writers.term_rows import TermRows, join

TERMS = st.sampled_from([b"a", b"ab", b"iron", b"s\xc3\xa9nile", b"z", b"zz" * 20])
ROW = st.frozensets(TERMS, max_size=4)


def compiled(rows: list[frozenset[bytes]]) -> TermRows:
    rows_of: dict[bytes, list[int]] = {}
    for row, terms in enumerate(rows):
        for term in terms:
            rows_of.setdefault(term, []).append(row)
    return TermRows.of(rows_of)


@given(st.lists(st.tuples(ROW, st.sampled_from(["stays", "goes", "comes"])), max_size=12))
def test_what_is_joined_is_what_is_made_of_both_at_once(
    rows: list[tuple[frozenset[bytes], str]],
) -> None:
    before = [(terms, fate) for terms, fate in rows if fate != "comes"]
    after = [(terms, fate) for terms, fate in rows if fate != "goes"]
    numbers = iter(range(len(after)))
    number = {place: next(numbers) for place, (_, fate) in enumerate(rows) if fate != "goes"}
    kept = [number.get(place, -1) for place, (_, fate) in enumerate(rows) if fate != "comes"]
    new = [number[place] for place, (_, fate) in enumerate(rows) if fate == "comes"]
    one = compiled([terms for terms, _ in before])
    other = compiled([terms for terms, fate in rows if fate == "comes"])
    joined = join(one, other, np.array(kept, dtype=np.int64), np.array(new, dtype=np.int64))
    expected = compiled([terms for terms, _ in after])
    for name in ("terms", "starts", "rows"):
        found, wanted = getattr(joined.both, name), getattr(expected, name)
        assert found.dtype == wanted.dtype
        assert found.tolist() == wanted.tolist()
    # What stands beside the rows, here the rows themselves, goes where they go.
    beside = np.array(kept, dtype=np.int64)[one.rows][joined.stays]
    added = np.array(new, dtype=np.int64)[other.rows]
    assert np.insert(beside, joined.places, added).tolist() == expected.rows.tolist()
