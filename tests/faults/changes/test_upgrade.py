"""An index of another format: named with what to do, taken over by a build, and never in an old service's way"""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb.knowledge_base import KnowledgeBase
from kb.storage.generation import pinned_generation
from kb.storage.keys import KeyRing, keys_file
from kb.storage.manifest import FORMAT_VERSION, PIPELINE_VERSION
from kb.storage.open_newest import removed_articles
from kb.tasks.store import TaskStore
from search_api.service.app import create_app
from search_api.state.settings import load_settings
from support.commands import Kb, commands
from support.formats import Kept, next_format, unpacked
from support.library import Library, store_weights
from support.processes import Service, running
from support.service import bearer
from support.waiting import until

VERSION = 5
"""The format before this one."""


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return unpacked(VERSION, tmp_path / "kept")


@pytest.fixture
def kb(capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs a command in this process: exit code, stdout and stderr."""

    return lambda index, *arguments: commands(capsys, index)(*arguments)


@pytest.mark.parametrize(
    "command",
    [
        ("search", "iron"),
        ("show", "iron"),
        ("serve", "--port", "0"),
        ("status",),
        ("backup", "x.tar"),
    ],
)
def test_an_index_of_an_earlier_format_is_named_with_what_to_do(
    kb: Kb, kept: Kept, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = kb(kept.index, *command)
    assert code == 3
    for part in (f"format version {VERSION}", f"version {FORMAT_VERSION}", "kb build"):
        assert part in err


def test_check_calls_the_live_generation_unusable_and_opens_no_other_of_that_format(
    kb: Kb, kept: Kept
) -> None:
    code, out, _ = kb(kept.index, "check", "--json")
    assert code == 3
    live, older = json.loads(out)
    assert f"format version {VERSION}" in live["damage"]
    assert (older["damage"], older["format_version"]) == (None, VERSION)


@pytest.mark.parametrize("options", [(), ("--if-stale",)])
def test_a_build_takes_it_over_with_all_its_state_and_embeds_nothing(
    kb: Kb, kept: Kept, options: tuple[str, ...]
) -> None:
    before = kept.live()
    beside = {
        name: (kept.index / name).read_bytes()
        for name in ("removed.json", "tuning.json", "keys/keys.json")
    }
    tombstones = (kept.corpus / "_removed.txt").read_bytes()
    code, _, err = kb(kept.index, "build", *options)
    assert code == 0, err
    embedded = re.search(r"(\d+) of (\d+) texts embedded anew", err)
    assert embedded is not None
    assert (int(embedded[1]), int(embedded[2]) > 0) == (0, True)
    assert f"Generation {before} is kept for services of the earlier program" in err

    with KnowledgeBase.open(kept.index, verify="full") as opened:
        assert opened.damage is None
        assert opened.manifest.format_version == FORMAT_VERSION
        assert {summary.id for summary in opened.articles()} == {"iron", "salt", "sleep", "md-1"}
        for question, answer in kept.answers.items():
            found = opened.search(question)
            cited = [result.citation for result in found.results]
            results = [[each.article_id, each.section_id, each.quote] for each in cited]
            assert sorted(results) == sorted(answer["results"]), question
            assert [notice.id for notice in found.notices] == answer["notices"], question
        if PIPELINE_VERSION == 8:  # that they were fitted to
            assert opened.weights.keyword == 0.5
    assert {name: (kept.index / name).read_bytes() for name in beside} == beside
    assert (kept.corpus / "_removed.txt").read_bytes() == tombstones
    assert removed_articles(kept.index) == {"water", "md-2"}
    assert [key.name for key in KeyRing(keys_file(kept.index)).all()] == ["test"]
    store = TaskStore(kept.index)
    assert [(task.kind, task.state) for task in store.latest(9)] == [("rebuild", "queued")]
    store.close()

    assert kb(kept.index, "check")[0] == 0
    assert kb(kept.index, "build", "--if-stale")[0] == 0
    assert kb(kept.index, "rollback")[0] == 1  # there is none that this program could answer from
    assert kb(kept.index, "gc")[0] == 0
    assert [path.name for path in (kept.index / "generations").iterdir()] == [
        (kept.index / "CURRENT").read_text().strip()
    ]


def test_what_would_be_lost_is_known_across_formats(kb: Kb, kept: Kept) -> None:
    for name in ("iron", "salt", "sleep"):
        (kept.corpus / f"{name}.md").unlink()
    before = kept.live()
    code, _, err = kb(kept.index, "build")
    assert code == 1
    assert f"no article is in {kept.corpus}" in err
    assert "3 of the 4 published articles stood in it" in err
    assert kept.live() == before
    kept.corpus.rename(kept.root / "unmounted")
    code, _, err = kb(kept.index, "build")
    assert (code, "3 of the 4 published articles" in err) == (1, True)
    # The article of the collection that was removed is named in the folder that is gone.
    code, _, err = kb(kept.index, "build", "--replace")
    assert (code, "removed (1) would be published again" in err) == (1, True)
    assert kept.live() == before
    (kept.root / "unmounted").rename(kept.corpus)
    assert kb(kept.index, "build", "--replace")[0] == 0
    # So that a service of the earlier program, which may still start from its own generation, does not show them.
    assert removed_articles(kept.index) == {"iron", "salt", "sleep", "water", "md-2"}


def test_a_rollback_of_an_earlier_format_is_left_on_purpose_alone(kb: Kb, kept: Kept) -> None:
    older = kept.older()
    for name in ("CURRENT", "PINNED"):
        (kept.index / name).write_text(f"{older}\n")
    code, _, err = kb(kept.index, "build", "--if-stale")
    assert code == 3
    assert f"was rolled back to {older}" in err
    assert "`kb build` without --if-stale" in err
    assert pinned_generation(kept.index) == older
    assert kb(kept.index, "serve")[0] == 3
    assert kb(kept.index, "build")[0] == 0
    assert pinned_generation(kept.index) is None
    assert removed_articles(kept.index) == {"water", "md-2"}


def eventually(service: Service, status: str) -> dict[str, Any]:
    """What /healthz says once it says that."""

    def health() -> dict[str, Any] | None:
        found: dict[str, Any] = service.client.get("/healthz").json()
        return found if found["status"] == status else None

    return until(health, within_s=120)


def is_answered_by(service: Service, generation: str) -> None:
    """Questions, phrases and articles are, and the service says that it is ready."""
    for question in ("iron", '"comes first"'):
        found = service.client.get("/api/v1/search", params={"q": question}).raise_for_status()
        assert found.json()["generation"] == generation
        assert found.json()["results"]
    service.client.get("/api/v1/articles/article-1").raise_for_status()
    service.client.get("/readyz").raise_for_status()


def test_an_old_service_goes_on_with_its_own_generation_until_it_is_restarted_as_a_new_one(
    library: Library, kb: Kb
) -> None:
    """The old one is a process of this program, the new one this process, which writes the next format."""
    store_weights(library.index, 0.5)
    headers = bearer(library, "admin")
    library.put("article-0", "salted")  # and so its index knows its own corpus
    library.build()
    old = library.live().name
    with running(library, headers) as service:
        is_answered_by(service, old)
        with next_format():
            for word in ("tea", "honey", "milk"):  # more generations than are kept
                library.put("article-1", word)
                code, _, err = kb(library.index, "build")
                assert code == 0, err
                health = eventually(service, "degraded")
                assert health["generation"] == old
                assert "another format version" in health["reason"]
                assert "restart the service" in health["reason"]
                is_answered_by(service, old)
            assert kb(library.index, "gc", "--keep", "1")[0] == 0
            assert old in library.generations()
            new = library.live().name
        is_answered_by(service, old)
        service.end(signal.SIGTERM)
    with next_format():
        library.put("article-2", "cocoa")
        assert kb(library.index, "build")[0] == 0
        library.put("article-2", "coffee")
        assert kb(library.index, "build")[0] == 0
        new = library.live().name
    # Restarted as the old one all the same, it finds what it can read, and nothing that was removed since.
    with next_format():
        assert kb(library.index, "remove", "article-5")[0] == 0
        new = library.live().name
    with running(library, headers) as service:
        assert eventually(service, "degraded")["generation"] == old
        is_answered_by(service, old)
        assert service.client.get("/api/v1/articles/article-5").status_code == 404
    with next_format():
        with TestClient(create_app(load_settings(index=library.index))) as client:
            health = client.get("/healthz").json()
            assert (health["status"], health["generation"]) == ("ok", new)
        assert kb(library.index, "gc")[0] == 0
        assert old not in library.generations()


def test_collecting_spares_the_newest_of_another_format_and_no_older_one(
    kept: Kept, kb: Kb
) -> None:
    newest, older = kept.live(), kept.older()
    assert kb(kept.index, "build")[0] == 0
    folder = kept.index / "generations"
    assert {path.name for path in folder.iterdir()} == {kept.live(), newest}
    assert older != newest
    # Where the live one cannot say of what format it is, nothing else is for that reason too many.
    (folder / kept.live() / "manifest.json").write_bytes(b"")
    assert kb(kept.index, "gc")[0] == 0
    assert newest in {path.name for path in folder.iterdir()}
