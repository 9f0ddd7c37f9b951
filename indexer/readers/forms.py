"""The table of file forms: how each is recognised and named, and what reads it.

A form with a reader is read wherever files of articles are: in a corpus, by `kb add`, and in uploads. A form without
one is refused, with the way to convert it. To support a form, give its line in `FORMS` a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.readers.detectors import (
    Detector,
    begins_with,
    either,
    is_image,
    is_media,
    matches,
    zip_holds,
    zip_states_type,
)
from indexer.readers.jsonl import numbered_jsonl, read_article_json
from indexer.readers.plain_text import read_plain_text
from kb.schema import article_files
from kb.schema.article import Article
from kb.schema.errors import ArticleError
from kb.schema.extras import missing

Reader = Callable[[Path, bytes], tuple[Article, bool]]
"""The one article of a file with that name and content, and whether it states its id. Raises ArticleError.

An article that states no id has the stem of the name for one.
"""

CollectionReader = Callable[[Path], Iterator[tuple[int | None, Article | ArticleError]]]
"""The articles of a file that holds any number of them, each with its line. They state their ids.

An article that cannot be read is an ArticleError in its place.
"""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of file: what one and several such files are called, and how they are recognised.

    `conversion` says how to make articles of a form without a reader. It is a clause without a subject, in which FILE
    stands for the file's name without its ending. `suffixes` are in lower case, the usual one first.
    """

    one: str
    many: str
    conversion: str = ""
    suffixes: tuple[str, ...] = ()
    detect: Detector | None = None
    read: Reader | None = None
    read_collection: CollectionReader | None = None
    holds_others: bool = False
    """Whether the name tells the form more closely than the content: many forms are zip archives."""
    is_named: bool = False
    """Whether the name alone tells the form, since its content is that of another form."""

    @property
    def is_readable(self) -> bool:
        """Whether files of this form are read for articles."""
        return self.read is not None or self.read_collection is not None

    @property
    def advice(self) -> str:
        """What to do with such a file that is not read."""
        return f"call it FILE{self.suffixes[0]}" if self.is_readable else self.conversion

    @property
    def reason(self) -> str:
        """Why a file of this form is no article and what to do, to follow the file's name."""
        return f"is {self.one}, and {ARTICLE_FORMS}: {self.advice}"

    @property
    def name(self) -> str:
        """What such a file is, without an article: "PDF"."""
        return self.one.split(" ", 1)[1]

    def count(self, number: int) -> str:
        """That many of them: "3 PDFs"."""
        return f"1 {self.name}" if number == 1 else f"{number:,} {self.many}"


def _markdown(name: Path, content: bytes) -> tuple[Article, bool]:
    try:
        # Status, rollback and removal work on an installation without a Markdown parser.
        from indexer.readers.markdown import parse_markdown  # noqa: PLC0415
    except ModuleNotFoundError as error:
        wants = f"{name} is not what the index holds, and reading it"
        raise missing(error.name, wants, "indexing") from None
    parsed = parse_markdown(name, content)
    return parsed.article, parsed.states_id


def _plain_text(name: Path, content: bytes) -> tuple[Article, bool]:
    return read_plain_text(name, content), False


def _article_json(name: Path, content: bytes) -> tuple[Article, bool]:
    return read_article_json(name, content), True


def _with_pandoc(source: str, suffix: str) -> str:
    return f"convert with `pandoc -f {source} -t gfm-raw_html -o FILE.md FILE.{suffix}`"


_HTML_ADVICE = _with_pandoc("html-native_divs-native_spans", "html")
_PDF_ADVICE = "save the text with `pdftotext FILE.pdf`"
_SHEET_ADVICE = "write each row as an article, a line of JSONL"
_ODF = b"application/vnd.oasis.opendocument."

MARKDOWN = Form(
    "a Markdown file", "Markdown", suffixes=article_files.MARKDOWN.suffixes, read=_markdown
)
PLAIN_TEXT = Form(
    "a plain text file", "plain text", suffixes=article_files.PLAIN_TEXT.suffixes, read=_plain_text
)
ARTICLE_JSON = Form(
    "an article as JSON", "JSONL", suffixes=article_files.ARTICLE_JSON.suffixes, read=_article_json
)
"""One object of a JSONL file in a file of its own. The program writes articles of collections in this form."""

FORMS: tuple[Form, ...] = (
    MARKDOWN,
    PLAIN_TEXT,
    ARTICLE_JSON,
    Form("a collection", "JSONL", suffixes=(".jsonl",), read_collection=numbered_jsonl),
    Form(
        "a compressed collection",
        "JSONL",
        suffixes=(".jsonl.gz",),
        read_collection=numbered_jsonl,
        is_named=True,
    ),
    Form("a PDF", "PDFs", _PDF_ADVICE, (".pdf",), begins_with(b"%PDF-")),
    Form(
        "a Word document",
        "Word documents",
        _with_pandoc("docx", "docx"),
        (".docx", ".docm"),
        zip_holds(b"word/document.xml"),
    ),
    Form(
        "a spreadsheet",
        "spreadsheets",
        _SHEET_ADVICE,
        (".xlsx", ".xlsm"),
        zip_holds(b"xl/workbook.xml"),
    ),
    Form(
        "a presentation",
        "presentations",
        "copy the text into Markdown",
        (".pptx", ".ppt", ".odp", ".key"),
        zip_holds(b"ppt/presentation.xml", b"mimetype" + _ODF + b"presentation"),
    ),
    Form(
        "an EPUB",
        "EPUBs",
        _with_pandoc("epub-native_divs", "epub"),
        (".epub",),
        either(zip_states_type(b"application/epub"), zip_holds(b"META-INF/container.xml")),
    ),
    Form(
        "an OpenDocument text",
        "OpenDocument texts",
        _with_pandoc("odt", "odt"),
        (".odt", ".ott"),
        zip_states_type(_ODF + b"text"),
    ),
    Form(
        "a spreadsheet",
        "spreadsheets",
        _SHEET_ADVICE,
        (".ods", ".xls", ".csv", ".tsv"),
        zip_states_type(_ODF + b"spreadsheet"),
    ),
    Form(
        "a Word document of before 2007",
        "Word documents of before 2007",
        "save as .docx with `soffice --headless --convert-to docx FILE.doc`, and convert that with pandoc",
        (".doc", ".dot"),
        begins_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        holds_others=True,
    ),
    Form(
        "an RTF document",
        "RTF documents",
        _with_pandoc("rtf", "rtf"),
        (".rtf",),
        begins_with(b"{\\rtf"),
    ),
    Form(
        "an image",
        "images",
        "write what is seen as text",
        (
            *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff"),
            *(".svg", ".bmp", ".ico", ".heic", ".avif"),
        ),
        either(is_image, matches(rb"(?:<!doctype svg[^>]*>\s*)?<svg\b")),
    ),
    Form(
        "an HTML page",
        "HTML pages",
        _HTML_ADVICE,
        (".html", ".htm", ".xhtml"),
        matches(rb"<(?:!doctype\s+html|html|head|body|title|meta)\b"),
    ),
    Form(
        "an XML document",
        "XML documents",
        "write each article as a line of JSONL",
        (".xml",),
        begins_with(b"<?xml", b"\xef\xbb\xbf<?xml"),
    ),
    Form(
        "a recording",
        "recordings",
        "write what is said as text",
        (".mp3", ".mp4", ".wav", ".m4a", ".ogg"),
        is_media,
    ),
    Form(
        "an archive",
        "archives",
        "unpack it",
        (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"),
        begins_with(
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
        _with_pandoc("rst", "rst"),
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
"""All forms, in the order in which content is compared with them."""

OTHER_FORM = Form("a file of another form", "files of other forms", "save as FILE.md or FILE.txt")
"""Any form that `FORMS` does not list."""

READABLE_SUFFIXES = tuple(suffix for form in FORMS if form.is_readable for suffix in form.suffixes)
"""The endings of the names of files that are read for articles."""


def _articles_are() -> str:
    *names, last = dict.fromkeys(form.many for form in FORMS if form.is_readable)
    return f"articles are {', '.join(names)} or {last}"


ARTICLE_FORMS = _articles_are()
"""The readable forms, as a clause for messages."""


def reader_form(name: str) -> Form | None:
    """The form by which a file with that name is read; None if it is not read."""
    lower = name.lower()
    return next(
        (form for form in FORMS if form.is_readable and lower.endswith(form.suffixes)), None
    )


def suffix_of(name: str) -> str:
    """The ending by which a file with that name is read, as it is spelled there; "" if it is not read."""
    lower = name.lower()
    known = next((suffix for suffix in READABLE_SUFFIXES if lower.endswith(suffix)), "")
    return name[len(name) - len(known) :]


def is_collection(name: str) -> bool:
    """Whether a file with that name holds any number of articles, which state their ids."""
    form = reader_form(name)
    return form is not None and form.read_collection is not None
