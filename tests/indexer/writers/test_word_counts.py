"""indexer.writers.word_counts and what spelling makes of them: patched or made anew, the same bytes"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.writers import spelling
from indexer.writers.spelling import Earlier, write_spelling
from indexer.writers.word_counts import WordCounts, count_words
from kb.question.spelling import Spelling, hashes_of, pair_hashes
from kb.schema.article import Article, Section
from kb.text.symmetric_delete import MAX_LETTERS, deletion_table, patched_table
from kb.text.words import fold

ENGLISH = ["the", "cough", "barking", "café", "children", "weather", "pneumonia"]
WORDS = st.sampled_from(
    [*ENGLISH, "croup", "stridor", "Crohn’s", "CROUP", "naïve", "ﷺ", "x", "laryngotracheitis"]
) | st.text("abé'’ ", min_size=1, max_size=9)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)


def article(number: int, title: str, text: str, heading: str) -> Article:
    return Article(f"a{number}", title, (Section("s", heading, 2, text),), aliases=(heading,))


ARTICLES = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6).map(
    lambda found: [article(number, *texts) for number, texts in enumerate(found)]
)


@pytest.fixture
def little_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "english_words", lambda: ENGLISH)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("little_english")
@given(articles=ARTICLES, data=st.data())
def test_words_counted_upwards_give_the_bytes_of_words_counted_anew(
    articles: list[Article], data: st.DataObject
) -> None:
    before = [each for each in articles if data.draw(st.booleans(), label="was there")]
    gone = [each for each in before if data.draw(st.booleans(), label="goes")]
    after = [each for each in articles if each not in gone]
    come = [each for each in after if each not in before]
    root = Path(tempfile.mkdtemp())
    try:
        count_words(before).save(root / "counts-before")
        write_spelling(root / "before", count_words(before))
        kept = WordCounts.load(root / "counts-before")
        patched = kept.plus(count_words(gone), -1).plus(count_words(come))
        for name, counts, earlier in (
            ("anew", count_words(after), None),
            ("patched", patched, Earlier(root / "before", kept.words.keys())),
        ):
            counts.save(root / f"counts-{name}")
            write_spelling(root / name, counts, earlier)
        assert content(root / "counts-patched") == content(root / "counts-anew")
        assert content(root / "patched") == content(root / "anew")
    finally:
        shutil.rmtree(root)


@given(ARTICLES)
def test_words_and_pairs_are_counted_as_they_stand(articles: list[Article]) -> None:
    word = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

    def rows(texts: list[str]) -> list[list[str]]:
        return [[fold(found) for found in word.findall(text.lower())] for text in texts]

    texts = rows([section.text for each in articles for section in each.sections])
    names = rows(
        [
            name
            for each in articles
            for name in (
                each.display_title,
                *each.aliases,
                *(section.heading for section in each.sections),
            )
        ]
    )
    counts = count_words(articles)
    for row, of in ((texts, "texts"), (names, "names")):
        expected = Counter(name for line in row for name in line if name)
        assert {
            name: getattr(found, of) for name, found in counts.words.items() if getattr(found, of)
        } == expected
    pairs = Counter(
        pair
        for line in texts
        for pair in pairwise(line)
        if min(map(len, pair)) >= 3 and all(counts.words[each].stem for each in pair)
    )
    expected_keys = {
        int(pair_hashes(*(hashes_of([each]) for each in pair))[0]): count
        for pair, count in pairs.items()
    }
    found = counts.text_pairs
    assert dict(zip(found.keys.tolist(), found.counts.tolist(), strict=True)) == expected_keys
    assert (np.diff(found.keys.astype(object)) > 0).all()


@pytest.mark.usefixtures("little_english")
def test_a_word_that_leaves_the_library_corrects_no_more(tmp_path: Path) -> None:
    counts = count_words([article(1, "Croup", "", ""), article(2, "Stridor", "", "")])
    write_spelling(tmp_path / "both", counts)
    assert Spelling(tmp_path / "both").repair("stridr").text == "stridor"
    left = counts.plus(count_words([article(2, "Stridor", "", "")]), -1)
    write_spelling(tmp_path / "left", left, Earlier(tmp_path / "both", counts.words.keys()))
    assert Spelling(tmp_path / "left").repair("stridr").text == "stridr"
    assert (
        Spelling(tmp_path / "left").repair("crop").text
        == Spelling(tmp_path / "both").repair("crop").text
    )


@given(
    st.sets(st.text("abcdé", min_size=1, max_size=MAX_LETTERS), max_size=12),
    st.sets(st.text("abcdé", min_size=1, max_size=MAX_LETTERS), max_size=12),
)
def test_a_patched_table_is_the_table_of_all(before: set[str], after: set[str]) -> None:
    def table(words: list[str]) -> tuple[list[str], np.ndarray, tuple[np.ndarray, np.ndarray]]:
        slips = np.array([len(word) % 3 for word in words], dtype=np.int64)
        return words, slips, deletion_table(words, slips)

    old, _, (hashes, places) = table(sorted(before))
    new, slips, expected = table(sorted(after))
    moved = np.array([new.index(word) if word in after else -1 for word in old], dtype=np.int64)
    for found, wanted in zip(
        patched_table(hashes, places, moved, new, slips), expected, strict=True
    ):
        assert found.dtype == wanted.dtype
        assert np.array_equal(found, wanted)
