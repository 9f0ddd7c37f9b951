"""Decoding and normalisation of source text.

Everything that leaves here is NFC, ends its lines with LF, and can be written as UTF-8.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from kb.schema.errors import ArticleError

_BOM = b"\xef\xbb\xbf"
# Control characters but tab and line feed, and lone surrogates, which JSON escapes can spell.
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def decode(name: Path | str, data: bytes) -> str:
    """The text of a file, normalised. A byte order mark is dropped.

    Raises ArticleError for bytes that are not UTF-8, with their offset in the file, and for a NUL:
    no editor writes one, so the file is something else under a text file's name.
    """
    start = len(_BOM) if data.startswith(_BOM) else 0
    try:
        text = data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        offset = start + error.start
        raise ArticleError(
            name,
            f"byte 0x{data[offset]:02X} at offset {offset} is not UTF-8: save the file as UTF-8",
            data.count(b"\n", 0, offset) + 1,
        ) from None
    nul = text.find("\0")
    if nul >= 0:
        raise ArticleError(
            name,
            "holds a NUL character, so it is not a text file: save it as plain text in UTF-8",
            text.count("\n", 0, nul) + 1,
        )
    return normalise(text)


def normalise(text: str) -> str:
    """`text` in NFC with LF line ends; idempotent, and white space is neither cut nor collapsed.

    A control character becomes one space and a lone surrogate one U+FFFD: neither can be shown, an
    article should not fail for a stray form feed or half an emoji, and one for one keeps offsets.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _UNWANTED.sub(_substitute, text)
    return unicodedata.normalize("NFC", text)


def _substitute(match: re.Match[str]) -> str:
    return "\ufffd" if match.group() >= "\ud800" else " "
