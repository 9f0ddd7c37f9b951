"""indexer.lexicon.lexicon: the files about words in a corpus, and what a build makes of them"""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from indexer.build.stale import is_stale
from indexer.corpus.files import list_files
from indexer.corpus.fingerprint import corpus_infos
from indexer.lexicon.lexicon import read_lexicon
from indexer.maintenance.lint import lint
from kb import KnowledgeBase

NOTICE = "- {{id: {id}, title: T, text: Call., triggers: [{trigger}]}}\n"
ARTICLE = "---\ntitle: Croup\naliases: [laryngotracheitis]\n---\nA cough that barks.\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "croup.md").write_text(ARTICLE)
    (folder / "notices.yaml").write_text(NOTICE.format(id="heart", trigger="chest pain"))
    (folder / "vocabulary.yaml").write_text("- [barking cough, seal-like cough]\n")
    return folder


@pytest.mark.parametrize("name", ["notices.yaml", "vocabulary.yaml"])
def test_editing_either_file_changes_the_fingerprint(corpus: Path, name: str) -> None:
    before = corpus_infos([corpus])
    (corpus / name).write_text((corpus / name).read_text() + "# edited\n")
    edited = corpus_infos([corpus])
    (corpus / name).unlink()
    assert len({before, edited, corpus_infos([corpus])}) == 3


def test_they_are_no_articles_and_count_in_the_root_alone(corpus: Path) -> None:
    (corpus / "deeper").mkdir()
    (corpus / "notices.yaml").rename(corpus / "deeper" / "notices.yaml")
    files, refused = list_files([corpus])
    assert ([file.name for file in files], refused) == (["croup.md"], [])
    assert read_lexicon([corpus]).rules == []
    assert len(read_lexicon([corpus]).groups) == 1


def test_a_corpus_that_is_a_file_has_none(corpus: Path) -> None:
    lexicon = read_lexicon([corpus / "croup.md"])
    assert (lexicon.rules, lexicon.groups, lexicon.failures) == ([], [], [])


def test_several_corpora_add_up_and_a_repeated_id_leaves_out_the_later_file(
    corpus: Path, tmp_path: Path
) -> None:
    other, third = tmp_path / "other", tmp_path / "third"
    for folder, content in (
        (other, NOTICE.format(id="new", trigger="a") + NOTICE.format(id="heart", trigger="b")),
        (third, NOTICE.format(id="stroke", trigger="face droops")),
    ):
        folder.mkdir()
        (folder / "notices.yaml").write_text(content)
    lexicon = read_lexicon([corpus, other, third])
    assert [rule.notice.id for rule in lexicon.rules] == ["heart", "stroke"]
    (failure,) = lexicon.failures
    assert (failure.path, failure.line) == (str(other / "notices.yaml"), 2)
    assert f"already that of {corpus / 'notices.yaml'}:1" in failure.reason


def test_a_link_that_leaves_the_corpus_is_refused(corpus: Path, tmp_path: Path) -> None:
    (corpus / "notices.yaml").rename(tmp_path / "elsewhere.yaml")
    (corpus / "notices.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (corpus / "vocabulary.yaml").unlink()
    (corpus / "vocabulary.yaml").mkdir()
    lexicon = read_lexicon([corpus])
    assert (lexicon.rules, lexicon.groups) == ([], [])
    link, folder = lexicon.failures
    assert "leaves the corpus" in link.reason
    assert "is a folder" in folder.reason


def test_lint_finds_what_is_wrong_in_them(corpus: Path) -> None:
    (corpus / "vocabulary.yaml").write_text("- [a, b]\n- [c]\n")
    found = [(finding.path, finding.line) for finding in lint([corpus])]
    assert (str(corpus / "vocabulary.yaml"), 2) in found
    assert not any(path.endswith("notices.yaml") for path, _ in found)


def test_a_build_uses_what_is_whole_and_reports_the_rest(corpus: Path, index_copy: Path) -> None:
    """Into a copy of an index, so that its encoder is copied and not exported again."""
    (corpus / "vocabulary.yaml").write_text("- [barking cough]\n")
    report = build(BuildRequest(index_copy, [corpus], replace=True))
    assert [Path(failure.path).name for failure in report.failures] == ["vocabulary.yaml"]
    with KnowledgeBase.open(index_copy) as knowledge_base:
        response = knowledge_base.search("barking cough and chest pains")
        assert knowledge_base.manifest.failures == tuple(map(str, report.failures))
    assert [result.citation.article_title for result in response.results] == ["Croup"]
    assert [notice.id for notice in response.notices] == ["heart"]

    assert not is_stale(BuildRequest(index_copy, [corpus]))
    (corpus / "vocabulary.yaml").write_text("- [barking cough, seal-like cough]\n")
    assert is_stale(BuildRequest(index_copy, [corpus]))
    assert build(BuildRequest(index_copy, [corpus])).failures == ()
    assert not is_stale(BuildRequest(index_copy, [corpus]))
