"""kb.question.small_names over a library: names that are nothing but small words"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from kb.knowledge_base import KnowledgeBase
from kb.question.small_names import keys_of_name, small_names
from kb.question.tokenised import TokenisedText

pytestmark = pytest.mark.slow  # an index with the real encoder

ARTICLES = {
    "leukaemia": ("Acute Lymphoblastic Leukaemia", "ALL", "Blood cells that never ripen crowd out others."),
    "neuritis": ("Optic Neuritis", "ON", "The nerve of the eye swells, and colours fade."),
    "factor": ("Intrinsic Factor", "IF", "A protein of the stomach that carries a vitamin."),
    "enema": ("Barium Enema", "BE", "White paste makes the bowel show in pictures."),
    "up": ("Up", "", "A film about an old man and his balloons."),
    "both": ("Both of Us", "", "A leaflet for couples who try for a child."),
    "those": ("The Others", "", "A group for those who lost somebody."),
    "few": ("The Few", "", "Pilots of an old war and their burns."),
    "then": ("Then and Now", "", "How wards have changed in a hundred years."),
    "itself": ("IT", "", "The desk that mends computers."),
    "novel": ("It", "", "A clown frightens a town."),
    "why": ("Why Me?", "", "Anger after bad news."),
}  # fmt: skip


def write(folder: Path) -> None:
    folder.mkdir()
    for name, (title, alias, text) in ARTICLES.items():
        head = f'---\ntitle: "{title}"\naliases: [{alias and repr(alias)}]\n---\n'
        (folder / f"{name}.md").write_text(
            f"{head}{text}\n\n## More\n\nAsk at the desk about {name}.\n", encoding="utf-8"
        )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("small-names")
    write(folder / "articles")
    assert not build(BuildRequest(folder / "index", [folder / "articles"])).failures
    with KnowledgeBase.open(folder / "index") as opened:
        yield opened


@pytest.mark.parametrize("mode", ["hybrid", "keyword"])
@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("ALL", "leukaemia"),
        ("what is ALL", "leukaemia"),
        ("What does ON mean?", "neuritis"),
        ("what does IF stand for", "factor"),
        ("BE", "enema"),
        ("Up", "up"),
        ("up", "up"),
        ("Both of Us", "both"),
        ("tell me about the few", "few"),
        ("The Few", "few"),
        ("then and now", "then"),
        ("IT", "itself"),
        ("what is IT?", "itself"),
        ("It", "novel"),
        ("why me", "why"),
        ("title:up", "up"),
    ],
)
def test_a_name_of_small_words_is_found_by_it(
    library: KnowledgeBase, question: str, article: str, mode: str
) -> None:
    found = library.search(question, mode=mode)
    assert found.answered != "none"
    assert found.results[0].citation.article_id == article


@pytest.mark.parametrize(
    ("question", "article", "section"),
    [
        ("blood in ALL", "leukaemia", "top"),
        ("ON and colours", "neuritis", "top"),
        ("pictures with BE", "enema", "top"),
    ],
)
def test_an_acronym_in_capitals_counts_beside_other_words(
    library: KnowledgeBase, question: str, article: str, section: str
) -> None:
    for mode in ("hybrid", "keyword"):
        found = library.search(question, mode=mode).results[0].citation
        assert (found.article_id, found.section_id) == (article, section)
    names = library.search(question, explain=True).explanation
    assert names is not None
    assert names.names[0].name.isupper()


@pytest.mark.parametrize("question", ["and so on", "what is it", "how all of them are", "if"])
def test_small_words_that_are_no_name_as_typed_find_nothing_by_words(
    library: KnowledgeBase, question: str
) -> None:
    """But for `if`, which is a name in capitals, and the only one that it can be."""
    found = library.search(question, mode="keyword")
    assert [result.citation.article_id for result in found.results[:1]] == (
        ["factor"] if question == "if" else []
    )


def test_a_question_in_capitals_is_not_full_of_acronyms(library: KnowledgeBase) -> None:
    asked = library.search("IS IT ALL ON ME", explain=True).explanation
    assert asked is not None
    assert asked.names == ()


def test_a_build_that_patches_finds_the_same_names(tmp_path: Path) -> None:
    write(tmp_path / "articles")
    held = tmp_path / "articles" / "factor.md"
    late = held.read_text(encoding="utf-8")
    held.unlink()
    for _ in range(2):
        assert not build(BuildRequest(tmp_path / "index", [tmp_path / "articles"])).failures
        held.write_text(late, encoding="utf-8")
    with KnowledgeBase.open(tmp_path / "index") as patched:
        for question, article in (("IF", "factor"), ("ALL", "leukaemia"), ("Up", "up")):
            assert patched.search(question).results[0].citation.article_id == article


@pytest.mark.parametrize("question", ["restless legs", "why do I twitch", ""])
def test_a_question_with_a_term_has_no_such_name(question: str) -> None:
    assert small_names(TokenisedText.of(question)) == ()


def test_a_name_is_kept_as_written_and_in_small_letters() -> None:
    assert keys_of_name("The Who") == ("=Who", "=who")
    assert keys_of_name("up") == ("=up",)
    assert keys_of_name("Restless Legs") == ()
