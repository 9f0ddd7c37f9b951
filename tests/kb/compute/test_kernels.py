"""kb.compute.kernels: what is compiled and what numpy does in its place give the same, and refuse what does not fit"""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kb.compute import kernels
from support.examples import at_most

Table = tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.float32]]

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setattr(kernels, "native", None)


def table(random: np.random.Generator, rows: int, width: int) -> Table:
    """A question, codes of all bytes that there are, and scales."""
    question = random.normal(size=width).astype(np.float32)
    codes = random.integers(-128, 128, size=(rows, width), dtype=np.int8)
    return question, codes, random.random(rows).astype(np.float32)


def by_hand(asked: Table) -> NDArray[np.float32]:
    question, codes, scales = asked
    scale = np.float32(max(map(abs, question.tolist()), default=0.0) / 127 or 1.0)
    rounded = [round(number) for number in (question / scale).tolist()]
    sums = [sum(a * b for a, b in zip(code, rounded, strict=True)) for code in codes.tolist()]
    return np.array(sums, dtype=np.float32) * scales * scale


def test_where_a_compiler_is_at_hand_the_compiled_part_is_there() -> None:
    if shutil.which("cc"):
        assert kernels.import_module("kb.compute._native")


@settings(max_examples=at_most(60))
@given(seed=seeds, rows=st.integers(0, 40), width=st.sampled_from([1, 15, 16, 100, 384, 1024]))
def test_dots_are_those_of_the_numbers_as_rounded(seed: int, rows: int, width: int) -> None:
    random = np.random.default_rng(seed)
    asked = table(random, rows, width)
    expected = by_hand(asked)
    assert kernels.dots(*asked).tolist() == expected.tolist()
    some = random.integers(0, max(rows, 1), size=min(rows, 20))
    assert kernels.dots_of(*asked, some).tolist() == expected[some].tolist()


@settings(max_examples=at_most(60))
@given(seed=seeds, counts=st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_the_best_of_a_run_is_the_first_of_its_highest(seed: int, counts: list[int]) -> None:
    random = np.random.default_rng(seed)
    starts = np.cumsum([0, *counts])
    question, codes, scales = table(random, int(starts[-1]), 24)
    codes[random.random(len(codes)) < 0.5] = codes[0]  # many are equal
    scales[:] = 0.25
    expected = by_hand((question, codes, scales))
    owners = random.integers(0, len(counts), size=30)
    best, which = kernels.best_dots(question, codes, scales, starts, owners)
    for owner, highest, place in zip(owners, best, which, strict=True):
        own = expected[starts[owner] : starts[owner + 1]]
        assert (highest, place) == (own.max(), own.argmax())


@settings(max_examples=at_most(60))
@given(seed=seeds, width=st.sampled_from([1, 16, 17, 384]))
def test_dots_of_vectors_are_as_exact_as_float32_is(seed: int, width: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(30, width)).astype(np.float32)
    question = random.normal(size=width).astype(np.float32)
    rows = random.integers(0, 30, size=50)
    expected = vectors[rows].astype(np.float64) @ question.astype(np.float64)
    assert kernels.vector_dots_of(question, vectors, rows) == pytest.approx(expected, abs=1e-4)


@settings(max_examples=at_most(60))
@given(seed=seeds)
def test_a_variant_lifts_where_it_is_worth_more(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, gain, own, worth = random.random((4, 50)).astype(np.float32)
    before, gained, most = scores.copy(), gain.copy(), np.zeros(50, dtype=np.int16)
    passages = np.flatnonzero(random.random(50) < 0.5).astype(np.int32)
    left = worth.copy()
    kernels.lift_at(scores, gain, left, own, most, passages, 1.5, 7)
    for place in range(50):
        assert left[place] == (0 if place in passages else worth[place])
        more = np.float32(1.5) * worth[place] - own[place]
        lifted = place in passages and more > gained[place]
        assert most[place] == (7 if lifted else 0)
        assert gain[place] == (more if lifted else gained[place])
        rise = more - gained[place] if lifted else 0
        assert scores[place] == before[place] + np.float32(rise)


@settings(max_examples=at_most(60))
@given(seed=seeds)
def test_what_belongs_to_a_passage_is_added_to_its_sum_alone(seed: int) -> None:
    random = np.random.default_rng(seed)
    sums = random.random(50).astype(np.float32)
    expected = sums.copy()
    passages = np.flatnonzero(random.random(50) < 0.5).astype(np.int32)
    values = random.random(len(passages)).astype(np.float32)
    kernels.add_at(sums, passages, values)
    for passage, value in zip(passages, values, strict=True):
        expected[passage] += value
    assert sums.tolist() == expected.tolist()


@settings(max_examples=at_most(60))
@given(seed=seeds, share=st.sampled_from([0.0, 0.5, 1.0]))
def test_those_kept_are_the_allowed_ones_in_their_order(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    allowed = random.random(80) < share
    passages = np.flatnonzero(random.random(80) < 0.7).astype(np.int32)
    impacts = random.random(len(passages)).astype(np.float32)
    kept, values = kernels.kept_of(allowed, passages, impacts, 2.5)
    pairs = list(zip(passages.tolist(), (np.float32(2.5) * impacts).tolist(), strict=True))
    found = list(zip(kept.tolist(), values.tolist(), strict=True))
    assert found == [pair for pair in pairs if allowed[pair[0]]]


def arguments() -> dict[str, Any]:
    question, codes, scales = table(np.random.default_rng(1), 6, 8)
    return {
        "question": question,
        "codes": codes,
        "scales": scales,
        "starts": np.array([0, 2, 6]),
        "owners": np.array([1, 0]),
    }


@pytest.mark.parametrize(
    ("name", "wrong", "error"),
    [
        ("question", np.zeros(7, dtype=np.float32), ValueError),
        ("scales", np.zeros(5, dtype=np.float32), (IndexError, ValueError)),
        ("owners", np.array([2]), IndexError),
        ("starts", np.array([0, 2, 7]), (IndexError, ValueError)),
        ("starts", np.array([0, 2, 2]), ValueError),
    ],
)
def test_what_does_not_fit_together_is_refused(name: str, wrong: Any, error: Any) -> None:
    with pytest.raises(error):
        kernels.best_dots(**(arguments() | {name: wrong}))


def test_rows_that_are_not_there_are_refused() -> None:
    question, codes, scales = table(np.random.default_rng(1), 6, 8)
    with pytest.raises(IndexError):
        kernels.dots_of(question, codes, scales, np.array([0, 6]))
    with pytest.raises(IndexError):
        kernels.vector_dots_of(question, np.zeros((6, 8), dtype=np.float32), np.array([6]))
    with pytest.raises(IndexError):
        kernels.add_at(np.zeros(6, dtype=np.float32), np.array([6], dtype=np.int32), scales[:1])


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("codes", np.zeros((6, 8), dtype=np.uint8)),
        ("codes", np.zeros(48, dtype=np.int8)),
        ("codes", np.zeros((6, 16), dtype=np.int8)[:, ::2]),
        ("scales", np.zeros(6)),
        ("owners", np.array([0], dtype=np.int32)),
    ],
)
def test_what_is_compiled_takes_arrays_of_its_types_alone(name: str, wrong: Any) -> None:
    if kernels.native is not None:
        with pytest.raises((TypeError, ValueError)):
            kernels.best_dots(**(arguments() | {name: wrong}))


def test_what_is_compiled_writes_into_nothing_that_is_read_only() -> None:
    if kernels.native is not None:
        sums = np.zeros(6, dtype=np.float32)
        sums.flags.writeable = False
        with pytest.raises((BufferError, ValueError)):
            kernels.add_at(sums, np.array([1], dtype=np.int32), np.ones(1, dtype=np.float32))
