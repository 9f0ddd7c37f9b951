"""corpus/vocabulary.yaml: what an editor may get wrong by hand.

A name that stood in two groups would make all names of both mean the same, and one whose words have
the same stems as another's adds nothing. Small words count here: "passing out" is not "pass".
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
import Stemmer
import yaml

VOCABULARY = Path(__file__).parents[2] / "corpus" / "vocabulary.yaml"
STEMMER = Stemmer.Stemmer("english")


@pytest.fixture(scope="module")
def groups() -> list[list[str]]:
    found: list[list[str]] = yaml.safe_load(VOCABULARY.read_text(encoding="utf-8"))
    return found


def stems(name: str) -> tuple[str, ...]:
    words = re.findall(r"\w+", re.sub(r"['’]s?\b", "", name.lower()))
    return tuple(STEMMER.stemWords(words))


def test_it_is_a_list_of_groups_of_two_to_six_names(groups: list[list[str]]) -> None:
    assert isinstance(groups, list)
    assert len(groups) >= 350
    for group in groups:
        assert isinstance(group, list), group
        assert 2 <= len(group) <= 6, group


def test_every_name_is_a_text_of_plain_words(groups: list[list[str]]) -> None:
    """YAML reads `no`, `12` and `2026-01-31` as something else than text."""
    for group in groups:
        for name in group:
            assert isinstance(name, str), group
            assert name == " ".join(name.split()), group
            assert stems(name), group


def test_no_name_stands_twice_nor_in_two_groups_whatever_its_endings(
    groups: list[list[str]],
) -> None:
    places: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for group in groups:
        for name in group:
            places[stems(name)].append(name)
    assert [names for names in places.values() if len(names) > 1] == []


def test_acronyms_are_no_ordinary_words(groups: list[list[str]]) -> None:
    """Case is not kept in a question, so "AIDS" would be found in "hearing aids"."""
    words = {"aids", "add", "all", "arms", "cold", "ed", "er", "it", "iv", "led", "mi", "or"}
    words |= {"pad", "pots", "pt", "ra", "sad", "tens", "us", "who"}
    assert [name for group in groups for name in group if name.lower() in words] == []
