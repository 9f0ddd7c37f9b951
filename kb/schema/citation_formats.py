"""Citations to paste: plain text, Markdown, BibTeX and CSL-JSON.

    Sleep Starts (Hypnic Jerks), section “Why the Body Jumps”. Health Knowledge Base, updated 22 November 2026.
    https://example.org/articles/sleep-starts-hypnic-jerks#why-the-body-jumps (accessed 24 November 2026).

citeproc and Zotero read CSL-JSON. The BibTeX entry is `@misc`, which every style has.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Reference:
    """What is cited: a section of an article, or the whole article if `section` is empty.

    `site` names where it was read, `url` is its public address, `accessed` the day of reading. `updated` is an ISO 8601
    date or None. Any other text is left out of the formats that need a date.
    """

    title: str
    section: str
    site: str
    url: str
    accessed: date
    updated: str | None = None
    language: str = ""


def plain(reference: Reference) -> str:
    """One line of text."""
    section = f", section “{_line(reference.section)}”" if reference.section else ""
    return (
        f"{_line(reference.title)}{section}. {_line(reference.site)}{_updated(reference)}. "
        f"{reference.url} (accessed {day_in_words(reference.accessed)})."
    )


def markdown(reference: Reference) -> str:
    """One line of Markdown: the title and section as a link, the site in italics."""
    section = f", section “{_line(reference.section)}”" if reference.section else ""
    name = _escape_markdown(f"{_line(reference.title)}{section}")
    site = _escape_markdown(_line(reference.site))
    address = reference.url.replace("<", "%3C").replace(">", "%3E")
    return (
        f"[{name}](<{address}>). *{site}*{_updated(reference)} "
        f"(accessed {day_in_words(reference.accessed)})."
    )


def bibtex(reference: Reference) -> str:
    """An entry `@misc`. Its key is the last part of the address."""
    updated = iso_day(reference.updated)
    fields = {"title": f"{{{_escape_bibtex(_line(reference.title))}}}"}
    if reference.section:
        fields["note"] = f"Section “{_escape_bibtex(_line(reference.section))}”"
    fields["howpublished"] = _escape_bibtex(_line(reference.site))
    if updated:
        fields["year"] = f"{updated.year}"
        fields["month"] = f"{updated.month}"
    fields["url"] = reference.url.replace("{", "%7B").replace("}", "%7D")
    fields["urldate"] = reference.accessed.isoformat()
    width = max(map(len, fields))
    lines = [f"  {name.ljust(width)} = {{{value}}}" for name, value in fields.items()]
    return f"@misc{{{_key(reference)},\n" + ",\n".join(lines) + "\n}"


def csl_json(reference: Reference) -> str:
    """A list with one item, as citeproc and Zotero import it."""
    updated = iso_day(reference.updated)
    item: dict[str, Any] = {
        "id": _key(reference),
        "type": "webpage",
        "title": _line(reference.title),
        "container-title": _line(reference.site),
        "URL": reference.url,
        "accessed": _date_parts(reference.accessed),
    }
    if reference.section:
        item["section"] = _line(reference.section)
    if updated:
        item["issued"] = _date_parts(updated)
    if reference.language:
        item["language"] = reference.language
    return json.dumps([item], ensure_ascii=False, indent=2)


FORMATS = {"Plain text": plain, "Markdown": markdown, "BibTeX": bibtex, "CSL-JSON": csl_json}
"""Every format, by the name shown to readers."""


def day_in_words(day: date) -> str:
    """`31 January 2026`."""
    return f"{day.day} {day:%B} {day.year}"


def iso_day(text: str | None) -> date | None:
    """The date in an ISO 8601 text, or None."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _line(text: str) -> str:
    return " ".join(text.split())


def _updated(reference: Reference) -> str:
    updated = iso_day(reference.updated)
    return f", updated {day_in_words(updated)}" if updated else ""


def _date_parts(day: date) -> dict[str, list[list[int]]]:
    return {"date-parts": [[day.year, day.month, day.day]]}


def _key(reference: Reference) -> str:
    last = reference.url.rstrip("/").rpartition("/")[2]
    key = re.sub(r"[^A-Za-z0-9]+", "-", re.sub(r"%[0-9A-Fa-f]{2}", "-", last)).strip("-")
    return key.lower() or "article"


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>&!~|])", r"\\\1", text)


# BibTeX counts a brace even after a backslash, so an unmatched one must be a command.
_BIBTEX = {
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    **{sign: f"\\{sign}" for sign in "#$%&_"},
}


def _escape_bibtex(text: str) -> str:
    return "".join(_BIBTEX.get(letter, letter) for letter in text)
