"""Checks of arguments from a program. Errors name the argument.

Without these checks, a wrong type would fail deep inside, or be accepted with another meaning.
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
    """Raise InvalidRequest unless the value is a whole number (or numpy integer) from `least` to `most`."""
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
    """Raise InvalidRequest unless the value is text, or None if `optional`. Messages never contain the value."""
    if not isinstance(value, str) and not (optional and value is None):
        raise InvalidRequest(field, f"{field} is {shown(value)}; it must be text.")


def check_texts(field: str, value: object, most: int) -> None:
    """Raise InvalidRequest unless the value is None, a text, or at most `most` texts. Messages never contain a text."""
    if value is None or isinstance(value, str):
        return
    # Bytes and mappings are collections too, but never meant.
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
    """Raise InvalidRequest unless the value is one of `accepted`, of which there are two or more."""
    if value not in accepted:
        *others, last = accepted
        raise InvalidRequest(
            field, f"{field} is {value!r}; it must be {', '.join(others)} or {last}."
        )


def shown(value: object) -> str:
    """A number, a truth value or None as it is. Of anything else only the type, since it may be a question."""
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
