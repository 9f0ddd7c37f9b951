"""A power cut at any moment loses no index and no acknowledged article."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from indexer.corpus.editing import add, remove
from kb.schema.errors import IndexUnusable
from support.crashes.power import Moment, Recorder, crash
from support.library import Library, held, leftovers, markdown

LONG, SHORT = 500, 60


@pytest.fixture(scope="module")
def recorded(
    tiny_library: Library, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Library, Recorder, dict[str, str]]:
    """A session of a writer, step by step: an article added and acknowledged, a build, one removed, a build."""
    library = tiny_library.copy(tmp_path_factory.mktemp("recorded") / "library")
    before = dict(library.texts)
    incoming = library.root.parent / "news.md"
    incoming.write_text(markdown("news", "tea"))
    recorder = Recorder(library.root)
    with pytest.MonkeyPatch.context() as monkeypatch, recorder.recording(monkeypatch):
        add([library.corpus], [incoming])
        recorder.note("added")
        library.build()
        recorder.note("published")
        remove([library.corpus], ["article-1"])
        recorder.note("removed")
        library.build()
        recorder.note("published without")
    return library, recorder, before


def place_of(recorder: Recorder, step: str) -> int:
    return next(place for place, moment in enumerate(recorder.moments) if moment.step == step)


def image(
    library: Library, moments: list[Moment], at: int, target: Path, seed: int, *, syncs: bool = True
) -> Library:
    shutil.rmtree(target, ignore_errors=True)
    crash(moments, at, target, seed, syncs=syncs)
    return Library(target, library.model)


def test_power_cuts_at_any_moment_lose_nothing(
    recorded: tuple[Library, Recorder, dict[str, str]], tmp_path: Path, is_long: bool
) -> None:
    library, recorder, before = recorded
    added, removed = place_of(recorder, "added"), place_of(recorder, "removed")
    published = place_of(recorder, "published")
    gone = place_of(recorder, "published without")
    both = {**before, "news": "tea"}
    after = {name: text for name, text in both.items() if name != "article-1"}
    for seed in range(LONG if is_long else SHORT):
        at = random.Random(seed).randrange(1, len(recorder.moments))
        what = f"seed {seed}, after {recorder.moments[at].step}"
        cut = image(library, recorder.moments, at, tmp_path / "cut", seed)
        expected = [before, both] if at < published else [both, after]
        assert held(cut.index) in ([after] if at >= gone else expected), what
        assert at < added or (cut.corpus / "news.md").read_text() == markdown("news", "tea"), what
        assert at < removed or not (cut.corpus / "article-1.md").exists(), what
        if is_long or seed % 25 == 0:
            build(BuildRequest(cut.index, [cut.corpus], cut.model))
            there = {path.stem for path in cut.corpus.glob("*.md") if path.name[0] != "."}
            assert held(cut.index).keys() == there, what
            assert leftovers(cut.index) == [], what
            assert len(cut.generations()) <= 2, what


def test_a_disk_that_forgets_what_was_synced_is_caught_by_these_power_cuts(
    recorded: tuple[Library, Recorder, dict[str, str]], tmp_path: Path
) -> None:
    library, recorder, _ = recorded
    lost = 0
    for seed in range(60):
        at = random.Random(seed).randrange(1, len(recorder.moments))
        cut = image(library, recorder.moments, at, tmp_path / "cut", seed, syncs=False)
        try:
            held(cut.index)
        except (IndexUnusable, AssertionError):
            lost += 1
    assert lost > 5


def test_a_publication_syncs_files_folder_manifest_current_and_index_in_this_order(
    recorded: tuple[Library, Recorder, dict[str, str]],
) -> None:
    _, recorder, _ = recorded
    begin, end = place_of(recorder, "added"), place_of(recorder, "published")
    steps = [
        moment.step
        for moment in recorder.moments[begin:end]
        if moment.step.split()[0] in ("fsync", "rename", "replace")
    ]
    manifest = steps.index("fsync manifest.json")
    folder = next(step for step in steps if step.startswith("fsync .building"))
    for name in ("articles.sqlite", "passages.npy", "model.onnx", "sources.json", "lease"):
        assert steps.index(f"fsync {name}") < steps.index(folder) < manifest
    last = [step for step in steps[manifest:] if ".json" not in step or "manifest" in step]
    renamed = next(step for step in last if step.startswith("rename "))
    current = next(step for step in last if step.startswith("fsync .CURRENT"))
    order = [
        *("fsync manifest.json", folder, renamed, "fsync generations"),
        *(current, "replace CURRENT", "fsync index"),
    ]
    assert [step for step in last if step in order] == order
