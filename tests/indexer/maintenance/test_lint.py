"""indexer.maintenance.lint"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from indexer.maintenance.lint import SECTION_MAX_WORDS, Finding, lint
from indexer.maintenance.skeleton import new_article
from kb.schema.errors import CorpusError
from support.json_lines import write_records
from support.places import CORPUS

TODAY = date(2026, 6, 1)
GOOD = """\
---
title: {title}
aliases: [x]
sources: [{{title: NHS, url: "https://nhs.uk/"}}]
updated: 2026-01-31
---
Text.
"""


def good(folder: Path, name: str = "good", body: str = "", title: str = "Good") -> Path:
    path = folder / f"{name}.md"
    path.write_text(GOOD.format(title=title) + body)
    return path


def found(folder: Path) -> list[tuple[int | None, str]]:
    return [(finding.line, finding.code) for finding in lint([folder], TODAY)]


def test_the_shipped_corpus_has_nothing_to_mend() -> None:
    assert lint([CORPUS]) == []


def test_a_good_article_has_no_findings(tmp_path: Path) -> None:
    good(tmp_path, body="## A\n\n### B\n\nb\n\n## C\n\nc\n")
    assert lint([tmp_path], TODAY) == []


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("aliases: [x]", "aliases: []", (3, "missing-aliases")),
        ("aliases: [x]\n", "", (None, "missing-aliases")),
        ('sources: [{title: NHS, url: "https://nhs.uk/"}]\n', "", (None, "missing-sources")),
        (', url: "https://nhs.uk/"', "", (4, "source-without-url")),
        ("updated: 2026-01-31\n", "", (None, "missing-updated")),
        ("2026-01-31", "2026-06-02", (5, "future-date")),
        ("updated: 2026", "reviewed: 2027-01-01\nupdated: 2026", (5, "future-date")),
        ("aliases: [x]", "aliases: [x]\nrelated: [none]", (4, "unknown-related")),
        ("aliases: [x]", "alias: [x]", (3, "unreadable")),
    ],
)
def test_what_front_matter_lacks_is_found(
    tmp_path: Path, before: str, after: str, finding: tuple[int | None, str]
) -> None:
    path = good(tmp_path)
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    assert found(tmp_path) == [finding]


def test_all_that_is_wrong_in_front_matter_is_found_at_once_each_at_its_line(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.md").write_text(
        "---\nreviewd: 2026-01-31\ntitle: A\nupdated: 31/12/2025\naliases: x\nurl: not a url\n---\nText.\n"
    )
    findings = lint([tmp_path], TODAY)
    assert [(each.line, each.message.split()[0]) for each in findings] == [
        (2, "unknown"),
        (4, "updated"),
        (5, "aliases"),
        (6, "url"),
    ]
    assert {each.code for each in findings} == {"unreadable"}


@pytest.mark.parametrize(
    ("body", "findings"),
    [
        ("## A\n\na\n\n### A\n\na", [(13, "repeated-heading")]),
        ("### A\n\na", [(9, "skipped-level")]),
        ("## A\n\na\n\n#### B\n\nb\n\n## C\n\nc", [(13, "skipped-level")]),
        (
            "##Apart\n\na\n#B\n\n#1 and `##` and \\##c\n\n    ##d",
            [(9, "unspaced-heading"), (12, "unspaced-heading")],
        ),
        ("## A\n\n## B\n\nb", [(9, "empty-section")]),
        ("## A\n\na\n\n## B", [(13, "empty-section")]),
        ("## A\n\n" + "word " * (SECTION_MAX_WORDS + 1), [(9, "long-section")]),
        ("## A\n\n" + "word " * SECTION_MAX_WORDS, []),
        ("[a](gone.md)\n[b](good.md) [c](https://x.org/gone.md)", [(9, "broken-link")]),
        ("[a](sub/../good.md) [b](./good.md#a) [c](#a) [d](#)\n\n## A\n\na", []),
        ("[a](good.md#b) ![x](gone.png)", [(9, "broken-link"), (9, "broken-link")]),
        ("[a](#b)\n\n## Bé\n\n[c](#b%C3%A9)", [(9, "broken-link")]),
        ("[a](<a\\0b.md>) [b](mailto:x@y.org) [c](//x.org) [d](/x)", [(9, "broken-link")]),
    ],
)
def test_what_is_wrong_in_the_body_is_found_at_its_line(
    tmp_path: Path, body: str, findings: list[tuple[int, str]]
) -> None:
    good(tmp_path, body="\n" + body)
    assert found(tmp_path) == findings


def test_links_and_related_may_lead_to_any_file_of_the_corpus(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    text = good(tmp_path / "sub", "a", "\n[b](../b%20c.md#x) [t](../t.txt#head) [p](../p.png)\n")
    text.write_text(text.read_text().replace("updated", "related: [b-c, the  TITLE, j]\nupdated"))
    good(tmp_path, "b c", "\n## X\n\nx\n")
    (tmp_path / "t.txt").write_text("The title\n\nHead\n\nSome text here.\n")
    (tmp_path / "p.png").touch()
    line = {"id": "j", "sections": [{"id": "s", "text": "t"}]}
    (tmp_path / "c.jsonl").write_text(json.dumps(line))
    assert lint([tmp_path], TODAY) == []


def test_collections_are_held_only_to_what_breaks(tmp_path: Path) -> None:
    sections = [
        {"id": "1", "heading": "A", "text": "t"},
        {"id": "2", "heading": "A", "text": " "},
    ]
    lines = [
        {"id": "a", "sections": sections, "updated": "2027-01-01", "related": ["b"]},
        {"id": "a", "sections": sections[:1]},
        {"id": "c"},
    ]
    path = tmp_path / "c.jsonl"
    write_records(path, lines)
    assert found(path) == [
        (1, "empty-section"),
        (1, "future-date"),
        (1, "unknown-related"),
        (2, "duplicate-id"),
        (3, "unreadable"),
    ]


def test_two_files_with_one_id_are_found_at_the_second(tmp_path: Path) -> None:
    for name in ("a", "b"):
        path = good(tmp_path, name)
        path.write_text(path.read_text().replace("---\n", "---\nid: same\n", 1))
    (finding,) = lint([tmp_path], TODAY)
    assert (finding.path, finding.line, finding.code) == (
        str(tmp_path / "b.md"),
        2,
        "duplicate-id",
    )
    assert "a.md" in finding.message


def test_a_new_article_is_told_that_it_is_to_be_filled_in(tmp_path: Path) -> None:
    new_article(tmp_path, "Leg Cramps")
    codes = {finding.code for finding in lint([tmp_path])}
    assert codes == {"missing-aliases", "missing-sources", "placeholder", "empty-section"}


def test_findings_come_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    for name in ("b", "a"):
        good(tmp_path, name, "\n[x](#x)\n\n## A\n\n## A\n\na\n", title=name)
    findings = lint([tmp_path], TODAY)
    assert [(Path(f.path).name, f.line, f.code) for f in findings] == [
        (name, line, code)
        for name in ("a.md", "b.md")
        for line, code in [(9, "broken-link"), (11, "empty-section"), (13, "repeated-heading")]
    ]
    assert findings == lint([tmp_path], TODAY)


def test_a_finding_reads_like_a_compilers() -> None:
    assert str(Finding("a.md", 3, "code", "message")) == "a.md:3: code: message"
    assert str(Finding("a.md", None, "code", "message")) == "a.md: code: message"


def test_a_corpus_of_broken_articles_is_findings_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("no title")
    (tmp_path / "b.md").symlink_to("/etc/hostname")
    assert found(tmp_path) == [(None, "unreadable"), (None, "unreadable")]
    with pytest.raises(CorpusError):
        lint([tmp_path / "nowhere"])
