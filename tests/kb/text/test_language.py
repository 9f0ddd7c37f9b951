"""kb.text.language"""

from __future__ import annotations

import pytest

from kb.text.language import foreign_language, name_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("warum zuckt mein Bein beim Einschlafen", "de"),
        ("¿por qué me tiembla la pierna por la noche?", "es"),
        ("pourquoi ma jambe bouge quand je m'endors", "fr"),
        ("почему дёргается нога", "ru"),
        ("膝盖为什么抽动", "zh"),
    ],
)
def test_a_question_of_unknown_words_is_told_by_its_language(text: str, language: str) -> None:
    assert foreign_language(text, 0.9, lambda: {"en"}) == language
    assert foreign_language(text, 0.9, lambda: {"en", f"{language}-XX"}) is None
    assert foreign_language(text, 0.2, lambda: {"en"}) is None


@pytest.mark.parametrize("text", ["ketoconazol", "apikal puls", "why do my legs jerk", ""])
def test_few_words_and_those_of_the_library_are_not_foreign(text: str) -> None:
    assert foreign_language(text, 1.0, lambda: {"en"}) is None


def test_languages_have_names() -> None:
    assert (name_of("es"), name_of("pt-BR"), name_of("xx")) == ("Spanish", "Portuguese", "xx")
