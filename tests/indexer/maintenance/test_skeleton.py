"""indexer.maintenance.skeleton"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.maintenance.skeleton import new_article
from indexer.readers.markdown import read_markdown
from kb.schema.errors import KbError


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Leg Cramps", "leg-cramps.md"),
        ('Sleep: "Good" Habits # 1', "sleep-good-habits-1.md"),
        ("yes", "yes.md"),
        ("2024", "2024.md"),
        ("  Two \n lines ", "two-lines.md"),
        ("{braces}", "braces.md"),
        ("痛み" * 100, "痛み" * 33 + ".md"),
    ],
)
def test_a_new_article_reads_back_under_its_title(tmp_path: Path, title: str, name: str) -> None:
    path = new_article(tmp_path, title)
    assert path == tmp_path / name
    article = read_markdown(path, path.read_bytes())
    assert article.id == path.stem
    assert article.title == " ".join(title.split())
    assert article.updated == date.today().isoformat()
    assert [section.text != "" for section in article.sections] == [True] + [False] * 4


def test_an_article_that_is_there_stays_as_it_was(tmp_path: Path) -> None:
    path = new_article(tmp_path, "Leg Cramps")
    path.write_text("mine")
    with pytest.raises(KbError, match=r"leg-cramps\.md exists already: edit it"):
        new_article(tmp_path, "Leg cramps!")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("title", ["", "  ", "?!"])
def test_a_title_without_letters_is_refused(tmp_path: Path, title: str) -> None:
    with pytest.raises(KbError, match="neither a letter nor a digit"):
        new_article(tmp_path, title)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KbError, match="nowhere is no folder"):
        new_article(tmp_path / "nowhere", "T")


@given(st.text(alphabet=st.characters(exclude_categories=()), min_size=1))
def test_every_title_reads_back_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, title: str
) -> None:
    try:
        path = new_article(tmp_path_factory.mktemp("new"), title)
    except KbError:
        return
    assert read_markdown(path, path.read_bytes()).id == path.stem
