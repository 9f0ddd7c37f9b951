"""Checks of values from front matter and JSON that become fields of an article.

Every function takes the key for its message. None is what both forms write for "not stated".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches

from indexer.readers.text import normalise
from kb.schema.article import Source

_SOURCE_KEYS = ("title", "url")
_URL = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?")


class FieldError(ValueError):
    """A value that an article cannot have; the reader adds the file and the line."""


def text(key: str, value: object) -> str:
    """The text, normalised and otherwise as given; "" for None."""
    if value is None:
        return ""
    if not isinstance(value, str):
        quote = ": put it in quotes" if isinstance(value, bool | int | float | date) else ""
        raise FieldError(f"{key} must be text, not {kind_of(value)}{quote}")
    return normalise(value)


def line(key: str, value: object) -> str:
    """The text on one line, every run of white space one space."""
    return " ".join(text(key, value).split())


def lines(key: str, value: object) -> tuple[str, ...]:
    """A list of texts, each on one line; blank ones are left out, None is an empty list."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise FieldError(f"{key} must be a list of texts, not {kind_of(value)}: write [a, b]")
    items = (line(f"{key}, item {number}", item) for number, item in enumerate(value, start=1))
    return tuple(item for item in items if item)


def url(key: str, value: object) -> str:
    """An http or https URL, or "" where none is given: the web page makes a link of it."""
    address = line(key, value)
    if address and not is_url(address):
        raise FieldError(f"{key} {shown(address)} is not a URL: write it with https:// in front")
    return address


def is_url(value: str) -> bool:
    """Whether `value` as a whole is an http or https URL."""
    return _URL.fullmatch(value) is not None


def iso_date(key: str, value: object) -> str | None:
    """The date as YYYY-MM-DD. A time after it is dropped; None and "" are no date."""
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    stated = line(key, value)
    if not stated:
        return None
    try:
        if _DATE.fullmatch(stated):
            return datetime.fromisoformat(stated).date().isoformat()
    except ValueError:
        pass
    raise FieldError(f"{key} {shown(stated)} is not a date: write it as YYYY-MM-DD")


def sources(key: str, value: object, *, lenient: bool = False) -> tuple[Source, ...]:
    """A list of `{title, url}` or of plain texts; a text that is a URL is its own title.

    `lenient` is for collections from elsewhere: other keys and URLs of other kinds pass.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        raise FieldError(f"{key} must be a list, not {kind_of(value)}: write one - item a line")
    items = (
        _source(f"{key}, item {number}", item, lenient)
        for number, item in enumerate(value, start=1)
    )
    return tuple(item for item in items if item.title)


def named_source(key: str, value: object) -> Source:
    """A source given as one text; its title is empty if the text is."""
    name = line(key, value)
    return Source(title=name, url=name if is_url(name) else "")


def refuse_unknown(place: str, keys: Iterable[object], known: Iterable[str]) -> None:
    """FieldError for the first key that is not known, with the nearest one that is."""
    known = tuple(known)
    for key in keys:
        if key not in known:
            near = get_close_matches(str(key), known, n=1, cutoff=0.5)
            hint = f'did you mean "{near[0]}"? ' if near else ""
            raise FieldError(
                f"unknown key {shown(key)} in {place}: {hint}the keys are {', '.join(known)}"
            )


def kind_of(value: object) -> str:
    """What to call the type of `value` to somebody who writes articles."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
        (list, "a list"),
        (Mapping, "a mapping"),
        (date, "a date"),
    )
    if value is None:
        return "empty"
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)


def shown(value: object) -> str:
    """`value` in quotes and on one line, escaped, so short that a message stays readable."""
    plain = value if isinstance(value, str) else str(value)
    cut = plain if len(plain) <= 60 else plain[:57] + "..."
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return f'"{escaped}"'


def _source(key: str, value: object, lenient: bool) -> Source:
    if isinstance(value, str):
        return named_source(key, value)
    if not isinstance(value, dict):
        raise FieldError(f"{key} must be text or title and url, not {kind_of(value)}")
    if not lenient:
        refuse_unknown(key, value, _SOURCE_KEYS)
    title = line(f"{key}, title", value.get("title"))
    address = (line if lenient else url)(f"{key}, url", value.get("url"))
    if not title and not address and not lenient:
        raise FieldError(f"{key} has neither title nor url: fill it in, or delete it")
    return Source(title=title or address, url=address)
