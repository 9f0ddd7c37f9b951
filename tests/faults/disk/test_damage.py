"""Every damage to a generation is seen before a byte of it is unpickled or mapped, and the newest whole one answers."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from fastapi.testclient import TestClient

from indexer.maintenance.backup import back_up
from indexer.maintenance.inspection import inspect
from indexer.maintenance.restore import restore
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import IndexUnusable, KbError
from kb.storage.generation import open_generation, save_stamps, stamp
from kb.storage.manifest import Manifest
from kb.storage.open_newest import REMOVED_FILE, open_newest, removed_to_bytes
from search_api.service.app import create_app
from search_api.state.settings import load_settings
from support.library import Library, held, markdown, store_weights


@contextmanager
def damaged(path: Path, content: bytes | None) -> Iterator[None]:
    """The file with another content, or without it, for a while."""
    whole = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(whole)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flip(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    bit = 1 << chance.randrange(8)
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


@pytest.fixture
def nothing_opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Checks that nothing in a folder was handed to what maps, parses or unpickles."""
    opened: list[str] = []

    def noting(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            opened.extend(map(str, arguments))
            return real(*arguments, **options)

        return call

    for place, name in (
        (np, "load"),
        (pickle, "load"),
        (pickle, "loads"),
        (onnxruntime, "InferenceSession"),
    ):
        monkeypatch.setattr(place, name, noting(getattr(place, name)))

    def check(folder: Path) -> None:
        assert not [path for path in opened if str(folder) in path]
        opened.clear()

    return check


def assert_refused(
    library: Library, nothing_opened: Callable[[Path], None], what: str
) -> tuple[Path, str]:
    """The live generation is opened by nobody, `kb check` says so, and the older one, which is whole, answers."""
    live, older = library.live(), library.generations()[0]
    assert older != live.name
    for verify in ("quick", "full"):
        with pytest.raises(IndexUnusable):
            open_generation(library.index, verify)  # type: ignore[arg-type]
    opened = open_newest(library.index, "full")
    opened.lease.release()
    assert (opened.folder.name, opened.damage is None) == (older, False), what
    found = {each.generation: each for each in inspect(library.index)}
    assert found[live.name].live, what
    assert found[live.name].damage, what
    assert found[older].damage is None
    nothing_opened(live)
    return live, older


def assert_seen(
    library: Library, nothing_opened: Callable[[Path], None], what: str, *, service: bool
) -> None:
    """The same, by asking: of Python, of the service, and for a backup."""
    live, older = assert_refused(library, nothing_opened, what)
    with pytest.raises((IndexUnusable, OSError)):
        back_up(library.index, library.root / "backup.tar")
    assert not (library.root / "backup.tar").exists()
    with KnowledgeBase.open(library.index) as opened:
        assert opened.generation == older, what
        assert opened.damage is not None
        assert opened.search("iron").results
        assert opened.search('"comes first"').results
    if service:
        with TestClient(create_app(load_settings(index=library.index))) as client:
            health = client.get("/healthz").json()
            assert (health["status"], health["generation"]) == ("degraded", older), what
            assert "kb build" in health["reason"]
            assert client.get("/api/v1/search?q=iron").json()["generation"] == older
    nothing_opened(live)


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def test_bit_flips_and_truncations(
    library: Library, nothing_opened: Callable[[Path], None], is_long: bool
) -> None:
    """100 flips and 20 truncations: of all files together, or, in the long form, of each."""
    chance = random.Random(1)
    paths = [path for path in files(library.live()) if path.stat().st_size]
    for path in paths if is_long else [None]:
        for number in range(120):
            spoilt = path or chance.choice(paths)
            content = spoilt.read_bytes()
            what = f"{'flip in' if number < 100 else 'truncated'} {spoilt}, {number}"
            with damaged(spoilt, (flip if number < 100 else cut)(content, chance)):
                if number % 20:
                    assert_refused(library, nothing_opened, what)
                else:
                    assert_seen(library, nothing_opened, what, service=number in (0, 100))


def test_every_file_deleted_zeroed_and_swapped_with_an_older_copy(
    library: Library, nothing_opened: Callable[[Path], None], is_long: bool
) -> None:
    live = library.live()
    older = live.parent / library.generations()[0]
    for number, path in enumerate(files(live)):
        content = path.read_bytes()
        name = path.relative_to(live)
        twin = older / name
        others: dict[str, bytes | None] = {"deleted": None, "zeroed": bytes(len(content))}
        if twin.exists():
            others["swapped"] = twin.read_bytes()
        for what, other in others.items():
            if other != content and (is_long or (number + len(what)) % 2):
                with damaged(path, other):
                    service = is_long or number % 16 == 0
                    assert_seen(library, nothing_opened, f"{what} {name}", service=service)


def test_a_build_upon_a_damaged_generation_copies_no_damage(
    library: Library, is_long: bool
) -> None:
    chance = random.Random(2)
    paths = [path for path in files(library.live()) if path.stat().st_size]
    for number in range(60 if is_long else 12):
        copy = library.copy(library.root.parent / f"copy-{number}")
        path = copy.live() / chance.choice(paths).relative_to(library.live())
        path.write_bytes(flip(path.read_bytes(), chance))
        copy.put("article-0", f"word{number}")
        copy.build()
        assert held(copy.index) == copy.texts, path
        with KnowledgeBase.open(copy.index) as opened:
            assert opened.search(f'"word{number}"').results
        shutil.rmtree(copy.root)


def test_a_damaged_index_is_mended_by_a_build_alone(library: Library) -> None:
    for path in files(library.index / "generations"):
        path.write_bytes(b"nonsense")
    with pytest.raises(IndexUnusable):
        held(library.index)
    library.build()
    assert held(library.index) == library.texts


def test_a_build_upon_a_damaged_generation_leaves_the_whole_one_to_fall_back_to(
    library: Library,
) -> None:
    held(library.index)  # stamps are made
    whole = set(library.generations()) - {library.live().name}
    path = library.live() / "articles.sqlite"
    status = path.stat()
    path.write_bytes(flip(path.read_bytes(), random.Random(3)))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    library.put("article-0", "afterwards")
    library.build()
    assert set(library.generations()) == {*whole, library.live().name}


@pytest.mark.parametrize("name", ["articles.sqlite", "passages.npy", "encoder/question.onnx"])
def test_damage_below_the_file_system_that_cannot_be_parsed_is_answered_by_an_older_generation(
    library: Library, name: str
) -> None:
    folder = library.live()
    path = folder / name
    path.write_bytes(b"nonsense" + path.read_bytes()[8:])
    stamps = {each: stamp(folder / each) for each in Manifest.load(folder).files}
    save_stamps(library.index, folder.name, stamps)  # the file looks as if nobody wrote to it
    with KnowledgeBase.open(library.index) as opened:
        assert opened.generation != folder.name
        assert name in str(opened.damage)


class Forged:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.marker), "w")


def test_a_forged_table_of_contents_never_runs_even_in_an_index_that_is_open(
    library: Library, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    contents = next(library.live().rglob("*.toc"))
    with KnowledgeBase.open(library.index, verify="full") as opened:
        plain = opened.search("iron")
        contents.write_bytes(pickle.dumps(Forged(marker)))
        with pytest.raises(IndexUnusable, match=contents.name):
            opened.search('"comes first"')
        assert [r.citation for r in opened.search("iron").results] == [
            r.citation for r in plain.results
        ]
    assert not marker.exists()


def test_an_operator_is_answered_from_what_was_verified_whatever_happens_to_the_files(
    library: Library, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    with KnowledgeBase.open(library.index, verify="full") as opened:
        before = opened.search('"comes first"').results
        assert before
        for path in (library.live() / "keyword").rglob("*.*"):
            path.write_bytes(pickle.dumps(Forged(marker)))
        assert opened.search('"comes first"').results == before
    assert not marker.exists()


def test_a_backup_with_any_flipped_bit_is_refused_and_the_index_stays(
    library: Library, tmp_path: Path, is_long: bool
) -> None:
    backup = tmp_path / "backup.tar"
    store_weights(library.index, 0.5)
    (library.index / REMOVED_FILE).write_bytes(removed_to_bytes(frozenset(["gone"])))
    done = back_up(library.index, backup)
    assert (done.corpus_files, done.missing) == (len(library.texts) + 1, ()), "the ledger, too"
    whole = backup.read_bytes()
    with tarfile.open(backup) as archive:
        members = [member for member in archive if member.size]
    assert {member.name.partition("/")[0] for member in members} == {
        *("generation", "corpora", "corpora.json", "beside")
    }
    live = library.live().name
    chance = random.Random(3)
    few = [member for member in members if not member.name.startswith("generation/")]
    for turn in range(100 if is_long else 25):
        member = few[turn] if turn < len(few) else chance.choice(members)
        start, size = member.offset_data, member.size
        place = start + chance.randrange(size)
        spoiled = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        backup.write_bytes(spoiled)
        with pytest.raises(KbError):
            restore(library.index, backup)
        assert library.live().name == live
    for cut in (0, 100, len(whole) // 3, len(whole) // 2):
        backup.write_bytes(whole[:cut])
        with pytest.raises(KbError):
            restore(library.index, backup)
    assert held(library.index) == library.texts
    assert len(library.generations()) == 2


def test_what_an_older_generation_shows_in_an_emergency_is_without_what_was_removed(
    library: Library,
) -> None:
    library.drop("article-1")
    library.build()
    (library.live() / "articles.sqlite").write_bytes(b"")
    with KnowledgeBase.open(library.index) as opened:
        assert opened.damage is not None
        found = {summary.id for summary in opened.articles()}
        assert found == library.texts.keys()
        assert opened.article_count == len(library.texts)
        for question in ("salt", "article-1", '"the cause"', "cause*", "-iron"):
            cited = {r.citation.article_id for r in opened.search(question, 100).results}
            assert "article-1" not in cited, question
        with pytest.raises(KbError):
            opened.article("article-1")


@pytest.mark.parametrize("spoilt", ["articles.sqlite", "suggestions/texts.npy", "manifest.json"])
def test_what_an_older_generation_suggests_in_an_emergency_is_without_what_was_removed(
    library: Library, spoilt: str
) -> None:
    """Neither the article, nor a section of it, nor a question that it alone asks, however they are typed."""
    text = markdown("article-6", "tea").replace("title: About article-6", "title: Why Zebras?")
    (library.corpus / "article-6.md").write_text(text)
    library.build()
    with KnowledgeBase.open(library.index) as opened:
        assert {suggestion.kind for suggestion in opened.suggest("zebras")} == {
            "question",
            "section",
        }
        assert opened.suggest("article-6 thing")
    (library.corpus / "article-6.md").unlink()
    library.build()
    (library.live() / spoilt).write_bytes(b"")

    def is_clean(suggestions: Iterable[tuple[str, str]]) -> None:
        for shown, url in suggestions:
            assert "zebra" not in f"{shown} {url}".lower()
            assert "article-6" not in f"{shown} {url}"

    settings = load_settings(index=library.index)
    with KnowledgeBase.open(library.index) as opened, TestClient(create_app(settings)) as client:
        assert opened.damage is not None
        assert client.get("/healthz").json()["status"] == "degraded"
        for typed in ("z", "zebras", "why zeb", "zebrsa", "article-6", "causes", "the article"):
            is_clean((each.text, each.url) for each in opened.suggest(typed, 50))
            answer = client.get("/api/v1/suggest", params={"q": typed, "limit": 50}).json()
            is_clean((each["text"], each["url"]) for each in answer["suggestions"])
        assert opened.suggest("article-1")
