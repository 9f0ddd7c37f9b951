"""kb.schema.citation_formats: what is pasted says the same in each format, whatever stands in a title."""

from __future__ import annotations

import json
import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kb.schema.citation_formats import FORMATS, Reference, bibtex, csl_json, markdown, plain

URL = "https://example.org/articles/sleep%20starts#why-it-jumps"
REFERENCE = Reference(
    "Sleep Starts", "Why It Jumps", "The Library", URL, date(2026, 11, 24), "2026-01-31", "en"
)

titles = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(
    lambda text: bool(text.split())
)
references = st.builds(
    Reference,
    title=titles,
    section=titles | st.just(""),
    site=titles,
    url=st.just(URL),
    accessed=st.dates(),
    updated=st.none() | st.just("2026-01-31") | st.just("last spring"),
)


def line(text: str) -> str:
    return " ".join(text.split())


def test_the_formats_as_a_reader_pastes_them() -> None:
    assert plain(REFERENCE) == (
        "Sleep Starts, section “Why It Jumps”. The Library, updated 31 January 2026. "
        f"{URL} (accessed 24 November 2026)."
    )
    assert markdown(REFERENCE) == (
        f"[Sleep Starts, section “Why It Jumps”](<{URL}>). *The Library*, updated 31 January 2026 "
        "(accessed 24 November 2026)."
    )
    assert bibtex(REFERENCE) == (
        "@misc{sleep-starts-why-it-jumps,\n"
        "  title        = {{Sleep Starts}},\n"
        "  note         = {Section “Why It Jumps”},\n"
        "  howpublished = {The Library},\n"
        "  year         = {2026},\n"
        "  month        = {1},\n"
        f"  url          = {{{URL}}},\n"
        "  urldate      = {2026-11-24}\n"
        "}"
    )
    assert json.loads(csl_json(REFERENCE)) == [
        {
            "id": "sleep-starts-why-it-jumps",
            "type": "webpage",
            "title": "Sleep Starts",
            "container-title": "The Library",
            "URL": URL,
            "accessed": {"date-parts": [[2026, 11, 24]]},
            "section": "Why It Jumps",
            "issued": {"date-parts": [[2026, 1, 31]]},
            "language": "en",
        }
    ]


@given(references)
def test_markdown_shows_the_title_as_it_is_and_links_to_the_section(reference: Reference) -> None:
    (block,) = [t for t in MarkdownIt("commonmark").parse(markdown(reference)) if t.children]
    assert block.children is not None
    (link,) = [token for token in block.children if token.type == "link_open"]
    assert link.attrs["href"] == URL
    shown = "".join(token.content for token in block.children)
    section = f", section “{line(reference.section)}”" if line(reference.section) else ""
    assert shown.startswith(f"{line(reference.title)}{section}. {line(reference.site)}")


@given(references)
def test_braces_in_bibtex_are_balanced_and_every_field_can_be_read_back(
    reference: Reference,
) -> None:
    depth = 0
    for brace in re.findall(r"[{}]", bibtex(reference)):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    fields = re.findall(r"^  (\w+) += \{(.*)\},?$", bibtex(reference), re.MULTILINE)
    assert {"title", "howpublished", "url", "urldate"} <= dict(fields).keys()
    assert ("year" in dict(fields)) == (reference.updated == "2026-01-31")


@given(references)
def test_csl_json_holds_what_was_cited(reference: Reference) -> None:
    (item,) = json.loads(csl_json(reference))
    assert (item["title"], item["URL"]) == (line(reference.title), URL)
    assert ("issued" in item) == (reference.updated == "2026-01-31")
    assert item.get("section", "") == line(reference.section)


@given(references)
def test_no_format_spans_more_lines_than_its_form_has(reference: Reference) -> None:
    assert len(FORMATS["Plain text"](reference).splitlines()) == 1
    assert len(FORMATS["Markdown"](reference).splitlines()) == 1
