"""Predicates that tell the form of a file by its first and last bytes."""

from __future__ import annotations

import re
from collections.abc import Callable

Detector = Callable[[bytes, bytes], bool]
"""Whether a file of that form begins and ends with these bytes."""


def begins_with(*starts: bytes) -> Detector:
    """Files that begin with one of these signatures."""
    return lambda head, _: head.startswith(starts)


def zip_holds(*members: bytes) -> Detector:
    """Zip archives with a member of one of these names, which stand at the beginning or in the list at the end."""
    return lambda head, tail: (
        head.startswith(b"PK\x03\x04") and any(name in head or name in tail for name in members)
    )


def zip_states_type(*types: bytes) -> Detector:
    """Zip archives of a stated type: EPUB and OpenDocument state it as plain text in the first member."""

    def detect(head: bytes, _: bytes) -> bool:
        is_stated = head.startswith(b"PK\x03\x04") and head[30:38] == b"mimetype"
        return is_stated and any(head.startswith(t, 38) for t in types)

    return detect


def either(one: Detector, other: Detector) -> Detector:
    """Files that one of two detectors accepts."""
    return lambda head, tail: one(head, tail) or other(head, tail)


def matches(pattern: bytes) -> Detector:
    """Files that begin with this mark-up, after white space, an XML declaration and comments."""
    # Possessive: an unclosed comment takes time proportional to its length, and no more.
    compiled = re.compile(
        rb"\s*+(?:(?><\?xml.*?\?>|<!--.*?-->)\s*+)*+" + pattern, re.IGNORECASE | re.DOTALL
    )
    return lambda head, _: compiled.match(_without_encoding(head)) is not None


def is_media(head: bytes, _: bytes) -> bool:
    """Audio and video."""
    return head.startswith((b"ID3\2", b"ID3\3", b"ID3\4", b"OggS", b"\x1aE\xdf\xa3")) or (
        head.startswith(b"RIFF") and head[8:12] in (b"WAVE", b"AVI ")
    )


def is_image(head: bytes, _: bytes) -> bool:
    """Images in a binary format."""
    known = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
    return head.startswith(known) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def _without_encoding(head: bytes) -> bytes:
    """The bytes without a byte order mark, and without what UTF-16 puts between ASCII letters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\0", b"")
    return head.removeprefix(b"\xef\xbb\xbf")
