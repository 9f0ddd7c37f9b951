"""indexer.readers.jsonl"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers import jsonl
from indexer.readers.jsonl import numbered_jsonl
from kb.schema.article import Article, Section, Source
from kb.schema.errors import ArticleError

Line = dict[str, object]


def line(article_id: str = "a", **fields: object) -> Line:
    return {"id": article_id, "sections": [{"id": "s", "text": "text"}], **fields}


def write(path: Path, *lines: object) -> Path:
    data = "".join(json.dumps(item) + "\n" for item in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def articles(path: Path, **limits: int) -> Iterator[Article | ArticleError]:
    return (item for _, item in numbered_jsonl(path, **limits))


def summary(path: Path, **limits: int) -> list[str]:
    """The ids of the articles, and "!" for each failure."""
    return [item.id if isinstance(item, Article) else "!" for item in articles(path, **limits)]


def failure(path: Path) -> ArticleError:
    (item,) = articles(path)
    assert isinstance(item, ArticleError)
    return item


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_every_field_arrives_compressed_or_not(tmp_path: Path, name: str) -> None:
    whole = {
        "id": "MED-1",
        "title": "Cramps",
        "aliases": ["charley horse"],
        "url": "https://example.org/1",
        "source": "NIH",
        "sources": [{"title": "Paper", "url": "https://example.org/p", "year": 1999}],
        "updated": "2026-01-31",
        "reviewed": None,
        "language": "de",
        "tags": ["muscles"],
        "related": ["MED-2"],
        "extra": {"kept": "out"},
        "sections": [
            {"id": "MED-1#0", "heading": "Causes", "level": 3, "text": "Many.", "question": "?"},
            {"id": "b", "text": ""},
        ],
    }
    assert list(articles(write(tmp_path / name, whole))) == [
        Article(
            id="MED-1",
            title="Cramps",
            aliases=("charley horse",),
            url="https://example.org/1",
            sources=(Source("NIH"), Source("Paper", "https://example.org/p")),
            updated="2026-01-31",
            language="de",
            tags=("muscles",),
            related=("MED-2",),
            sections=(Section("MED-1#0", "Causes", 3, "Many."), Section("b", "", 2, "")),
            section_ids_given=True,
        )
    ]


def test_only_id_and_sections_are_needed(tmp_path: Path) -> None:
    (article,) = articles(write(tmp_path / "a.jsonl", line()))
    sections = (Section("s", "", 2, "text"),)
    assert article == Article(id="a", title="", sections=sections, section_ids_given=True)


def test_a_source_that_is_a_url_is_a_link(tmp_path: Path) -> None:
    (article,) = articles(write(tmp_path / "a.jsonl", line(source="https://a.org/")))
    assert isinstance(article, Article)
    assert article.sources == (Source("https://a.org/", "https://a.org/"),)


def test_white_space_stays_so_that_given_offsets_stay(tmp_path: Path) -> None:
    text = "  two  spaces\n\n\n\tand a tab \n"
    path = write(tmp_path / "a.jsonl", line(sections=[{"id": "s", "heading": " h ", "text": text}]))
    (article,) = articles(path)
    assert isinstance(article, Article)
    assert article.sections[0] == Section("s", " h ", 2, text)


def test_texts_are_nfc_with_lf_and_can_be_written(tmp_path: Path) -> None:
    raw = "e\u0301\r\nb\x00c\ud83d"
    path = write(tmp_path / "a.jsonl", line(title=raw, sections=[{"id": "e\u0301", "text": raw}]))
    (article,) = articles(path)
    assert isinstance(article, Article)
    assert article.sections[0] == Section("e\u0301", "", 2, "é\nb c\ufffd")
    assert article.title == "é\nb c\ufffd"


SECTION = {"id": "s", "text": "t"}


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ("{", ["a.jsonl:1:", "not JSON", "one object a line"]),
        ('{"id": "a"} {}', ["not JSON"]),
        ("[1]", ["the line is a list"]),
        ("7" * 5000, ["not JSON that can be read"]),
        ("[" * 200_000, ["nested too deeply"]),
        (json.dumps({"sections": [SECTION]}), ['has no "id"']),
        (json.dumps(line(7)), ["id must be text, not a number"]),  # type: ignore[arg-type]
        (json.dumps(line("a b")), ['id "a b"', "U+0020"]),
        (json.dumps(line("..")), ["folder"]),
        (json.dumps(line("a\ud800")), ["U+D800"]),
        (json.dumps(line("x" * 201)), ["201 characters"]),
        (json.dumps({"id": "a"}), ['article "a" has no "sections"']),
        (json.dumps(line(sections=[])), ['no "sections"']),
        (json.dumps(line(sections={})), ["sections must be a list, not a mapping"]),
        (json.dumps(line(sections=["x"])), ["section 1 must be a mapping, not text"]),
        (json.dumps(line(sections=[{"id": "s"}])), ['section 1 has no "text"']),
        (json.dumps(line(sections=[SECTION, {"text": "t"}])), ['section 2 has no "id"']),
        (json.dumps(line(sections=[{"id": "s", "text": 1}])), ["text must be text, not a number"]),
        (json.dumps(line(sections=[{**SECTION, "id": "a b"}])), ['section id "a b"']),
        (json.dumps(line(sections=[{**SECTION, "level": 7}])), ['level "7"', "1 to 6"]),
        (json.dumps(line(sections=[{**SECTION, "level": True}])), ["level"]),
        (json.dumps(line(sections=[{**SECTION, "heading": 1}])), ["section 1, heading"]),
        (json.dumps(line(sections=[SECTION, SECTION])), ["two sections", '"s"', '"a"']),
        (json.dumps(line(sections=[{"id": "s", "text": " "}])), ["no text in any section"]),
        (json.dumps(line(title=["x"])), ["title must be text, not a list"]),
        (json.dumps(line(aliases="x")), ["aliases must be a list"]),
        (json.dumps(line(source=["x"])), ["source must be text, not a list"]),
        (json.dumps(line(sources="x")), ["sources must be a list"]),
        (json.dumps(line(updated="31.1.2026")), ['updated "31.1.2026"', "YYYY-MM-DD"]),
        (json.dumps(line(tags=[1])), ["tags, item 1"]),
    ],
)
def test_a_bad_line_is_named_and_the_rest_goes_on(
    tmp_path: Path, raw: str, parts: list[str]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{raw}\n\n{json.dumps(line('next'))}\n")
    first, second = numbered_jsonl(path)
    assert first[0] == 1
    assert isinstance(first[1], ArticleError)
    for part in parts:
        assert part in str(first[1])
    assert second[0] == 3
    assert isinstance(second[1], Article)


def test_bytes_that_are_not_utf_8_cost_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps(line()).encode()
    path.write_bytes(b'\xef\xbb\xbf{"id": "\xe9"}\n' + good)
    first, second = articles(path)
    assert "byte 0xE9 at offset 8 of the line" in str(first)
    assert isinstance(second, Article)


def test_a_byte_order_mark_and_windows_line_ends_are_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(line()).encode() + b"\r\n\r\n")
    assert summary(path) == ["a"]


def test_a_truncated_gzip_file_gives_what_it_has_and_then_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", *(line(str(n), url="x" * 5000) for n in range(200)))
    path.write_bytes(path.read_bytes()[:-8])
    *whole, last = articles(path)
    assert len(whole) == 200
    assert isinstance(last, ArticleError)
    assert str(path) in str(last)
    assert "cut off" in str(last)


def test_damage_within_a_gzip_file_is_a_failure(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", line())
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF
    path.write_bytes(data)
    assert summary(path) == ["a", "!"]


def test_a_file_that_is_no_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_text(json.dumps(line()))
    assert "gzip" in str(failure(path))
    assert str(path) in str(failure(path))


def test_a_gzip_file_without_its_suffix_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.compress(b"{}"))
    assert ".jsonl.gz" in str(failure(path))


def test_a_missing_file_is_a_failure(tmp_path: Path) -> None:
    assert "cannot be read" in str(failure(tmp_path / "none.jsonl"))


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", line("a"), line("b", url="x" * 5000), line("c"))
    assert summary(path, line_max_bytes=1024) == ["a", "!", "c"]
    write(path, line("a"), line("b", url="x" * 5000))
    path.write_bytes(path.read_bytes().rstrip())
    assert summary(path, line_max_bytes=1024) == ["a", "!"]


def test_articles_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []
    real: Callable[..., object] = json.loads
    monkeypatch.setattr(jsonl.json, "loads", lambda text: parsed.append(text) or real(text))
    items = articles(write(tmp_path / "a.jsonl", *(line(str(n)) for n in range(10))))
    assert parsed == []
    next(items)
    assert len(parsed) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "title", "sections", "text", "level", "sources", "updated"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_no_json_raises(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = write(tmp_path_factory.mktemp("jsonl") / "a.jsonl", value)
    assert len(list(articles(path))) == 1
