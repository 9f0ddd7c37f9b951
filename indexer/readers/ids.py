"""Rules for the ids of articles and sections."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from indexer.readers.metadata import FieldError, kind_of, shown
from indexer.readers.slug import slug

ID_MAX_CHARS = 200


def article_id(value: object) -> str:
    """`value` as an article's id, unchanged; FieldError if it cannot be one.

    1 to `ID_MAX_CHARS` characters, no white space, nothing that cannot be printed or encoded
    (control characters, lone surrogates), and no part between slashes "." or "..", which a URL would resolve.
    """
    checked = _checked("id", value)
    for part in checked.split("/"):
        if part in (".", ".."):
            raise FieldError(
                f'id {shown(checked)}: "{part}" means a folder in a URL, give the article another id'
            )
    return checked


def section_id(value: object) -> str:
    """`value` as a section's id, under the same rules but for "." and ".."."""
    return _checked("section id", value)


def id_from_name(name: Path | str) -> str:
    """The id of an article whose file states none: the file's stem, slugged where it must be."""
    stem = unicodedata.normalize("NFC", Path(name).stem)
    try:
        return article_id(stem)
    except FieldError:
        return slug(stem)


def _checked(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise FieldError(f"{key} must be text, not {kind_of(value)}: put it in quotes")
    if not 1 <= len(value) <= ID_MAX_CHARS:
        raise FieldError(
            f"{key} {shown(value)} has {len(value)} characters: use 1 to {ID_MAX_CHARS}"
        )
    for char in value:
        if char.isspace() or unicodedata.category(char) in ("Cc", "Cs"):
            raise FieldError(
                f"{key} {shown(value)} holds U+{ord(char):04X}: "
                "an id has no white space and no control characters, use - instead"
            )
    return value
