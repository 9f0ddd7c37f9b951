from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from indexer.corpus.scan import Scan
from indexer.writers.suggestions import write_suggestions
from kb.question.suggestions import (
    MAX_SUGGESTIONS,
    Suggestions,
    nearest_beginning,
    one_slip_at_most,
    split_words,
)
from kb.schema.article import Article, Section
from kb.schema.errors import InvalidRequest
from kb.schema.results import Suggestion

Make = Callable[..., Suggestions]

ARTICLES = list(Scan([Path(__file__).parents[3] / "corpus"]))
ALL_WORDS = {
    word
    for each in ARTICLES
    for name in (each.title, *each.aliases, *(section.heading for section in each.sections))
    for word in split_words(name)
}


def article(title: str, *headings: str, aliases: Sequence[str] = ()) -> Article:
    name = title.lower().replace(" ", "-")
    sections = [Section(f"s{place}", heading, 2, "") for place, heading in enumerate(headings)]
    return Article(name, title, tuple(sections), aliases=tuple(aliases))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    numbers = count()

    def write(*articles: Article, base_url: str = "") -> Suggestions:
        folder = tmp_path / str(next(numbers))
        write_suggestions(folder, articles)
        return Suggestions(folder, base_url)

    return write


def texts(found: Sequence[Suggestion]) -> list[str]:
    return [suggestion.text for suggestion in found]


def test_an_article_is_found_by_the_beginning_of_any_word(make: Make) -> None:
    library = make(article("Restless Legs Syndrome"), article("Sciatica"))
    for typed in ("r", "restl", "leg", "SYN", "restless l", "legs restless", "syndrome leg"):
        assert texts(library.suggest(typed)) == ["Restless Legs Syndrome"]


def test_what_is_complete_comes_first(make: Make) -> None:
    library = make(
        article("Living With a Pulse Oximeter"),
        article("Pulsed Light"),
        article("Pulse Points"),
        article("Pulse"),
    )
    assert texts(library.suggest("pulse")) == [
        "Pulse",
        "Pulse Points",
        "Pulsed Light",
        "Living With a Pulse Oximeter",
    ]


def test_an_article_comes_before_its_sections_unless_a_heading_is_typed(make: Make) -> None:
    library = make(article("Sciatica", "Causes", "Treatment"), article("Stretching", "Causes"))
    assert texts(library.suggest("scia")) == [
        "Sciatica",
        "Sciatica › Causes",
        "Sciatica › Treatment",
    ]
    assert texts(library.suggest("sciatica tr")) == ["Sciatica › Treatment"]
    assert set(texts(library.suggest("causes"))) == {"Sciatica › Causes", "Stretching › Causes"}


def test_an_alias_names_its_article_and_gives_way_to_the_title(make: Make) -> None:
    library = make(article("Restless Legs Syndrome", aliases=["RLS", "restless leg"]))
    assert library.suggest("rls") == (
        Suggestion("RLS: Restless Legs Syndrome", "article", "/articles/restless-legs-syndrome"),
    )
    assert texts(library.suggest("restless leg")) == ["Restless Legs Syndrome"]


def test_a_title_that_asks_is_a_question(make: Make) -> None:
    library = make(article("Is It Normal?", "Why?"), base_url="https://example.org/kb")
    assert library.suggest("norm") == (
        Suggestion("Is It Normal?", "question", "https://example.org/kb/?q=Is%20It%20Normal%3F"),
        Suggestion(
            "Is It Normal? › Why?", "section", "https://example.org/kb/articles/is-it-normal%3F#s0"
        ),
    )


@pytest.mark.parametrize(
    "typed",
    [
        "diarhea",
        "dairrh",
        "diarrhae",
        "doarrhea",
        "diarrea",
        "diarrheaa",
        "infectous di",
    ],
)
def test_a_slip_is_forgiven(make: Make, typed: str) -> None:
    library = make(article("Infectious Diarrhea"), article("Diabetes"), article("Stroke"))
    assert texts(library.suggest(typed))[:1] == ["Infectious Diarrhea"]


def test_a_slip_that_begins_another_name_is_forgiven_where_nothing_else_fits(make: Make) -> None:
    library = make(article("Hartnup Disease"), article("Heart Attack"))
    assert texts(library.suggest("hart")) == ["Hartnup Disease"]
    assert texts(library.suggest("hart att")) == ["Heart Attack"]


def test_another_form_of_a_word_matches(make: Make) -> None:
    library = make(article("Leg Cramps"), article("Muscle Twitches"))
    assert texts(library.suggest("cramping legs")) == ["Leg Cramps"]
    assert texts(library.suggest("twitching")) == ["Muscle Twitches"]


def test_accents_capitals_and_apostrophes_do_not_matter(make: Make) -> None:
    library = make(article("Ménière's Disease"))
    for typed in ("meniere", "MENIERES", "Ménière’s", "meniere's dis"):
        assert texts(library.suggest(typed)) == ["Ménière's Disease"]


def test_the_words_of_a_question_need_not_match(make: Make) -> None:
    library = make(article("Sciatica", "Treatment"), article("Stroke", "Treatment"))
    assert texts(library.suggest("what is the treatment of sci")) == ["Sciatica › Treatment"]


def test_all_other_words_must_match(make: Make) -> None:
    library = make(article("Sciatica", "Treatment"))
    assert library.suggest("metformin treatment") == ()


def test_each_address_is_suggested_once(make: Make) -> None:
    library = make(article("Gout", "Diet", "Diet", aliases=["gouty arthritis", "gout attack"]))
    found = library.suggest("gout")
    assert [suggestion.url for suggestion in found] == ["/articles/gout", "/articles/gout#s0"]


def test_an_article_without_a_title_goes_by_its_id(make: Make) -> None:
    library = make(Article("doc-17", "", (Section("a", "Aims", 2, ""),)))
    assert texts(library.suggest("doc")) == ["doc-17", "doc-17 › Aims"]


def test_an_empty_library_suggests_nothing(make: Make) -> None:
    assert make().suggest("anything") == ()
    assert make(article("…")).suggest("anything") == ()


def test_a_message_is_completed_by_nothing(make: Make) -> None:
    library = make(article("Leg Cramps"))
    assert library.suggest("leg " * 16) != ()
    assert library.suggest("leg " * 17) == ()


@pytest.mark.parametrize("limit", [0, -1, MAX_SUGGESTIONS + 1])
def test_a_limit_out_of_range_is_refused(make: Make, limit: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        make().suggest("leg", limit)
    assert (caught.value.field, str(limit) in str(caught.value)) == ("limit", True)


def test_an_overlong_text_is_refused_without_being_repeated(make: Make) -> None:
    with pytest.raises(InvalidRequest) as caught:
        make().suggest("quetzal" * 1000)
    assert (caught.value.field, "quetzal" in str(caught.value)) == ("text", False)


def test_the_arrays_do_not_depend_on_the_order_of_articles(tmp_path: Path) -> None:
    articles = [
        article("Gout", "Diet", aliases=["podagra"]),
        article("Stroke", "Diet"),
        article("Gout", "Diet"),
    ]
    write_suggestions(tmp_path / "one", articles)
    write_suggestions(tmp_path / "other", articles[::-1])
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Suggestions:
    folder = tmp_path_factory.mktemp("corpus") / "suggestions"
    write_suggestions(folder, ARTICLES)
    return Suggestions(folder)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_answered(corpus: Suggestions, text: str) -> None:
    assert len(corpus.suggest(text, 5)) <= 5


@given(st.sampled_from(ARTICLES), st.integers(3, 80))
def test_every_article_is_found_by_every_beginning_of_its_title(
    corpus: Suggestions, wanted: Article, letters: int
) -> None:
    found = corpus.suggest(wanted.title[:letters], MAX_SUGGESTIONS)
    assert wanted.title in texts(found)


@given(st.sampled_from(ARTICLES), st.data())
def test_one_slip_in_a_long_word_of_a_title_is_forgiven(
    corpus: Suggestions, wanted: Article, data: st.DataObject
) -> None:
    long_words = [word for word in split_words(wanted.title) if len(word) >= 6]
    assume(long_words)
    word = data.draw(st.sampled_from(long_words))
    place = data.draw(st.integers(1, len(word) - 2))
    typed = data.draw(
        st.sampled_from(
            [
                word[:place] + word[place + 1 :],
                word[:place] + word[place + 1] + word[place] + word[place + 2 :],
                word[:place] + "x" + word[place + 1 :],
                word[:place] + "x" + word[place:],
            ]
        )
    )
    # What begins another word is taken as that.
    assume(not any(name.startswith(typed) for name in ALL_WORDS))
    found = corpus.suggest(typed, MAX_SUGGESTIONS)
    assert any(word in split_words(suggestion.text) for suggestion in found)


@pytest.mark.parametrize(
    ("typed", "word", "distance", "beginning"),
    [
        ("hear", "heart", 0, "hear"),
        ("haert", "heart", 1, "heart"),
        ("hert", "heart", 1, "heart"),
        ("heeart", "heart", 1, "heart"),
        ("fasiculat", "fasciculation", 1, "fasciculat"),
        ("fasiculashun", "fasciculation", 3, ""),
        ("xyz", "heart", 3, ""),
        ("hearts", "heart", 1, "heart"),
    ],
)
def test_the_nearest_beginning(typed: str, word: str, distance: int, beginning: str) -> None:
    assert nearest_beginning(typed, word, 2) == (distance, beginning)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("heart", "heart", True),
        ("heart", "hart", True),
        ("heart", "hearth", True),
        ("heart", "heast", True),
        ("heart", "haert", True),
        ("heart", "hear", True),
        ("heart", "eart", True),
        ("ab", "ba", True),
        ("", "a", True),
        ("heart", "hrat", False),
        ("heart", "haret", False),
        ("heart", "her", False),
        ("heart", "hearths", False),
        ("abc", "cba", False),
    ],
)
def test_one_slip_at_most(one: str, other: str, expected: bool) -> None:
    assert one_slip_at_most(one, other) == one_slip_at_most(other, one) == expected
