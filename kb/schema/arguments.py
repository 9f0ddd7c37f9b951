"""Checks of the arguments that a program passes. Errors name the argument.

Without these checks a wrong type would fail deep inside, or pass and mean something else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from numbers import Integral

from kb.schema.errors import InvalidRequest

_NUMBER = re.compile(r"[-+]?[0-9][0-9.,e+-]{0,19}")
_LONG_NUMBER = re.compile(r"[-+]?[0-9]{21,}")
_LONGEST = 10**20


def check_whole(field: str, value: object, least: int, most: int | None = None) -> None:
    """Raise InvalidRequest unless it is a whole number, one of numpy's too, of at least `least` and at most `most`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        wanted = "of at least" if most is None else "from"
        raise InvalidRequest(
            field,
            f"{field} is {shown(value)}; it must be a whole number {_bounds(wanted, least, most)}.",
        )
    number = int(value)
    if number < least or (most is not None and number > most):
        wanted = "at least" if most is None else "from"
        raise InvalidRequest(
            field, f"{field} is {shown(number)}; it must be {_bounds(wanted, least, most)}."
        )


def check_text(field: str, value: object, *, optional: bool = False) -> None:
    """Raise InvalidRequest unless it is a text, or None where it is `optional`. The value is in no message."""
    if not isinstance(value, str) and not (optional and value is None):
        raise InvalidRequest(field, f"{field} is {shown(value)}; it must be text.")


def check_texts(field: str, value: object, most: int) -> None:
    """Raise InvalidRequest unless it is None, a text, or a collection of texts, at most `most`. No text is repeated."""
    if value is None or isinstance(value, str):
        return
    # What is made of bytes or of keys is a collection too, and never meant.
    if not isinstance(value, Collection) or isinstance(value, bytes | bytearray | Mapping):
        raise InvalidRequest(
            field, f"{field} is {shown(value)}; it must be text, or a list of texts."
        )
    if len(value) > most:
        raise InvalidRequest(field, f"{field} has {len(value):,} values; the most is {most}.")
    for each in value:
        if not isinstance(each, str):
            raise InvalidRequest(
                field, f"{field} holds a value that is {shown(each)}; each must be text."
            )


def check_choice(field: str, value: str, accepted: Sequence[str]) -> None:
    """Raise InvalidRequest unless the value is one of `accepted`, two or more."""
    if value not in accepted:
        *others, last = accepted
        raise InvalidRequest(
            field, f"{field} is {value!r}; it must be {', '.join(others)} or {last}."
        )


def shown(value: object) -> str:
    """A number, a truth value or None as it is; of all else its type alone: it may be the text of a question."""
    if isinstance(value, int) and abs(value) >= _LONGEST:
        return "too long a number"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        if _LONG_NUMBER.fullmatch(value):
            return "too long a number"
        return repr(value) if _NUMBER.fullmatch(value) else "a text"
    return f"of the type {type(value).__name__}"


def _bounds(word: str, least: int, most: int | None) -> str:
    return f"{word} {least}" if most is None else f"{word} {least} to {most:,}"
