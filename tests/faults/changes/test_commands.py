"""kb add, remove, watch, status, check, rollback, gc, backup and restore, as their users meet them"""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from indexer.build.stale import is_stale
from indexer.corpus.watch import watch
from indexer.generations.collect import collect_and_wait
from indexer.generations.last_build import last_build
from indexer.generations.lock import writer_lock
from kb.knowledge_base import KnowledgeBase
from kb.ranking import tuned_weights
from kb.storage.generation import pinned_generation
from kb.storage.manifest import Manifest
from kb_cli.main import run
from kb_cli.terminal.progress import how_far, make_progress
from support.commands import Kb
from support.library import Library, held, leftovers, markdown, store_weights
from support.places import CORPUS


def test_an_added_article_is_a_file_and_answers_and_a_removed_one_is_neither(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    code, out, err = kb("add", incoming)
    assert (code, out) == (0, "")
    assert f"Added news: {library.corpus / 'news.md'}" in err
    assert "1 added, 0 changed, 0 removed, 6 skipped (6 unchanged), 0 failed" in err
    assert (library.corpus / "news.md").read_bytes() == incoming.read_bytes()
    assert held(library.index)["news"] == "tea"

    incoming.write_text(markdown("news", "honey"))
    code, out, err = kb("add", incoming, "--json")
    assert json.loads(out)["accepted"] == [
        {"id": "news", "path": str(library.corpus / "news.md"), "replaced": True}
    ]
    assert json.loads(out)["build"]["changes"]["changed"] == 1
    assert held(library.index)["news"] == "honey"

    code, out, err = kb("remove", "news", "no-such")
    assert code == 1
    assert "Removed news" in err
    assert "'no-such'" in err
    assert not (library.corpus / "news.md").exists()
    assert "news" not in held(library.index)


def test_articles_of_a_collection_are_replaced_and_removed_though_it_is_not_written_to(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    lines = [
        {"id": f"md-{n}", "title": f"Vitamin {n}", "sections": [{"id": f"s{n}", "text": "Bones."}]}
        for n in range(3)
    ]
    collection = tmp_path / "collection.jsonl.gz"
    collection.write_bytes(
        gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    )
    before = collection.read_bytes()
    assert kb("build", "--corpus", library.corpus, "--corpus", collection)[0] == 0
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(lines[1] | {"title": "Another"}) + "\n")
    code, _, err = kb("add", other)
    assert code == 0, err
    assert kb("remove", "md-2")[0] == 0
    assert (library.corpus / "_removed.txt").read_text() == "md-1\nmd-2\n"
    assert collection.read_bytes() == before
    for _ in range(2):
        with KnowledgeBase.open(library.index) as opened:
            found = {summary.id: summary.title for summary in opened.articles()}
        assert {name: found.get(name) for name in ("md-0", "md-1", "md-2")} == {
            "md-0": "Vitamin 0",
            "md-1": "Another",
            "md-2": None,
        }
        assert "2 removed by `kb remove`" not in err
        kb("build")  # changes nothing
    assert kb("remove", "md-1")[0] == 0
    with KnowledgeBase.open(library.index) as opened:
        assert {"md-0"} == {s.id for s in opened.articles() if s.id.startswith("md")}


def test_a_corpus_that_is_named_twice_is_one(kb: Kb, library: Library) -> None:
    shutil.copy(CORPUS / "notices.yaml", library.corpus)
    (library.corpus / "draft.docx").write_text("")
    other = library.corpus / ".." / "corpus"
    link = library.root / "link"
    link.symlink_to(library.corpus)
    twice = [part for each in (library.corpus, other, link) for part in ("--corpus", each)]
    code, _, err = kb("build", *twice)
    assert (code, "could not be read" in err) == (0, False), err
    assert err.count("1 file was passed over: 1 Word document") == 1
    assert last_build(library.index).corpora == (library.corpus,)
    assert is_stale(BuildRequest(library.index, [library.corpus, other], library.model)) is False
    assert (
        build(BuildRequest(library.index, [other, library.corpus], library.model)).published
        is False
    )
    assert kb("remove", "article-1", *twice)[0] == 0


def test_what_cannot_be_read_is_named_and_the_others_are_added(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bad.md").write_bytes(b"# Caf\xe9\n\nText.\n")
    (folder / "good.txt").write_text("Good\n\nSome text that is long enough to be one.\n")
    code, _, err = kb("add", folder)
    assert code == 1
    assert "bad.md" in err
    assert "not UTF-8" in err
    assert (library.corpus / "good.txt").exists()
    assert kb("add", tmp_path / "nowhere.md")[0] == 1


def test_files_of_other_forms_are_passed_over_and_named_in_one_line_with_the_way_out(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    unnamed = (".hidden.docx", "LICENSE", "vocabulary.yaml", ".git/x.o")
    for name in (*unnamed, "_removed.txt", "draft.docx", "deep/notices.yaml", "x.html", "y.html"):
        path = library.corpus / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    html = "convert with `pandoc -f html-native_divs-native_spans -t gfm-raw_html -o FILE.md FILE.html`"
    word = "convert with `pandoc -f docx -t gfm-raw_html -o FILE.md FILE.docx`"
    line = (
        f"4 files were passed over: 2 HTML pages ({library.corpus / 'x.html'}, {library.corpus / 'y.html'}: {html}), "
        f"1 file of another form ({library.corpus / 'deep' / 'notices.yaml'}: save as FILE.md or FILE.txt) and "
        f"1 Word document ({library.corpus / 'draft.docx'}: {word}).\n"
    )
    code, out, err = kb("build", "--json")
    assert (code, err.count(line), err.count("passed over")) == (0, 1, 1)
    assert [(Path(each["path"]).name, each["form"]) for each in json.loads(out)["passed_over"]] == [
        ("notices.yaml", "file of another form"),
        ("draft.docx", "Word document"),
        ("x.html", "HTML page"),
        ("y.html", "HTML page"),
    ]

    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "news.md").write_text(markdown("news", "tea"))
    (folder / "news.html").write_text("<h1>News</h1>")
    code, out, err = kb("add", folder, "--json")
    assert code == 0
    assert f"1 file was passed over: 1 HTML page ({folder / 'news.html'}: {html}).\n" in err
    assert json.loads(out)["passed_over"] == [
        {"path": str(folder / "news.html"), "form": "HTML page"}
    ]
    assert "passed over" not in kb("add", folder / "news.md")[2]


def test_where_nothing_can_be_read_nothing_is_done_and_the_form_and_the_way_out_are_named(
    kb: Kb, library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, empty = tmp_path / "in", tmp_path / "empty"
    folder.mkdir()
    empty.mkdir()
    path = folder / "guide.txt.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    before, there = sorted(library.corpus.iterdir()), library.generations()
    only = (
        f"no article is in {folder}, only 1 PDF ({path}: save the text with `pdftotext FILE.pdf`); "
        "articles are Markdown, plain text or JSONL"
    )
    code, out, err = kb("add", folder, "--json")
    assert (code, err) == (1, f"Nothing was added: {only}.\n")
    done = json.loads(out)
    assert (done["accepted"], done["build"]) == ([], None)
    assert done["passed_over"] == [{"path": str(path), "form": "PDF"}]
    code, out, err = kb("build", "--corpus", folder)
    assert (code, out, err.startswith(f"kb: {only}. 6 of the 6 published articles")) == (
        1,
        "",
        True,
    )
    assert run(["lint", str(folder)]) == 1
    assert capsys.readouterr() == ("", f"kb: {only}\n")
    assert kb("add", path) == (
        1,
        "",
        f"kb: {path} is a PDF, and articles are Markdown, plain text or JSONL: "
        "save the text with `pdftotext FILE.pdf`\n",
    )
    code, _, err = kb("add", empty)
    assert (code, "Nothing was added: no article is in" in err) == (1, True)
    page = tmp_path / "page.txt"
    page.write_text("<!doctype html>\n<title>Legs</title>\n<p>They jerk.</p>\n")
    code, _, err = kb("add", page)
    assert (code, f"{page}: is an HTML page, and articles are " in err) == (1, True)
    assert (sorted(library.corpus.iterdir()), library.generations()) == (before, there)


def test_of_several_articles_of_one_id_the_first_is_added_and_the_others_are_named(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    first, second, lines = folder / "a.md", folder / "b.md", folder / "c.jsonl"
    first.write_text(markdown("article-1", "tea"))
    second.write_text(markdown("article-1", "honey"))
    sections = [{"id": "s", "text": "Milk."}]
    lines.write_text(
        "".join(json.dumps({"id": name, "sections": sections}) + "\n" for name in ("m", "m"))
    )
    code, out, err = kb("add", folder, "--json")
    done = json.loads(out)
    assert code == 1
    assert [each["id"] for each in done["accepted"]] == ["article-1", "m"]
    assert [(each["path"], each["line"]) for each in done["failures"]] == [
        (str(second), None),
        (str(lines), 2),
    ]
    assert f'the id "article-1" is already that of {first}, which stays' in err
    assert f'the id "m" is already that of {lines}:1, which stays' in err
    assert (library.corpus / "article-1.md").read_bytes() == first.read_bytes()


def test_adding_a_corpus_to_itself_deletes_nothing_of_it(kb: Kb, library: Library) -> None:
    twin = library.corpus / "twin.md"
    twin.write_text(markdown("article-1", "tea"))
    before = {path.name: path.read_bytes() for path in library.corpus.iterdir()}
    code, _, err = kb("add", library.corpus)
    assert code == 1
    assert f"{twin}: the id" in err
    assert {path.name: path.read_bytes() for path in library.corpus.iterdir()} == before
    assert held(library.index)["article-1"] == "salt"


def test_a_file_whose_name_is_taken_takes_another_place_and_one_of_the_same_title_replaces(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (library.corpus / "tea.md").write_text(markdown("about-tea", "tea"))
    (folder / "tea.md").write_text("# Tea\n\nWithout an id of its own.\n")
    incoming = folder / "article-1.txt"
    incoming.write_text("Salt\n\nPlain text about salt and about nothing else at all.\n")
    assert kb("add", folder / "tea.md", incoming)[0] == 0
    assert (library.corpus / "new" / "tea.md").exists()
    assert (library.corpus / "article-1.md").exists()  # another article, by its title
    with KnowledgeBase.open(library.index) as opened:
        assert {"tea", "about-tea", "article-1"} <= {summary.id for summary in opened.articles()}
        assert opened.article("article-1-2").title == "Salt"
    incoming.write_text("About article-1\n\nThe same in plain text, which is another form.\n")
    assert kb("add", incoming)[0] == 0
    assert not (library.corpus / "article-1.md").exists()
    with KnowledgeBase.open(library.index) as opened:
        assert "plain text" in opened.article("article-1").sections[0].text


def test_without_a_folder_to_write_to_adding_says_how_to_have_one(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    collection = tmp_path / "one.jsonl"
    collection.write_text(json.dumps({"id": "a", "sections": [{"id": "b", "text": "Text."}]}))
    assert kb("build", "--corpus", collection, "--replace")[0] == 0
    (tmp_path / "new.md").write_text(markdown("new", "tea"))
    code, _, err = kb("add", tmp_path / "new.md")
    assert code == 1
    assert f"--corpus FOLDER --corpus {collection}" in err
    folder = tmp_path / "mine"
    assert kb("add", tmp_path / "new.md", "--corpus", folder, "--corpus", collection)[0] == 0
    assert (folder / "new.md").exists()
    with KnowledgeBase.open(library.index) as opened:
        assert {"a", "new"} == {summary.id for summary in opened.articles()}


def test_build_without_a_corpus_named_takes_those_of_the_last_build(
    kb: Kb, library: Library
) -> None:
    library.put("article-1", "new")
    code, _, err = kb("build")
    assert code == 0, err
    assert held(library.index) == library.texts
    code, _, err = kb("build")
    assert code == 0
    assert "Nothing to do" in err


def test_status_says_what_is_live_and_what_is_stale(kb: Kb, library: Library) -> None:
    code, out, _ = kb("status")
    assert code == 0
    assert library.live().name in out
    assert "6 articles" in out
    assert "Stale: nothing" in out
    library.put("article-7", "tea")
    library.put("article-1", "tea")
    library.drop("article-2")
    (library.corpus / "broken.md").write_text("---\n")
    found = json.loads(kb("status", "--json")[1])
    assert found["generation"] == library.live().name
    assert found["stale"] == {
        "added": ["article-7"],
        "changed": ["article-1"],
        "removed": ["article-2"],
        "moved": [],
    }
    assert "broken.md" in found["unreadable"][0]
    assert found["last_build"]["changed"] == 1
    assert "1 added: article-7" in kb("status")[1]
    assert found["corpus_unreadable"] is None


def test_status_says_that_it_does_not_know_what_is_stale_where_the_corpus_is_gone(
    kb: Kb, library: Library
) -> None:
    library.corpus.rename(library.root / "elsewhere")
    code, out, _ = kb("status")
    assert code == 0
    assert "Stale: nothing" not in out
    assert f"the corpus cannot be read: {library.corpus} does not exist" in out
    assert out.count("does not exist") == 1
    found = json.loads(kb("status", "--json")[1])
    assert str(library.corpus) in found["corpus_unreadable"]


def test_check_names_the_damaged_file_and_tells_the_live_generation_from_others(
    kb: Kb, library: Library
) -> None:
    code, out, _ = kb("check")
    assert (code, out.count(": whole")) == (0, 2)
    older = library.index / "generations" / library.generations()[0] / "passages.npy"
    older.write_bytes(b"")
    code, out, _ = kb("check")
    assert code == 1
    assert str(older) in out
    live = library.live() / "vectors" / "names.npy"
    live.write_bytes(bytes(live.stat().st_size))
    code, out, _ = kb("check", "--json")
    assert code == 3
    (found,) = [each for each in json.loads(out) if each["live"]]
    assert str(live) in found["damage"]


def test_a_rollback_holds_until_a_build_on_purpose(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    before, good = held(library.index), library.live().name
    library.put("article-3", "fault")
    library.build()
    faulty = library.live().name
    code, out, err = kb("rollback")
    assert (code, out.strip()) == (0, good)
    assert (f"is rolled back to {good} and" in err, "It holds what" in err) == (True, False)
    assert held(library.index) == before
    assert "Pinned" in kb("status")[1]
    code, _, err = kb("build", "--if-stale")
    assert (code, "up to date" in err) == (0, False)
    assert f"was rolled back to {good} and stays so" in err
    assert "`kb build` without --if-stale" in err
    assert library.live().name == good
    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    code, _, err = kb("add", incoming)
    assert code == 0
    assert "stays so" in err
    assert (library.corpus / "news.md").exists()
    assert held(library.index) == before
    code, _, err = kb("remove", "article-1")
    assert code == 0, err
    without = {name: word for name, word in before.items() if name != "article-1"}
    assert held(library.index) == without
    assert f"stays rolled back: {library.live().name} holds what {good} held" in err
    assert "Pinned" in kb("status")[1]
    assert kb("rollback", faulty)[0] in (0, 1)  # collected meanwhile, or free of what was removed
    assert "article-1" not in held(library.index)
    assert kb("build")[0] == 0
    del library.texts["article-1"]
    assert held(library.index) == {**library.texts, "news": "tea"}
    assert "Pinned" not in kb("status")[1]
    assert kb("rollback", "20200101T000000Z-0000")[0] == 1


def test_a_rollback_brings_back_what_a_broken_file_lost_and_not_what_was_deleted(
    kb: Kb, library: Library
) -> None:
    (library.corpus / "article-1.md").write_text("---\ntitle: [\n---\n")
    library.drop("article-2")
    assert kb("build")[0] == 1
    assert held(library.index).keys().isdisjoint({"article-1", "article-2"})
    whole = json.loads(kb("status", "--json")[1])["kept"][1]
    code, out, err = kb("rollback")
    live = library.live().name
    assert (code, out.strip()) == (0, live)
    assert live != whole
    assert f"is rolled back to {live} and stays so" in err
    assert f"It holds what {whole} held, without 1 article removed since: article-2.\n" in err
    found = held(library.index)
    assert "article-1" in found
    assert "article-2" not in found


def test_a_second_writer_waits_and_says_for_whom_or_gives_up_and_says_who_it_is(
    kb: Kb, library: Library
) -> None:
    library.put("article-1", "new")
    with writer_lock(library.index):
        code, _, err = kb("build", "--wait", "0")
        assert code == 1
        assert "another build is at work (process " in err
        assert "At work: process" in kb("status")[1]

    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with writer_lock(library.index):
            holding.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait()
    threading.Timer(0.5, done.set).start()
    code, _, err = kb("build")
    holder.join()
    assert code == 0
    assert "waiting for it to end" in err
    assert held(library.index) == library.texts


def test_the_lock_is_good_though_somebody_deletes_its_file(library: Library) -> None:
    with writer_lock(library.index):
        (library.index / "lock").unlink()
        with writer_lock(library.index):
            pass
    with writer_lock(library.index):
        pass


def test_gc_deletes_what_is_old_left_over_and_forgotten(kb: Kb, library: Library) -> None:
    live = library.live().name
    (library.index / "generations" / ".building-7" / "vectors").mkdir(parents=True)
    (library.index / ".CURRENT.7.new").touch()
    older = library.generations()[-2]
    code, out, err = kb("gc", "--keep", "1")
    assert (code, out.strip()) == (0, older)
    assert "2 leftovers" in err
    assert library.generations() == [live]
    assert leftovers(library.index) == []
    assert " 0 embeddings" not in err
    assert library.build().embedded == 0
    library.put("article-0", "once more")
    assert 0 < library.build().embedded < 12
    assert kb("gc", "--keep", "0")[0] == 2


def test_a_build_waits_for_readers_that_follow_the_index_and_for_no_others(
    library: Library,
) -> None:
    """A service lets the older generation go as it takes over the newer; a notebook may hold it for a week."""

    def publish_two() -> None:
        for word in ("once", "twice"):
            library.put("article-0", word)
            library.build()

    following = KnowledgeBase.open(library.index)
    publish_two()
    assert len(library.generations()) == 3
    collect_and_wait(library.index, following.close)  # told that it is waited for, it lets go
    assert len(library.generations()) == 2

    with KnowledgeBase.open(library.index) as opened:
        publish_two()
        newer = library.generations()[1]
        an_hour_ago = time.time() - 3600
        os.utime(library.index / "generations" / newer / "manifest.json", (an_hour_ago,) * 2)
        collect_and_wait(library.index, lambda: pytest.fail("a notebook keeps nobody waiting"))
        assert opened.generation == library.generations()[0]
        assert opened.articles()
    library.build()
    assert len(library.generations()) == 2


def test_a_backup_comes_back_elsewhere_with_its_corpus(
    kb: Kb, library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (library.corpus / "_removed.txt").write_text("gone\n")
    backup, index, corpus = tmp_path / "backup.tar", tmp_path / "new" / "index", tmp_path / "corpus"
    code, _, err = kb("backup", backup)
    assert code == 0, err
    code = run(["restore", str(backup), "--index", str(index), "--corpus", str(corpus)])
    assert code == 0
    assert held(index) == library.texts
    assert {path.name: path.read_bytes() for path in corpus.iterdir()} == {
        path.name: path.read_bytes() for path in library.corpus.iterdir()
    }
    assert run(["restore", str(backup), "--index", str(index), "--corpus", str(corpus)]) == 1
    assert "not empty" in capsys.readouterr().err
    assert run(["build", "--index", str(index), "--corpus", str(corpus)]) == 0
    assert held(index) == library.texts


def test_a_backup_keeps_the_tuned_weights_what_was_removed_and_a_rollback(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    assert kb("backup", tmp_path / "older.tar")[0] == 0
    assert kb("remove", "article-1")[0] == 0
    library.put("article-3", "fault")
    library.build()
    assert kb("rollback")[0] == 0
    weights = store_weights(library.index, 0.5)
    assert kb("backup", tmp_path / "backup.tar")[0] == 0

    index = tmp_path / "new" / "index"
    code = run(["restore", str(tmp_path / "backup.tar"), "--index", str(index)])
    assert code == 0
    with KnowledgeBase.open(index) as opened:
        assert opened.weights == weights.weights
    assert pinned_generation(index) == library.live().name
    assert run(["restore", str(tmp_path / "older.tar"), "--index", str(index)]) == 0
    assert pinned_generation(index) is None
    assert "article-1" not in held(index)
    assert tuned_weights.load(index) == weights  # the older backup has none, and takes none away


def test_a_restore_that_fails_leaves_the_weights_as_they_were(
    kb: Kb, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_weights(library.index, 0.5)
    assert kb("backup", tmp_path / "backup.tar")[0] == 0

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for before in (store_weights(library.index, 0.2), None):
        if before is None:
            tuned_weights.remove(library.index)
        with monkeypatch.context() as patched:
            patched.setattr("indexer.maintenance.rollback.make_live", full)
            code, _, err = kb("restore", tmp_path / "backup.tar")
        said = f"kb: {library.index}: No space left on device: about "
        assert (code, err.startswith(said), err.count("\n")) == (1, True, 1), err
        assert tuned_weights.load(library.index) == before
        assert held(library.index) == library.texts


def test_what_was_removed_since_a_backup_stays_removed_when_it_is_restored(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    assert kb("backup", tmp_path / "backup.tar")[0] == 0
    assert kb("remove", "article-1")[0] == 0
    code, _, err = kb("restore", tmp_path / "backup.tar")
    assert code == 0
    assert "article-1" in err
    assert "article-1" not in held(library.index)
    assert len(library.generations()) == 2


def test_watching_builds_after_changes_have_settled_and_once_for_several(library: Library) -> None:
    now = 0.0
    told: list[float] = []
    looks = iter(range(1, 100))

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        look = next(looks)
        if look in (3, 4, 5):
            (library.corpus / "article-0.md").write_text(markdown("article-0", "x" * look))

    def build() -> None:
        told.append(now)
        (library.corpus / "_addresses.jsonl").write_text("".join(f"{when}\n" for when in told))

    watch(
        [library.corpus],
        build,
        interval_s=1,
        settle_s=2,
        stop=lambda: now >= 20,
        sleep=sleep,
        clock=lambda: now,
    )
    assert told == [0, 7]


def test_kb_watch_does_not_republish_what_was_rolled_back(
    kb: Kb, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.put("article-3", "fault")
    library.build()
    assert kb("rollback")[0] == 0
    before = held(library.index)

    def once(corpora: object, changed: Callable[[], None], **_: object) -> None:
        changed()
        (library.corpus / "article-4.md").write_text(markdown("article-4", "later"))
        changed()

    monkeypatch.setattr("indexer.corpus.watch.watch", once)
    code, _, err = kb("watch")
    assert code == 0
    assert err.count("was rolled back") == 2
    assert held(library.index) == before
    kb("build")
    code, _, err = kb("watch")
    assert held(library.index)["article-4"] == "later"


def test_kb_watch_keeps_to_what_a_build_was_told_meanwhile(
    kb: Kb, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(corpora: object, changed: Callable[[], None], **_: object) -> None:
        assert kb("build", "--precision", "bf16")[0] == 0
        (library.corpus / "article-4.md").write_text(markdown("article-4", "later"))
        changed()

    monkeypatch.setattr("indexer.corpus.watch.watch", once)
    assert kb("watch")[0] == 0
    assert held(library.index)["article-4"] == "later"
    assert Manifest.load(library.live()).model.precision == "bf16"


def test_a_search_in_a_damaged_index_is_answered_from_the_older_one_and_says_so(
    kb: Kb, library: Library
) -> None:
    library.put("article-0", "newest")
    library.build()
    damaged = library.live() / "passages.npy"
    damaged.write_bytes(b"")
    code, out, err = kb("search", "first")
    assert code == 0
    assert out.startswith("1. ")
    assert str(damaged) in err
    assert library.generations()[0] in err
    assert kb("build")[0] == 0
    assert kb("search", "first")[2] == ""


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, None, 1, "embed"),
        (1200, None, 1, "embed: 1,200"),
        (0, 10, 1, "embed: 0 of 10"),
        (10, 10, 5, "embed: 10 of 10"),
        (1, 4, 10.0, "embed: 1 of 4, about 30 s left"),
        (100, 1000, 60.0, "embed: 100 of 1,000, about 9 min left"),
    ],
)
def test_progress_says_what_is_done_and_what_is_left(
    done: int, total: int | None, seconds: float, said: str
) -> None:
    assert how_far("embed", done, total, seconds) == said


def test_without_a_terminal_a_stage_that_has_just_begun_is_not_blamed_for_the_time_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("kb_cli.terminal.progress.time.monotonic", lambda: now)
    progress = make_progress()
    progress.stage("load model")
    now = 30.0  # while the model is exported
    progress.stage("split", 26)
    progress.advance()
    assert capsys.readouterr().err == ""
    now = 41.0
    progress.advance()
    assert capsys.readouterr().err == "split: 2 of 26, about 2 min left\n"


def test_stages_are_shown_on_a_terminal_that_does_not_know_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        progress = make_progress()
        progress.stage("embed", 4)
        progress.advance(4)
        progress.close()
    # The kernel hands a terminal's bytes over in its own time, and says EIO after the last.
    shown = b""
    with suppress(OSError):
        while part := os.read(ours, 10_000):
            shown += part
    os.close(ours)
    assert b"embed: 100%" in shown
    assert b"4/4" in shown
