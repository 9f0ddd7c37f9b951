"""kb.question.vocabulary and the writer of its arrays: names in a question, and their other names"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.lexicon.compile_vocabulary import MAX_GROUPS, article_group, write_vocabulary
from indexer.lexicon.lexicon import read_lexicon
from kb.question.tokenised import TokenisedText
from kb.question.vocabulary import MAX_WORDS, Vocabulary
from kb.text.analysis import stems, terms
from support.examples import at_most
from support.places import CORPUS

MakeVocabulary = Callable[[Sequence[Sequence[str]]], Vocabulary]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> MakeVocabulary:
    root = tmp_path_factory.mktemp("vocabulary")
    numbers = count()

    def made(groups: Sequence[Sequence[str]]) -> Vocabulary:
        folder = root / str(next(numbers))
        write_vocabulary(folder, groups)
        return Vocabulary(folder)

    return made


@pytest.fixture(scope="session")
def shipped(make: MakeVocabulary) -> Vocabulary:
    return make(read_lexicon([CORPUS]).groups)


def names(vocabulary: Vocabulary, question: str) -> list[str]:
    return [
        question[found.start : found.end]
        for found in vocabulary.concepts(TokenisedText.of(question))
    ]


@pytest.mark.parametrize(
    "question",
    [
        "will I pass",
        "how to hold my breath",
        "a counter in the kitchen",
        "which syndrome is it",
        "which vitamin should I take",
        "throw a ball",
    ],
)
def test_a_word_is_not_the_name_that_small_words_make_of_it(
    shipped: Vocabulary, question: str
) -> None:
    assert shipped.concepts(TokenisedText.of(question)) == ()


@pytest.mark.parametrize(
    ("question", "name", "variant"),
    [
        ("why do I keep passing out", "passing out", ("faint",)),
        ("out of breath on stairs", "out of breath", ("dyspnea",)),
        ("Over-the-counter pills", "Over-the-counter", ("nonprescript",)),
        ("down syndrome tests", "down syndrome", ("trisomi", "21")),
        ("Down’s Syndrome?", "Down’s Syndrome", ("trisomi", "21")),
        ("vitamin A in food", "vitamin A", ("retinol",)),
        ("he throws up", "throws up", ("vomit",)),
    ],
)
def test_a_name_is_found_whatever_its_endings_and_hyphens(
    shipped: Vocabulary, question: str, name: str, variant: tuple[str, ...]
) -> None:
    (found,) = shipped.concepts(TokenisedText.of(question))
    assert question[found.start : found.end] == name
    assert variant in found.variants
    assert found.terms == tuple(terms(name))


@pytest.mark.parametrize("name", ["fainting", "trisomy 21", "retinol", "shortness of breath"])
def test_no_name_is_put_by_a_mere_part_of_it(shipped: Vocabulary, name: str) -> None:
    variants = [
        variant for found in shipped.concepts(TokenisedText.of(name)) for variant in found.variants
    ]
    for spoilt in ("pass", "syndrom", "vitamin", "breath"):
        assert (spoilt,) not in variants


def test_the_longest_name_comes_first_and_none_overlap(make: MakeVocabulary) -> None:
    vocabulary = make([["throwing up", "vomiting"], ["throwing up blood", "hematemesis"]])
    assert names(vocabulary, "throwing up blood or throwing up") == [
        *("throwing up blood", "throwing up")
    ]
    chained = make([["leg cramp", "a b c"], ["cramp at night", "nocturnal cramp"]])
    assert names(chained, "leg cramp at night") == ["cramp at night"]


@pytest.mark.parametrize(
    "joined", ["high blood pressure", "high-blood  pressure", "HIGH BLOOD/PRESSURE"]
)
def test_a_name_may_be_joined_in_any_way(make: MakeVocabulary, joined: str) -> None:
    assert names(make([["high blood pressure", "hypertension"]]), joined) == [joined]


@pytest.mark.parametrize(
    "parted", ["high blood, pressure", "high blood. Pressure", "high (blood) pressure"]
)
def test_a_name_does_not_cross_punctuation(make: MakeVocabulary, parted: str) -> None:
    assert names(make([["high blood pressure", "hypertension"]]), parted) == []


def test_variants_are_all_other_names_once_without_its_own_terms(make: MakeVocabulary) -> None:
    vocabulary = make(
        [["flu", "influenza", "the flu", "grippe"], ["flu", "grippe", "bird flu", "of the"]]
    )
    (found,) = vocabulary.concepts(TokenisedText.of("flu"))
    assert found.variants == (("influenza",), ("gripp",), ("bird", "flu"))


def test_names_that_say_nothing_or_too_much_are_left_out(make: MakeVocabulary) -> None:
    many = [["fever", f"cause{number}"] for number in range(MAX_GROUPS + 1)]
    long = " ".join(f"word{number}" for number in range(MAX_WORDS + 1))
    vocabulary = make([*many, ["ALL", "leukemia"], [long, "short"], ["alone"]])
    for question in ("fever", "cause1", "all", "leukemia", long, "short", "alone"):
        assert vocabulary.concepts(TokenisedText.of(question)) == (), question
    (found,) = make(many[:MAX_GROUPS]).concepts(TokenisedText.of("fever"))
    assert len(found.variants) == MAX_GROUPS


def test_an_articles_long_names_and_long_lists_are_left_out() -> None:
    assert article_group("Croup", ["laryngotracheitis"]) == ("Croup", "laryngotracheitis")
    assert article_group("Croup", []) == ()
    assert article_group("Why is my knee twitching at night", ["knee twitch"]) == ()
    assert len(article_group("Croup", [f"kind {number}" for number in range(11)])) == 12
    assert article_group("Croup", [f"kind {number}" for number in range(12)]) == ()


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("GO and ARMs", ["GO", "ARMs"]),
        ("where do I go when my arm aches", []),
        ("WHAT ABOUT PERIODS?", ["PERIODS"]),
        ("my period’s late", ["period’s"]),
        ("periodic pain", []),
        ("is RLS or rls common", ["RLS", "rls"]),
        ("jerking legs", ["jerking legs"]),
        ("Sjogren's or sjögrens", ["Sjogren's", "sjögrens"]),
    ],
)
def test_single_words_of_articles_are_compared_as_written(
    tmp_path: Path, question: str, found: list[str]
) -> None:
    articles = [
        ["geroderma osteodysplastica", "GO"],
        ["maculopathy of old age", "ARMs"],
        ["achondroplasia", "ACH"],
        ["Periods", "menstruation"],
        ["restless legs", "RLS", "Ekbom disease", "leg jerks"],
        ["jerking leg", "twitching leg"],
        ["Sjögren", "sicca syndrome"],
    ]
    write_vocabulary(tmp_path / "v", [["RLS", "restless legs syndrome"]], articles)
    assert names(Vocabulary(tmp_path / "v"), question) == found


def test_an_acronym_of_an_article_is_put_for_nothing(tmp_path: Path) -> None:
    write_vocabulary(
        tmp_path / "v",
        [["cocaine", "C", "blow"]],
        [["hantavirus infection", "HARD", "hantavirus disease"]],
    )
    vocabulary = Vocabulary(tmp_path / "v")
    (found,) = vocabulary.concepts(TokenisedText.of("hantavirus infection"))
    assert found.variants == (("hantavirus", "diseas"),)
    (drug,) = vocabulary.concepts(TokenisedText.of("cocaine"))
    assert drug.variants == (("blow",),)


def test_an_empty_vocabulary_finds_nothing(make: MakeVocabulary) -> None:
    assert make([]).concepts(TokenisedText.of("high blood pressure")) == ()
    assert len(make([])) == 0


@pytest.mark.parametrize("question", ["", " ", "?!", "\n", "’", "-"])
def test_a_text_without_words_has_no_names(shipped: Vocabulary, question: str) -> None:
    assert shipped.concepts(TokenisedText.of(question)) == ()


def test_places_count_code_points_of_the_text_as_it_is(make: MakeVocabulary) -> None:
    vocabulary = make([["İstanbul fever", "city fever"]])
    question = "😀 İİ café İSTANBUL Fever?"
    assert names(vocabulary, question) == ["İSTANBUL Fever"]


def test_the_same_groups_give_the_same_bytes(tmp_path: Path) -> None:
    groups = read_lexicon([CORPUS]).groups
    write_vocabulary(tmp_path / "a", groups)
    write_vocabulary(tmp_path / "b", groups)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def says_enough(name: str) -> bool:
    words = name.split()
    return len(terms(name)) > 1 or len(words[words[0] in {"a", "the"} :]) == 1


WORDS = st.sampled_from(["up", "throw", "leg", "cramp", "night", "a", "the"])
PHRASES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@settings(max_examples=at_most(60))
@given(st.lists(st.lists(PHRASES, min_size=2, max_size=3), max_size=4), st.lists(WORDS, max_size=9))
def test_it_agrees_with_a_search_by_hand(
    make: MakeVocabulary, groups: list[list[str]], question: list[str]
) -> None:
    """Every name is looked for at every place; the longest and then the first is taken, and again."""
    known: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for group in groups:
        for name in group:
            own = known.setdefault(tuple(stems(name)), set())
            own |= {tuple(terms(other)) for other in group if says_enough(other)}
    words = [tuple(stems(word)) for word in question]
    free = set(range(len(words)))
    expected = []
    for length in range(3, 0, -1):
        for first in range(len(words) - length + 1):
            span = range(first, first + length)
            key = tuple(stem for place in span for stem in words[place])
            own_terms = tuple(terms(" ".join(question[first : first + length])))
            variants = {variant for variant in known.get(key, set()) if variant} - {own_terms}
            if free.issuperset(span) and own_terms and variants:
                free -= set(span)
                expected.append((first, length, own_terms))
    text = " ".join(question)
    starts = {
        len(" ".join(question[:first])) + bool(first): first for first in range(len(question))
    }
    found = [
        (starts[concept.start], len(text[concept.start : concept.end].split()), concept.terms)
        for concept in make(groups).concepts(TokenisedText.of(text))
    ]
    assert found == sorted(expected)
