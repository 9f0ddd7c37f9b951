"""indexer.writers.wording: what is merged is what is written of both at once, byte for byte"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.writers.wording import merge_wording, write_wording
from kb.compute.kernels import SENTENCE_END
from kb.retrieval.wording import stem_hash

PASSAGE = st.lists(st.sampled_from(["Legs jerk.", "The heart beats.", "–", "2.5 mg"]), max_size=3)


@given(st.lists(st.tuples(PASSAGE, st.sampled_from(["stays", "goes", "comes"])), max_size=12))
def test_what_is_merged_is_what_is_written_at_once(passages: list[tuple[list[str], str]]) -> None:
    before = [place for place, (_, fate) in enumerate(passages) if fate != "comes"]
    new = [place for place, (_, fate) in enumerate(passages) if fate == "comes"]
    wanted = [place for place, (_, fate) in enumerate(passages) if fate != "goes"]
    numbers = {place: number for number, place in enumerate([*before, *new])}
    with TemporaryDirectory() as folder:
        for name, places in (("one", before), ("other", new), ("expected", wanted)):
            write_wording(Path(folder, name), [passages[place][0] for place in places])
        order = np.array([numbers[place] for place in wanted], dtype=np.int64)
        merge_wording(Path(folder, "both"), Path(folder, "one"), Path(folder, "other"), order)
        for file in ("words.npy", "starts.npy"):
            merged, expected = (Path(folder, name, file) for name in ("both", "expected"))
            assert merged.read_bytes() == expected.read_bytes()


def test_words_are_hashes_of_their_stems_and_sentences_are_apart(tmp_path: Path) -> None:
    write_wording(tmp_path / "words", [["The legs jerk.", "Why?"], [], ["Jerked"]])
    words = np.load(tmp_path / "words" / "words.npy").tolist()
    expected = [stem_hash(stem) for stem in ("the", "leg", "jerk")]
    assert words == [*expected, SENTENCE_END, stem_hash("whi"), stem_hash("jerk")]
    assert np.load(tmp_path / "words" / "starts.npy").tolist() == [0, 5, 5, 6]
