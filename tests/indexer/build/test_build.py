"""indexer.build.build: tiny corpora, the real model"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from indexer.build import fresh
from indexer.build.build import build
from indexer.build.request import BuildReport, BuildRequest
from indexer.build.stale import is_stale
from indexer.corpus.progress import Progress
from indexer.embedding import device_choice
from indexer.embedding.export import DEFAULT_MODEL, EmbeddingModel
from indexer.generations.last_build import last_build
from kb.evaluation import runs
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import BuildInProgress, CorpusError, KbError, ModelError
from kb.storage.generation import current_generation, file_sha256
from kb.storage.manifest import Manifest, ModelInfo

Build = Callable[..., BuildReport]
T = TypeVar("T")
R = TypeVar("R")

LEGS = """---
id: legs
title: Restless legs
aliases: [jumpy legs]
updated: 2026-01-31
---
An urge to move the legs.

## Causes

Low iron is a common cause. It is found by a blood test.
"""
GUMS = "# Sore gums\n\nNew dentures can rub.\n\n## Care\n\nRinse with warm salt water.\n"
JSONL = {
    "id": "md-1",
    "title": "Vitamin D",
    "sections": [{"id": "md-1-0001", "heading": "Why", "text": "Bones need it."}],
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "legs.md").write_text(LEGS)
    (folder / "gums.md").write_text(GUMS)
    (folder / "more.jsonl").write_text(json.dumps(JSONL) + "\n")
    return folder


@pytest.fixture(autouse=True)
def loaded_once(model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default model is the real one, loaded once for all tests; any other is loaded as ever."""

    def export(name: str, folder: Path) -> ModelInfo:
        chosen = model if name == DEFAULT_MODEL else EmbeddingModel(name)
        chosen.export(folder)
        return chosen.info

    monkeypatch.setattr(fresh, "export_model", export)


@pytest.fixture
def quick_export(index_path: Path, model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `export` would write is what it wrote for the index of `corpus/`: it takes longer than a tiny build."""
    encoder = folder_of(index_path) / "encoder"
    monkeypatch.setattr(model, "export", lambda folder: shutil.copytree(encoder, folder))


def folder_of(index: Path) -> Path:
    return index / "generations" / current_generation(index)


def hashes(index: Path, *suffixes: str) -> dict[str, str]:
    folder = folder_of(index)
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.name.endswith(suffixes)
    }


@pytest.mark.usefixtures("quick_export")
class TestBuild:
    """Builds into an index of their own."""

    def test_the_report_and_the_manifest_count_what_is_there(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        report = build(BuildRequest(tmp_path / "index", [corpus]))
        assert (report.articles, report.sections, report.passages) == (3, 5, 5)
        assert report.failures == ()
        assert 0 < report.embedded <= report.texts
        assert report.generation == current_generation(tmp_path / "index")
        with KnowledgeBase.open(tmp_path / "index", verify="full") as opened:
            counts = opened.manifest.counts
            assert (counts.articles, counts.sections, counts.passages) == (3, 5, 5)
            assert opened.manifest.model.name == DEFAULT_MODEL
            assert opened.article("gums").title == "Sore gums"
            best = opened.search("what helps against jumpy legs from lack of iron").results[0]
            assert (best.citation.article_id, best.citation.section_id) == ("legs", "causes")

    def test_a_precision_is_kept_to_and_another_one_embeds_anew(
        self, tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(device_choice, "MIN_TORCH_TOKENS", 0)
        index = tmp_path / "index"
        first = build(BuildRequest(index, [corpus], precision="bf16"))
        assert first.embedded > 0
        assert not is_stale(BuildRequest(index, [corpus], precision="bf16"))
        assert is_stale(BuildRequest(index, [corpus]))
        assert last_build(index).precision == "bf16"
        with KnowledgeBase.open(index) as opened:
            assert opened.manifest.model.precision == "bf16"
            best = opened.search("what helps against jumpy legs from lack of iron").results[0]
            assert (best.citation.article_id, best.citation.section_id) == ("legs", "causes")
        rounded = np.load(folder_of(index) / "vectors" / "passages.npy")
        assert build(BuildRequest(index, [corpus], precision="bf16")).published is False
        assert build(BuildRequest(index, [corpus])).embedded == first.embedded
        whole = np.load(folder_of(index) / "vectors" / "passages.npy")
        cosines = (rounded * whole).sum(axis=1)
        assert not np.array_equal(rounded, whole)
        assert float(cosines.min()) > 0.99
        assert np.linalg.norm(rounded, axis=1) == pytest.approx(1, abs=1e-5)

    def test_ids_in_runs_are_those_of_jsonl_as_given_and_article_and_section_for_markdown(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        build(BuildRequest(tmp_path / "index", [corpus]))
        with KnowledgeBase.open(tmp_path / "index") as opened:
            assert {unit for unit, _ in runs.run(opened, "bones", "section")} == {
                *("md-1-0001", "legs#top", "legs#causes", "gums#top", "gums#care")
            }
            assert {unit for unit, _ in runs.run(opened, "bones", "article")} == {
                "md-1",
                "legs",
                "gums",
            }
            assert runs.run(opened, "bones", "passage")[0][0] == "md-1#md-1-0001@0"

    def test_a_bad_article_stops_no_other_and_stands_in_report_and_manifest(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        (corpus / "latin.md").write_bytes(b"# Caf\xe9\n\nText.\n")
        (corpus / "broken.md").write_text("---\ntitle: [\n---\nText.\n")
        (corpus / "twin.md").write_text(LEGS)
        Path(os.fsdecode(bytes(corpus) + b"/n\xe4me.md")).write_bytes(b"")
        report = build(BuildRequest(tmp_path / "index", [corpus]))
        assert report.articles == 3
        messages = [str(failure) for failure in report.failures]
        assert len(messages) == 4
        for name in ("latin.md", "broken.md", "twin.md", "n?me.md"):
            assert any(name in message for message in messages), name
        assert any("legs" in message and "legs.md" in message for message in messages)
        manifest = Manifest.load(folder_of(tmp_path / "index"))
        assert list(manifest.failures) == messages
        assert not is_stale(BuildRequest(tmp_path / "index", [corpus]))

    def test_the_same_corpus_gives_the_same_bytes_in_another_folder(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        build(BuildRequest(tmp_path / "one", [corpus]))
        shutil.copytree(corpus, tmp_path / "elsewhere" / "corpus")
        build(BuildRequest(tmp_path / "two", [tmp_path / "elsewhere" / "corpus"]))
        found = hashes(tmp_path / "one", ".npy", ".sqlite", "encoder.json")
        assert len(found) >= 13
        assert hashes(tmp_path / "two", ".npy", ".sqlite", "encoder.json") == found

    def test_building_again_embeds_nothing_anew_and_changes_no_array(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        index = tmp_path / "index"
        build(BuildRequest(index, [corpus]))
        found = hashes(index, ".npy", ".sqlite", ".onnx")
        again = build(BuildRequest(index, [corpus]))
        assert again.embedded == 0
        assert hashes(index, ".npy", ".sqlite", ".onnx") == found

    def test_changing_one_article_embeds_its_texts_alone(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        index = tmp_path / "index"
        first = build(BuildRequest(index, [corpus]))
        (corpus / "gums.md").write_text(GUMS.replace("warm salt water", "cold tea"))
        second = build(BuildRequest(index, [corpus]))
        assert 0 < second.embedded <= 2  # the passage, and its one sentence
        assert second.texts == first.texts
        with KnowledgeBase.open(index) as opened:
            assert opened.search("cold tea").results[0].citation.quote == "Rinse with cold tea."

    def test_an_index_is_stale_when_the_corpus_or_the_model_is_another(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        index = tmp_path / "index"
        assert is_stale(BuildRequest(index, [corpus]))
        build(BuildRequest(index, [corpus]))
        assert not is_stale(BuildRequest(index, [corpus]))
        assert not is_stale(BuildRequest(index, [tmp_path / "corpus" / ".." / "corpus"]))
        assert is_stale(BuildRequest(index, [corpus], "another-model"))
        assert is_stale(BuildRequest(index, [corpus, corpus / "legs.md"]))
        os.utime(corpus / "legs.md", (0, 0))
        assert not is_stale(BuildRequest(index, [corpus]))
        (corpus / "legs.md").write_text(LEGS + "\nMore.\n")
        assert is_stale(BuildRequest(index, [corpus]))
        (corpus / "legs.md").write_text(LEGS)
        assert not is_stale(BuildRequest(index, [corpus]))
        (folder_of(index) / "passages.npy").unlink()
        assert is_stale(BuildRequest(index, [corpus]))

    def test_an_index_whose_rankings_settings_were_others_is_stale(
        self, tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        build(BuildRequest(tmp_path / "index", [corpus]))
        monkeypatch.setattr("indexer.generations.base.BM25FParameters", lambda: "others")
        assert is_stale(BuildRequest(tmp_path / "index", [corpus]))

    @pytest.mark.parametrize("case", ["missing", "empty", "unusable", "model", "interrupted"])
    def test_a_build_that_cannot_be_done_leaves_the_live_generation_alone(
        self, tmp_path: Path, corpus: Path, case: str
    ) -> None:
        index = tmp_path / "index"
        live = build(BuildRequest(index, [corpus])).generation
        (tmp_path / "empty").mkdir()
        (tmp_path / "bad").mkdir()
        (tmp_path / "bad" / "latin.md").write_bytes(b"\xe9")
        model = "no-such/model" if case == "model" else DEFAULT_MODEL
        corpora = {
            "missing": tmp_path / "no",
            "empty": tmp_path / "empty",
            "unusable": tmp_path / "bad",
        }

        class Interrupt(Progress):
            closed = False

            def stage(self, name: str, total: int | None = None) -> None:
                if case == "interrupted" and name == "write":
                    raise KeyboardInterrupt

            def close(self) -> None:
                self.closed = True

        progress = Interrupt()
        (corpus / "gums.md").write_text(GUMS + "\nMore.\n")
        with pytest.raises((CorpusError, ModelError, KeyboardInterrupt)) as caught:
            build(BuildRequest(index, [corpora.get(case, corpus)], model), progress)
        if case in corpora:
            assert str(corpora[case]) in str(caught.value)
        assert progress.closed
        assert current_generation(index) == live
        assert [path.name for path in (index / "generations").iterdir()] == [live]
        with KnowledgeBase.open(index, verify="full") as opened:
            assert opened.article_count == 3

    def test_what_a_killed_build_left_is_swept(self, tmp_path: Path, corpus: Path) -> None:
        leftover = tmp_path / "index" / "generations" / ".building-1" / "vectors"
        leftover.mkdir(parents=True)
        report = build(BuildRequest(tmp_path / "index", [corpus]))
        assert [path.name for path in (tmp_path / "index" / "generations").iterdir()] == [
            report.generation
        ]

    def test_two_generations_are_kept_and_an_open_one_is(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        index = tmp_path / "index"
        build(BuildRequest(index, [corpus]))
        with KnowledgeBase.open(index) as reader:
            for number in range(3):
                (corpus / "gums.md").write_text(f"{GUMS}\nNote {number}.\n")
                build(BuildRequest(index, [corpus]))
            assert len(list((index / "generations").iterdir())) >= 2
            assert reader.search("salt water").results[0].citation.article_id == "gums"
        build(BuildRequest(index, [corpus]))
        assert len(list((index / "generations").iterdir())) == 2

    def test_a_build_beside_another_is_refused(self, tmp_path: Path, corpus: Path) -> None:
        class Second(Progress):
            refused = False

            def stage(self, name: str, total: int | None = None) -> None:
                if name == "read":
                    with pytest.raises(BuildInProgress):
                        build(BuildRequest(tmp_path / "index", [corpus]))
                    self.refused = True

        progress = Second()
        build(BuildRequest(tmp_path / "index", [corpus]), progress)
        assert progress.refused

    def test_stages_are_told_with_as_many_steps_as_they_take(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        class Counted(Progress):
            def __init__(self) -> None:
                self.stages: dict[str, tuple[int | None, int]] = {}

            def stage(self, name: str, total: int | None = None) -> None:
                self.name = name
                self.stages[name] = (total, 0)

            def advance(self, steps: int = 1) -> None:
                total, done = self.stages[self.name]
                self.stages[self.name] = (total, done + steps)

        progress = Counted()
        build(BuildRequest(tmp_path / "index", [corpus]), progress)
        assert {"read", "split", "embed tokens", "publish"} <= set(progress.stages)
        for name, (total, done) in progress.stages.items():
            assert total is None or total == done, name

    def test_a_patched_large_index_has_the_codes_of_one_that_was_built_at_once(
        self, tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("indexer.writers.coarse.EXACT_UP_TO", 3)
        build(BuildRequest(tmp_path / "patched", [corpus]))
        before = hashes(tmp_path / "patched", "coarse.npy", "coarse_columns.npy")
        (corpus / "new.md").write_text("# Cold feet\n\nWool warms them.\n")
        (corpus / "gums.md").unlink(missing_ok=True)
        # A vector differs in its last bits with its batch: so each is to be the same one.
        shutil.copytree(tmp_path / "patched" / "cache", tmp_path / "fresh" / "cache")
        for index in ("patched", "fresh"):
            build(BuildRequest(tmp_path / index, [corpus]))
        patched, fresh = (
            hashes(tmp_path / index, "coarse.npy", "coarse_columns.npy")
            for index in ("patched", "fresh")
        )
        assert patched == fresh != before
        assert len(fresh) == 2

    def test_another_executor_writes_the_same_files(self, tmp_path: Path, corpus: Path) -> None:
        class Sending:
            """Sends each batch and its result through pickle, as another process would get them."""

            def map(
                self, step: Callable[[T], R], batches: Iterable[T], lanes: int = 0
            ) -> Iterator[R]:
                for batch in batches:
                    sent: Callable[[T], R] = pickle.loads(pickle.dumps(step))
                    yield pickle.loads(pickle.dumps(sent(pickle.loads(pickle.dumps(batch)))))

        build(BuildRequest(tmp_path / "here", [corpus]))
        shutil.copytree(tmp_path / "here" / "cache", tmp_path / "there" / "cache")
        build(BuildRequest(tmp_path / "there", [corpus]), executor=Sending())
        for index in ("here", "there"):  # of new texts, both embed a batch
            (corpus / "new.md").write_text("# Cold feet\n\nWool warms them.\n")
            build(
                BuildRequest(tmp_path / index, [corpus]),
                executor=Sending() if index == "there" else None,
            )
        here, there = (hashes(tmp_path / index, ".npy", ".sqlite") for index in ("here", "there"))
        assert here == there

    def test_a_cache_that_cannot_be_written_is_one_message(
        self, tmp_path: Path, corpus: Path
    ) -> None:
        (tmp_path / "index" / "cache" / "embeddings.sqlite").mkdir(parents=True)
        with pytest.raises(KbError, match="cannot be written"):
            build(BuildRequest(tmp_path / "index", [corpus]))


def test_another_process_with_another_hash_seed_writes_the_same_bytes(
    tmp_path: Path, corpus: Path, index_copy: Path
) -> None:
    # Over another index of the same model, whose encoder is taken, but with no cache.
    shutil.copytree(index_copy, tmp_path / "one")
    build(BuildRequest(tmp_path / "one", [corpus], replace=True))
    script = (
        "import sys; from pathlib import Path; from indexer.build.build import build\n"
        "from indexer.build.request import BuildRequest\n"
        "build(BuildRequest(Path(sys.argv[1]), [Path(sys.argv[2])], replace=True))"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(index_copy), str(corpus)],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        check=True,
    )
    assert hashes(index_copy, ".npy", ".sqlite") == hashes(tmp_path / "one", ".npy", ".sqlite")
