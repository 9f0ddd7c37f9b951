"""The language of a question whose words the library hardly knows.

py3langid identifies short texts well, but not short texts in English: it takes "metformin side effects" for Danish. So
it is used only for questions whose words neither the library nor English knows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from kb.compute.lazy import Lazy

MIN_UNKNOWN_SHARE = 0.4
"""Minimum share of unknown words in a question whose language is identified."""

MAX_UNCLEAR_WORDS = 2
"""Maximum number of words whose language cannot be told, unless their script tells it."""

_LIKELY = 0.5

_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "mr": "Marathi",
    "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def name_of(language: str) -> str:
    """The English name of a BCP 47 tag, or the tag where it is a rare one."""
    return _NAMES.get(language.split("-", maxsplit=1)[0].lower(), language)


def foreign_language(
    text: str, strange: float, languages: Callable[[], Collection[str]]
) -> str | None:
    """The code of the language of `text` where it is surely none of `languages`, else None.

    `strange` is the share of its words that are unknown, 0 to 1; `languages` gives BCP 47 tags.
    """
    if strange < MIN_UNKNOWN_SHARE:
        return None
    latin = all(letter < "\u0250" for letter in text if letter.isalpha())
    if latin and len(text.split()) <= MAX_UNCLEAR_WORDS:
        return None
    language, likelihood = _identifier().classify(text)
    own = {tag.split("-")[0].lower() for tag in languages()}
    return str(language) if language not in own and (likelihood >= _LIKELY or not latin) else None


def load() -> None:
    """Load the model, which the first strange question would wait for."""
    _identifier()


def _load() -> Any:
    from py3langid.langid import (  # noqa: PLC0415  (a moment to load, for hardly any question)
        MODEL_FILE,
        LanguageIdentifier,
    )

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


_identifier = Lazy(_load)
