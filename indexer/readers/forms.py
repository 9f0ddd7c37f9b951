"""Given how a file begins and what it is called, the form it is in where that is none of an article's.

A form is told by its content. Its name decides where the content cannot: reStructuredText and AsciiDoc are plain text
to look at, and nothing of an empty file tells what it was to be. Each form comes with the way to make articles of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ARTICLE_FORMS = "articles are Markdown, plain text or JSONL"

HEAD_BYTES = 4096
"""So much of a file's beginning tells its form."""

_TAIL_BYTES = 65_536
"""At the end of a zip file stands the list of its members."""

_SHOWN = 3

Detector = Callable[[bytes, bytes], bool]
"""Whether a file of that form begins and ends with these bytes."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that is not read: what one and several such files are called, and how to make articles of them.

    `way` is a clause without a subject, in which FILE stands for the file's name without its ending. `suffixes` are in
    lower case.
    """

    one: str
    many: str
    way: str
    suffixes: tuple[str, ...] = ()
    detect: Detector | None = None
    holds_others: bool = False
    """Whether its content may be that of another form, which the name tells: many are zip archives."""

    @property
    def reason(self) -> str:
        """Why a file of this form is no article and what to do, to follow the file's name."""
        return f"is {self.one}, and {ARTICLE_FORMS}: {self.way}"

    @property
    def name(self) -> str:
        """What such a file is, without an article: "PDF"."""
        return self.one.split(" ", 1)[1]

    def count(self, number: int) -> str:
        """So many of them: "3 PDFs"."""
        return f"1 {self.name}" if number == 1 else f"{number:,} {self.many}"


def _begins(*starts: bytes) -> Detector:
    return lambda head, _: head.startswith(starts)


def _zip_with(*members: bytes) -> Detector:
    return lambda head, tail: (
        head.startswith(b"PK\x03\x04") and any(name in head or name in tail for name in members)
    )


def _zip_of_type(*types: bytes) -> Detector:
    """EPUB and OpenDocument state their type as plain text in the first member."""

    def detect(head: bytes, _: bytes) -> bool:
        is_stated = head.startswith(b"PK\x03\x04") and head[30:38] == b"mimetype"
        return is_stated and any(head.startswith(t, 38) for t in types)

    return detect


def _either(one: Detector, other: Detector) -> Detector:
    return lambda head, tail: one(head, tail) or other(head, tail)


def _matches(pattern: bytes) -> Detector:
    # Possessive: comments without end take no time beyond their length.
    compiled = re.compile(
        rb"\s*+(?:(?><\?xml.*?\?>|<!--.*?-->)\s*+)*+" + pattern, re.IGNORECASE | re.DOTALL
    )
    return lambda head, _: compiled.match(_plain(head)) is not None


def _plain(head: bytes) -> bytes:
    """The bytes without a byte order mark, and without what UTF-16 puts between ASCII letters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\0", b"")
    return head.removeprefix(b"\xef\xbb\xbf")


def _is_media(head: bytes, _: bytes) -> bool:
    return head.startswith((b"ID3\2", b"ID3\3", b"ID3\4", b"OggS", b"\x1aE\xdf\xa3")) or (
        head.startswith(b"RIFF") and head[8:12] in (b"WAVE", b"AVI ")
    )


def _is_image(head: bytes, _: bytes) -> bool:
    known = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
    return head.startswith(known) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def _pandoc(source: str, suffix: str) -> str:
    return f"convert with `pandoc -f {source} -t gfm-raw_html -o FILE.md FILE.{suffix}`"


_HTML_WAY = _pandoc("html-native_divs-native_spans", "html")
_PDF_WAY = "save the text with `pdftotext FILE.pdf`"
_SHEET_WAY = "write each row as an article, a line of JSONL"
_ODF = b"application/vnd.oasis.opendocument."

FORMS: tuple[Form, ...] = (
    Form("a PDF", "PDFs", _PDF_WAY, (".pdf",), _begins(b"%PDF-")),
    Form(
        "a Word document",
        "Word documents",
        _pandoc("docx", "docx"),
        (".docx", ".docm"),
        _zip_with(b"word/document.xml"),
    ),
    Form(
        "a spreadsheet",
        "spreadsheets",
        _SHEET_WAY,
        (".xlsx", ".xlsm"),
        _zip_with(b"xl/workbook.xml"),
    ),
    Form(
        "a presentation",
        "presentations",
        "copy the text into Markdown",
        (".pptx", ".ppt", ".odp", ".key"),
        _zip_with(b"ppt/presentation.xml", b"mimetype" + _ODF + b"presentation"),
    ),
    Form(
        "an EPUB",
        "EPUBs",
        _pandoc("epub-native_divs", "epub"),
        (".epub",),
        _either(_zip_of_type(b"application/epub"), _zip_with(b"META-INF/container.xml")),
    ),
    Form(
        "an OpenDocument text",
        "OpenDocument texts",
        _pandoc("odt", "odt"),
        (".odt", ".ott"),
        _zip_of_type(_ODF + b"text"),
    ),
    Form(
        "a spreadsheet",
        "spreadsheets",
        _SHEET_WAY,
        (".ods", ".xls", ".csv", ".tsv"),
        _zip_of_type(_ODF + b"spreadsheet"),
    ),
    Form(
        "a Word document of before 2007",
        "Word documents of before 2007",
        "save as .docx with `soffice --headless --convert-to docx FILE.doc`, and convert that with pandoc",
        (".doc", ".dot"),
        _begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        holds_others=True,
    ),
    Form("an RTF document", "RTF documents", _pandoc("rtf", "rtf"), (".rtf",), _begins(b"{\\rtf")),
    Form(
        "an image",
        "images",
        "write what is seen as text",
        (
            *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff"),
            *(".svg", ".bmp", ".ico", ".heic", ".avif"),
        ),
        lambda head, tail: (
            _is_image(head, tail) or _matches(rb"(?:<!doctype svg[^>]*>\s*)?<svg\b")(head, tail)
        ),
    ),
    Form(
        "an HTML page",
        "HTML pages",
        _HTML_WAY,
        (".html", ".htm", ".xhtml"),
        _matches(rb"<(?:!doctype\s+html|html|head|body|title|meta)\b"),
    ),
    Form(
        "an XML document",
        "XML documents",
        "write each article as a line of JSONL",
        (".xml",),
        _begins(b"<?xml", b"\xef\xbb\xbf<?xml"),
    ),
    Form(
        "a recording",
        "recordings",
        "write what is said as text",
        (".mp3", ".mp4", ".wav", ".m4a", ".ogg"),
        _is_media,
    ),
    Form(
        "an archive",
        "archives",
        "unpack it",
        (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"),
        _begins(
            b"PK\x03\x04",
            b"PK\x05\x06",
            b"\x1f\x8b",
            b"7z\xbc\xaf\x27\x1c",
            b"Rar!\x1a",
            b"\xfd7zXZ\0",
        ),
        holds_others=True,
    ),
    Form(
        "a reStructuredText document",
        "reStructuredText documents",
        _pandoc("rst", "rst"),
        (".rst", ".rest"),
    ),
    Form(
        "an AsciiDoc document",
        "AsciiDoc documents",
        "convert to HTML with `asciidoctor -a nofooter FILE.adoc`, and that as HTML pages are",
        (".adoc", ".asciidoc", ".asc"),
    ),
    Form(
        "an MDX file",
        "MDX files",
        "take imports and components out, and call it FILE.md",
        (".mdx",),
    ),
    Form(
        "a JSON file",
        "JSON files",
        "write one article a line and call it FILE.jsonl, or one alone FILE.article.json",
        (".json",),
    ),
)
"""What is recognised, in the order in which it is looked for. A form that gets a reader is taken out of here."""

OTHER = Form("a file of another form", "files of other forms", "save as FILE.md or FILE.txt")
"""What nothing here recognises."""


def form_of_content(name: str, head: bytes, tail: bytes = b"") -> Form | None:
    """The form of a file that begins and ends so; None where its content may be an article's.

    A gzip file is taken for a collection where it is named so (`.jsonl.gz`).
    """
    if name.lower().endswith(".jsonl.gz"):
        return None
    return next((form for form in FORMS if form.detect and form.detect(head, tail)), None)


def form_of_bytes(name: str, content: bytes) -> Form | None:
    """The form of what `content` holds; None where it may be an article's."""
    return form_of_content(name, content[:HEAD_BYTES], content[-_TAIL_BYTES:])


def form_of_file(path: Path) -> Form | None:
    """The form of a file's content; None where it may be an article's or cannot be read, which the reader will say."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            tail = file.read() if head.startswith(b"PK") else b""
    except OSError:
        return None
    return form_of_content(path.name, head, tail)


def form_of_other(name: str, content: Form | None) -> Form:
    """The form of a file whose name is no article's: that of its content, and where that tells none, by its name."""
    suffix = os.path.splitext(name.lower())[1]  # noqa: PTH122  (of names that are no paths, too)
    by_name = next((form for form in FORMS if suffix in form.suffixes), None)
    if content is None:
        return by_name or OTHER
    return by_name or content if content.holds_others else content


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file that is no article, and its form."""

    path: Path
    form: Form


def in_words(files: Sequence[OtherFile]) -> str:
    """What these are, the most frequent form first: "2 PDFs (a.pdf, b.pdf: save the text ...) and 1 image (...)"."""
    groups: dict[str, list[OtherFile]] = {}
    for file in files:
        groups.setdefault(file.form.many, []).append(file)
    parts = []
    for group in sorted(groups.values(), key=len, reverse=True):
        form = group[0].form
        shown = ", ".join(str(file.path) for file in group[:_SHOWN])
        more = f" and {len(group) - _SHOWN:,} more" if len(group) > _SHOWN else ""
        parts.append(f"{form.count(len(group))} ({shown}{more}: {form.way})")
    listed = ", ".join(parts[:-1])
    text = f"{listed} and {parts[-1]}" if listed else parts[-1]
    return text.encode(errors="replace").decode()  # a file's name need not be UTF-8
