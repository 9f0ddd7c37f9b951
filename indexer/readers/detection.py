"""The form of a file, told by its content, and by its name where the content cannot tell.

reStructuredText and AsciiDoc look like plain text, and an empty file looks like nothing: there the name decides.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.readers.forms import FORMS, OTHER_FORM, Form, reader_form

HEAD_BYTES = 4096
"""Length of a file's beginning that is compared with the forms, in bytes."""

_TAIL_BYTES = 65_536
"""Length of a zip archive's end that is looked at, in bytes: the list of its members stands there."""

_LISTED = 3
"""Maximum number of files of one form that a message names."""


@dataclass(frozen=True, slots=True)
class UnsupportedFile:
    """A file that is not read for articles, and its form."""

    path: Path
    form: Form


def foreign_form(name: str, head: bytes, tail: bytes = b"") -> Form | None:
    """The form of a file that begins and ends so, where it is not the one that its name states.

    None if the content may be what the name says, or is of no form that content tells.
    """
    named = reader_form(name)
    if named is not None and named.is_named:
        return None
    found = next((form for form in FORMS if form.detect and form.detect(head, tail)), None)
    return None if found is named else found


def foreign_form_of_bytes(name: str, content: bytes) -> Form | None:
    """`foreign_form` of a file that holds `content`."""
    return foreign_form(name, content[:HEAD_BYTES], content[-_TAIL_BYTES:])


def foreign_form_of_file(path: Path) -> Form | None:
    """`foreign_form` of a file on disk. None also where the file cannot be read: its reader says why."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            tail = file.read() if head.startswith(b"PK") else b""
    except OSError:
        return None
    return foreign_form(path.name, head, tail)


def form_of_unsupported(name: str, content: Form | None) -> Form:
    """The form of a file whose name is not an article's: by its content, or else by its name."""
    suffix = os.path.splitext(name.lower())[1]  # noqa: PTH122  (also for names that are not paths)
    by_name = next(
        (form for form in FORMS if not form.is_readable and suffix in form.suffixes), None
    )
    if content is None:
        return by_name or OTHER_FORM
    return by_name or content if content.holds_others else content


def describe(files: Sequence[UnsupportedFile]) -> str:
    """These files by form, the most frequent first: "2 PDFs (a.pdf, b.pdf: save the text ...) and 1 image (...)"."""
    groups: dict[str, list[UnsupportedFile]] = {}
    for file in files:
        groups.setdefault(file.form.many, []).append(file)
    parts = []
    for group in sorted(groups.values(), key=len, reverse=True):
        form = group[0].form
        listed = ", ".join(str(file.path) for file in group[:_LISTED])
        more = f" and {len(group) - _LISTED:,} more" if len(group) > _LISTED else ""
        parts.append(f"{form.count(len(group))} ({listed}{more}: {form.advice})")
    joined = ", ".join(parts[:-1])
    text = f"{joined} and {parts[-1]}" if joined else parts[-1]
    return text.encode(errors="replace").decode()  # a file's name need not be UTF-8
