"""indexer.readers.forms, indexer.readers.detection and indexer.corpus.unsupported_files"""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest

from indexer.corpus.reading import read_file
from indexer.corpus.unsupported_files import nothing_usable, unsupported_files
from indexer.maintenance.lint import lint
from indexer.readers.detection import (
    UnsupportedFile,
    describe,
    foreign_form,
    foreign_form_of_bytes,
    foreign_form_of_file,
    form_of_unsupported,
)
from indexer.readers.forms import FORMS
from kb.schema.errors import ArticleError, CorpusError


def packed(*names: str, mimetype: str = "") -> bytes:
    """A zip archive of such members, as office programs and e-book tools write them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "<x/>" * 4000, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


WORD = packed("[Content_Types].xml", "docProps/app.xml", "word/document.xml")
ODT = "application/vnd.oasis.opendocument.text"
CONTENTS = {
    "a PDF": [b"%PDF-1.7\n%\xe2\xe3\n"],
    "a Word document": [WORD],
    "a spreadsheet": [
        packed("[Content_Types].xml", "xl/workbook.xml"),
        packed(mimetype="application/vnd.oasis.opendocument.spreadsheet"),
    ],
    "an EPUB": [
        packed("META-INF/container.xml", mimetype="application/epub+zip"),
        packed("META-INF/container.xml", "OEBPS/content.opf"),
    ],
    "an OpenDocument text": [packed("content.xml", mimetype=ODT)],
    "a Word document of before 2007": [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)],
    "an RTF document": [b"{\\rtf1\\ansi Text}"],
    "an HTML page": [
        b"<!DOCTYPE html>\n<html><body>Legs</body></html>",
        b"\xef\xbb\xbf  <HTML lang=en>",
        b'<?xml version="1.0"?>\n<!-- made by hand -->\n<!DOCTYPE html PUBLIC "x">',
        "\ufeff<html>".encode("utf-16-le"),
    ],
    "an image": [b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ", b'<svg xmlns="x"/>'],
    "an XML document": [b'<?xml version="1.0"?><article/>'],
    "a recording": [b"ID3\x04\0\0", b"RIFF\0\0\0\0WAVE"],
    "an archive": [packed("legs.md"), b"\x1f\x8b\x08\0", b"7z\xbc\xaf\x27\x1c"],
}


@pytest.mark.parametrize("form", CONTENTS)
def test_a_form_is_told_by_its_content_whatever_the_name(form: str, tmp_path: Path) -> None:
    for content in CONTENTS[form]:
        found = foreign_form_of_bytes("legs.txt", content)
        assert found is not None
        assert found.one == form
        path = tmp_path / "legs.md"
        path.write_bytes(content)
        assert foreign_form_of_file(path) == found
        ((line, item),) = read_file(path)
        assert line is None
        assert isinstance(item, ArticleError)
        assert item.reason == found.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Legs\n\n<div>They jerk.</div>\n",
        "<!-- draft -->\n# Legs\n",
        "---\ntitle: Legs\n---\n<p>Text.</p>\n",
        "<b>Legs</b> jerk.\n",
        "ID3 is a gene.\n",
        "PK is a company.\n",
        "A PDF begins with %PDF-1.7, and a page with <html>.\n",
        "{\\it TeX}\n",
    ],
)
def test_what_may_be_an_article_is_of_no_other_form(text: str) -> None:
    assert foreign_form("legs.md", text.encode()) is None


def test_the_name_decides_where_the_content_does_not_tell() -> None:
    def named(name: str, content: bytes = b"") -> str:
        return form_of_unsupported(name, foreign_form_of_bytes(name, content)).one

    assert named("a.rst", b"Legs\n====\n") == "a reStructuredText document"
    assert named("a.adoc") == "an AsciiDoc document"
    assert named("a.MDX") == "an MDX file"
    assert named("a.docx") == "a Word document"  # empty, or encrypted
    assert named("a.html", b"<p>Legs</p>") == "an HTML page"
    assert named("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") == "a spreadsheet"
    assert named("a.pptx", packed("x")) == "a presentation"
    assert named("a.docx", b"<html>") == "an HTML page"
    assert named("a.pdf", WORD) == "a Word document"
    assert named("a.css", b"b {}") == "a file of another form"
    assert named("Makefile") == "a file of another form"


def test_a_gzipped_collection_is_no_archive(tmp_path: Path) -> None:
    assert foreign_form("all.JSONL.gz", b"\x1f\x8b\x08\0") is None
    page = tmp_path / "page.jsonl"
    page.write_text("<!doctype html>\n" * 100)
    ((_, item),) = read_file(page)  # one failure, and not one for each line
    assert isinstance(item, ArticleError)
    assert item.reason.startswith("is an HTML page")


def test_a_hostile_beginning_costs_no_more_than_its_length() -> None:
    began = time.perf_counter()
    assert foreign_form("x.md", b"<!---->" * 585) is None
    assert foreign_form("x.md", b"<?xml ?>" + b" " * 4000) is not None
    assert time.perf_counter() - began < 0.5


def test_every_form_says_what_it_is_and_what_to_do() -> None:
    for form in FORMS:
        assert form.one.split()[0] in ("a", "an")
        assert form.suffixes
        advice = f"call it FILE{form.suffixes[0]}" if form.is_readable else form.conversion
        assert advice
        assert form.reason.endswith(f", and articles are Markdown, plain text or JSONL: {advice}")


def test_many_files_are_counted_by_form_and_the_first_are_named() -> None:
    pdf, image = (next(each for each in FORMS if each.one == one) for one in ("a PDF", "an image"))
    files = [
        UnsupportedFile(Path("x.png"), image),
        *(UnsupportedFile(Path(f"{n}.pdf"), pdf) for n in range(5)),
    ]
    assert describe(files) == (
        "5 PDFs (0.pdf, 1.pdf, 2.pdf and 2 more: save the text with `pdftotext FILE.pdf`) and "
        "1 image (x.png: write what is seen as text)"
    )
    assert describe(files[:1]) == "1 image (x.png: write what is seen as text)"
    odd = UnsupportedFile(Path("caf\udce9.pdf"), pdf)
    assert describe([odd]).startswith("1 PDF (caf?.pdf: ")


def test_a_folder_of_other_forms_alone_is_named_so(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "notices.yaml").write_text("[]")
    (tmp_path / "_own.docx").write_bytes(WORD)
    found = unsupported_files([tmp_path, tmp_path])
    assert [(file.path.name, file.form.one) for file in found] == [
        ("_own.docx", "a Word document"),
        ("a.pdf", "a PDF"),
    ]
    (tmp_path / "_own.docx").unlink()
    said = nothing_usable([tmp_path], (), ())
    assert said == (
        f"no article is in {tmp_path}, only 1 PDF ({tmp_path / 'a.pdf'}: save the text with `pdftotext FILE.pdf`); "
        "articles are Markdown, plain text or JSONL"
    )


def test_lint_says_where_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(WORD)
    with pytest.raises(CorpusError, match=r"only 1 Word document .*pandoc -f docx"):
        lint([tmp_path])
    (tmp_path / "vocabulary.yaml").write_text("[]\n")
    assert lint([tmp_path]) == []
    with pytest.raises(CorpusError, match=r"a\.docx is a Word document, and articles are "):
        lint([tmp_path / "a.docx"])


@pytest.mark.parametrize("name", ["page.txt", "page.md", "page.jsonl", "page.article.json"])
def test_lint_finds_a_page_of_html_under_an_articles_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<!doctype html><title>Legs</title><p>They jerk.</p>\n")
    (finding,) = lint([tmp_path])
    assert (finding.code, finding.line) == ("unreadable", None)
    assert finding.message.startswith("is an HTML page, and articles are Markdown")
