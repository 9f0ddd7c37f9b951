"""kb.ranking.tuned_weights, and what opening a knowledge base makes of it"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.evaluation import runs
from kb.evaluation.measures import Topic, run_topics
from kb.knowledge_base import KnowledgeBase
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.ranking.tuned_weights import FILE, Gain, Tuning, load, remove, store
from kb.retrieval.signals import SIGNALS
from kb.schema.errors import TuningDamaged
from kb.storage.manifest import Manifest
from support.questions import QUESTION

WORDS = FusionWeights(keyword=0.9, dense=0.02, sentence=0.03, name=0.05, focus=0.0, wording=0.0)


def tuning(model: str = "a" * 64, version: int = 2, weights: FusionWeights = WORDS) -> Tuning:
    gains = {"nDCG@10": Gain(0.5, 0.6, 0.05, 0.15)}
    return Tuning(weights, "2026-02-01T00:00:00+00:00", 42, "section", gains, model, version)


def fitted_to(manifest: Manifest) -> Tuning:
    return tuning(manifest.model.sha256, manifest.pipeline_version)


@given(st.lists(st.floats(0, 1 / 6), min_size=6, max_size=6))
def test_what_is_stored_is_read_back_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    index = tmp_path_factory.mktemp("index")
    assert load(index) is None
    written = tuning(weights=FusionWeights(*values))
    store(index, written)
    assert load(index) == written
    store(index, tuning())
    assert load(index) == tuning()
    assert [path.name for path in index.iterdir()] == [FILE]
    assert remove(index)
    assert load(index) is None
    assert not remove(index)


@given(st.data())
def test_no_byte_can_change_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    index = tmp_path_factory.mktemp("index")
    content = bytearray(tuning().to_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    (index / FILE).write_bytes(content)
    try:
        found = load(index)
    except TuningDamaged as error:
        assert str(index / FILE) in str(error)
        assert f"kb tune --reset --index {index}" in str(error)
    else:
        assert found == tuning()  # white space between two values


def signed(**changes: object) -> bytes:
    """A file that its own hash vouches for, with other content."""
    content = json.loads(tuning().to_bytes()) | changes
    del content["sha256"]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return json.dumps(content | {"sha256": digest}).encode()


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "cannot be read"),
        (b"{}", "cannot be read"),
        (b"[]", "cannot be read"),
        (tuning().to_bytes()[:-40], "cannot be read"),
        (signed(format_version=9), "format version 9"),
        (signed(weights={"keyword": 1}), "cannot be read"),
        (signed(weights=dict.fromkeys(SIGNALS, 0.3)), "1"),
        (signed(weights=dict.fromkeys(SIGNALS, -0.1)), "0"),
        (signed(weights=dict.fromkeys(SIGNALS, "x")), ""),
        (signed(weights=dict.fromkeys(SIGNALS, float("nan"))), "0"),
    ],
)  # fmt: skip
def test_what_is_no_tuning_is_refused_with_file_and_remedy(
    tmp_path: Path, content: bytes, part: str
) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(TuningDamaged) as caught:
        load(tmp_path)
    assert str(tmp_path / FILE) in str(caught.value)
    assert "kb tune --reset" in str(caught.value)
    assert part in str(caught.value)
    assert remove(tmp_path)
    assert load(tmp_path) is None


def test_what_cannot_be_written_leaves_what_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tmp_path, tuning())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store(tmp_path, tuning("b" * 64))
    assert load(tmp_path) == tuning()
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_stored_weights_hold_for_their_model_and_pipeline_alone(
    knowledge_base: KnowledgeBase,
) -> None:
    manifest = knowledge_base.manifest
    fitting = fitted_to(manifest)
    assert fitting.mismatch(manifest) is None
    assert fitting.mismatch(replace(manifest, created="later", corpora=())) is None
    other_model = fitting.mismatch(replace(manifest, model=replace(manifest.model, sha256="0")))
    assert other_model is not None
    assert manifest.model.name in other_model
    version = manifest.pipeline_version + 1
    other_version = fitting.mismatch(replace(manifest, pipeline_version=version))
    assert other_version is not None
    assert f"version {version}" in other_version


def test_opening_takes_stored_weights_and_explicit_ones_win(index_copy: Path) -> None:
    with KnowledgeBase.open(index_copy) as shipped:
        assert shipped.weights == DEFAULT_WEIGHTS
        store(index_copy, fitted_to(shipped.manifest))
        default = runs.run(shipped, QUESTION)
    with (
        KnowledgeBase.open(index_copy) as tuned,
        KnowledgeBase.open(index_copy, weights=WORDS) as by_words,
        KnowledgeBase.open(index_copy, weights=DEFAULT_WEIGHTS) as explicit,
    ):
        assert tuned.weights == WORDS
        assert runs.run(tuned, QUESTION) == runs.run(by_words, QUESTION) != default
        assert runs.run(explicit, QUESTION) == default
        found = tuned.search(QUESTION).results[0]
        why = found.explanation
        assert why.keyword == pytest.approx(WORDS.keyword * why.keyword_score)
        assert (
            why.keyword + why.dense + why.sentence + why.name + why.focus + why.wording
            == pytest.approx(found.score)
        )


def test_weights_for_another_model_are_passed_over(index_copy: Path) -> None:
    store(index_copy, tuning())
    with KnowledgeBase.open(index_copy) as opened:
        assert opened.weights == DEFAULT_WEIGHTS


def test_damaged_weights_stop_opening_unless_none_are_asked_for(index_copy: Path) -> None:
    (index_copy / FILE).write_bytes(b"{")
    with pytest.raises(TuningDamaged, match="kb tune --reset"):
        KnowledgeBase.open(index_copy)
    with KnowledgeBase.open(index_copy, weights=DEFAULT_WEIGHTS) as opened:
        assert list(run_topics(opened, [Topic("q", QUESTION)], "section", 3))


def test_stored_weights_outlive_a_rebuild(index_copy: Path, tmp_path: Path) -> None:
    from indexer.build.build import build
    from indexer.build.request import BuildRequest

    with KnowledgeBase.open(index_copy) as before:
        store(index_copy, fitted_to(before.manifest))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "legs.md").write_text("# Jerking legs\n\nLegs jerk at night.\n")
    published = build(BuildRequest(index_copy, [corpus], replace=True)).generation
    with KnowledgeBase.open(index_copy) as after:
        assert after.generation == published != before.generation
        assert after.weights == WORDS
