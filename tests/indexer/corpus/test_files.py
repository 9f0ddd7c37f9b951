"""indexer.corpus.files"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.corpus import files
from indexer.corpus.fingerprint import corpus_infos
from indexer.corpus.reading import FILE_MAX_BYTES
from indexer.corpus.scan import Scan
from kb.schema.errors import ArticleError, CorpusError
from kb.storage.sources import Sources
from support.json_lines import write_records
from support.places import CORPUS


def fingerprint(paths: list[Path]) -> tuple[str, ...]:
    return tuple(info.fingerprint for info in corpus_infos(paths))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "corpus"
    path.mkdir()
    return path


def article(path: Path, title: str = "T", article_id: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    front = f"---\nid: {article_id}\n---\n" if article_id else ""
    path.write_text(f"{front}# {title}\n\nText.\n")
    return path


def jsonl(path: Path, *ids: str) -> Path:
    lines = ({"id": name, "sections": [{"id": "s", "text": "t"}]} for name in ids)
    return write_records(path, lines)


def test_a_folder_is_read_in_the_order_of_its_posix_paths(folder: Path) -> None:
    article(folder / "b.md")
    article(folder / "a" / "z.MARKDOWN")
    (folder / "a-c.txt").write_text("Title\n\nSome text.\n")
    jsonl(folder / "c.jsonl", "two", "one")
    reader = Scan([folder])
    assert [item.id for item in reader] == ["a-c", "z", "b", "two", "one"]
    assert reader.failures == []
    assert str(reader.places["b"]) == str(folder / "b.md")
    assert str(reader.places["one"]) == f"{folder / 'c.jsonl'}:2"


def test_files_that_are_hidden_or_a_license_are_passed_over_and_no_others(folder: Path) -> None:
    article(folder / "a.md")
    for name in (".b.md", "_c.md", "README.md", "LICENSE.txt", ".git/d.md", "_x/e.md", "f.rst"):
        article(folder / name)
    reader = Scan([folder])
    assert [item.id for item in reader] == ["README", "_c", "e", "a"]
    assert reader.failures == []


def test_a_single_file_is_a_corpus_whatever_its_name_starts_with(folder: Path) -> None:
    assert [item.id for item in Scan([article(folder / "_draft.md")])] == ["_draft"]


def test_failures_are_collected_and_stop_nothing(folder: Path) -> None:
    article(folder / "a.md")
    (folder / "b.md").write_text("no title")
    article(folder / "c.md")
    reader = Scan([folder])
    assert [item.id for item in reader] == ["a", "c"]
    assert [error.path for error in reader.failures] == [str(folder / "b.md")]
    assert len(reader.failures) == 1


def test_the_first_article_of_an_id_stays_and_the_failure_names_both(
    folder: Path, tmp_path: Path
) -> None:
    article(folder / "a.md", "First", "same")
    other = jsonl(tmp_path / "other.jsonl", "x", "same")
    reader = Scan([folder, other])
    assert [(item.id, item.title) for item in reader] == [("same", "First"), ("x", "")]
    (error,) = reader.failures
    assert str(error).startswith(f"{other}:2:")
    assert str(folder / "a.md") in str(error)
    assert '"same"' in str(error)


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    path = article(folder / "a.md")
    reader = Scan([folder, path, folder])
    assert [item.id for item in reader] == ["a"]
    assert reader.failures == []


def test_links_that_leave_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    article(folder / "a.md")
    article(tmp_path / "secret" / "s.md")
    (folder / "file.md").symlink_to(tmp_path / "secret" / "s.md")
    (folder / "sub").symlink_to(tmp_path / "secret")
    (folder / "gone.md").symlink_to(folder / "nothing.md")
    (folder / "loop.md").symlink_to(folder / "loop.md")
    reader = Scan([folder])
    assert [item.id for item in reader] == ["a"]
    assert [(Path(error.path).name, error.reason.split(":")[0]) for error in reader.failures] == [
        ("file.md", "is a link that leaves the corpus"),
        ("gone.md", "is a link to nothing"),
        ("loop.md", "is a link to nothing"),
        ("sub", "is a link that leaves the corpus"),
    ]


def test_links_within_the_folder_read_what_would_not_be_read_anyway(folder: Path) -> None:
    article(folder / "a.md")
    article(folder / "..data" / "b.md")
    (folder / "again.md").symlink_to("a.md")
    (folder / "b.md").symlink_to("..data/b.md")
    (folder / "sub").symlink_to("..data")
    reader = Scan([folder])
    assert [item.id for item in reader] == ["a", "b"]
    assert reader.failures == []


def test_a_corpus_may_itself_be_a_link(folder: Path, tmp_path: Path) -> None:
    article(folder / "a.md")
    (tmp_path / "link").symlink_to(folder)
    assert [item.id for item in Scan([tmp_path / "link"])] == ["a"]


def test_a_pipe_among_the_articles_is_not_waited_for(folder: Path) -> None:
    article(folder / "a.md")
    os.mkfifo(folder / "b.md")
    reader = Scan([folder])
    assert [item.id for item in reader] == ["a"]
    assert "regular file" in str(reader.failures[0])


def test_a_huge_article_is_refused(folder: Path) -> None:
    article(folder / "a.md")
    os.truncate(article(folder / "b.md"), FILE_MAX_BYTES + 1)
    reader = Scan([folder])
    assert [item.id for item in reader] == ["a"]
    assert "larger than" in str(reader.failures[0])


def test_a_file_that_vanishes_is_a_failure(folder: Path) -> None:
    article(folder / "a.md")
    article(folder / "b.md")
    reader = Scan([folder])
    (folder / "b.md").unlink()
    assert [item.id for item in reader] == ["a"]
    assert isinstance(reader.failures[0], ArticleError)


def test_what_is_no_corpus_is_refused_at_once(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere does not exist: .*\*\.md"):
        Scan([folder / "nowhere"])
    (folder / "a.pdf").touch()
    with pytest.raises(CorpusError, match=r"a\.pdf is a PDF, and articles are Markdown"):
        Scan([folder / "a.pdf"])
    os.mkfifo(folder / "b.md")
    with pytest.raises(CorpusError, match="neither a file nor a folder"):
        Scan([folder / "b.md"])
    with pytest.raises(CorpusError, match="no corpus is named"):
        Scan([])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_path_is_refused_at_once(folder: Path) -> None:
    path = article(folder / "a.md")
    path.chmod(0)
    with pytest.raises(CorpusError, match="cannot be read"):
        Scan([path])


def test_a_corpus_without_one_usable_article_is_refused_at_the_end(folder: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        list(Scan([folder]))
    assert all(part in str(caught.value) for part in (str(folder), "*.md", "add some"))
    jsonl(folder / "a.jsonl")
    with pytest.raises(CorpusError, match="no article is in the files of"):
        list(Scan([folder]))
    (folder / "b.md").write_text("no title")
    (folder / "c.md").write_text("no title")
    with pytest.raises(CorpusError, match=r"b\.md: has no title.*\(and 1 more\)"):
        list(Scan([folder]))


def test_the_fingerprint_is_that_of_names_and_contents(folder: Path, tmp_path: Path) -> None:
    first = article(folder / "a.md")
    article(folder / "sub" / "b.md")
    (folder / "notes.rst").write_text("not an article")
    before = fingerprint([folder])
    assert [len(each) for each in before] == [64]

    os.utime(first, (1, 1))
    (folder / "notes.rst").write_text("changed")
    (folder / "LICENSE.md").write_text("new")
    assert fingerprint([folder]) == before

    first.write_text("# T\n\nEdited.\n")
    edited = fingerprint([folder])
    added = (article(folder / "c.md"), fingerprint([folder]))[1]
    (folder / "c.md").rename(folder / "d.md")
    renamed = fingerprint([folder])
    (folder / "d.md").rename(folder / "sub" / "d.md")
    moved = fingerprint([folder])
    assert len({before, edited, added, renamed, moved}) == 5

    (folder / "sub" / "d.md").unlink()
    article(first)
    assert fingerprint([folder]) == before
    folder.rename(tmp_path / "elsewhere")
    assert fingerprint([tmp_path / "elsewhere"]) == before


def test_the_fingerprint_tells_which_corpus_comes_first(tmp_path: Path) -> None:
    one = article(tmp_path / "1" / "a.md", "One").parent
    two = article(tmp_path / "2" / "a.md", "Two").parent
    assert fingerprint([one, two]) != fingerprint([two, one])
    assert fingerprint([one, two]) != fingerprint([one])


def test_the_fingerprint_does_not_depend_on_the_order_of_listing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "dacb":
        article(folder / f"{name}.md", name)
    before = fingerprint([folder])
    walk = [(str(folder), [], ["a.md", "d.md", "b.md", "c.md"])]
    monkeypatch.setattr(files.os, "walk", lambda *_, **__: walk)
    assert fingerprint([folder]) == before


def test_the_shipped_corpus_reads_without_a_failure() -> None:
    reader = Scan([CORPUS])
    assert len(list(reader)) >= 1
    assert reader.failures == []


def test_what_is_gone_from_a_good_file_is_removed_though_one_of_that_name_is_broken_elsewhere(
    tmp_path: Path,
) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.mkdir()
        jsonl(path / "articles.jsonl", f"{path.name}1", f"{path.name}2")
    before = Scan(paths)
    before.finish()
    jsonl(paths[1] / "articles.jsonl", "b1")
    with (paths[0] / "articles.jsonl").open("w") as file:
        file.write('{"id": "a1"\n')
    after = Scan(paths, Sources(files=tuple(before.files), articles=before.articles))
    after.finish()
    assert (after.removed, after.failed) == ({"b2"}, {"a1", "a2"})
