"""The pages as they are sent; `tests/browser` has what only a browser can tell."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

import pytest
from bs4 import Tag
from fastapi.testclient import TestClient

from kb import KnowledgeBase
from kb.schema.article import Article, Section, Source
from kb.schema.results import RelatedResponse
from kb.storage import articles
from search_api.pages.cards import passage_path
from search_api.service.app import create_app
from search_api.state.settings import load_settings
from support.answers import soup
from support.questions import QUESTION

RESULTS = f"/?q={quote(QUESTION)}"
UNTITLED = "sleep-starts-hypnic-jerks"
NAMING_IT = "sleep-hygiene"
NASTY = '"><script>alert(1)</script><img src=x onerror=alert(1)>'

Reader = Callable[..., str]


def one(parent: Tag, selector: str) -> Tag:
    found = parent.select(selector)
    assert len(found) == 1, (selector, found)
    return found[0]


@pytest.fixture
def page_paths(knowledge_base: KnowledgeBase) -> list[str]:
    articles = [f"/articles/{article.id}" for article in knowledge_base.articles()]
    others = ["/articles?by=topic", "/status", "/demo", f"/cite?article={UNTITLED}", "/docs"]
    return ["/", RESULTS, "/?q=capital+of+France", "/articles", *others, *articles]


def test_every_page_has_one_title_one_first_heading_and_the_notice(
    reader: Reader, page_paths: list[str]
) -> None:
    titles = []
    for path in page_paths:
        page = soup(reader(path))
        titles.append(one(page, "title").text)
        one(page, "h1")
        one(page, "main")
        assert one(page, "html")["lang"] == "en"
        notice = one(page, "aside.notice").text
        assert "General information, not medical advice" in notice
        assert "In an emergency, call your local emergency number" in notice
        assert one(page, "a.skip")["href"] == f"#{one(page, 'main')['id']}"
    assert len(set(titles)) == len(titles)


def test_no_page_has_inline_code_or_asks_another_site(
    reader: Reader, page_paths: list[str]
) -> None:
    for path in page_paths:
        page = soup(reader(path))
        assert not page.select("style, iframe, [style]")
        assert all(script.get("src") and not script.text for script in page.select("script"))
        assert not [n for tag in page.find_all() for n in tag.attrs if n.startswith("on")]
        loaded = [tag["href"] for tag in page.select("link")]
        loaded += [tag["src"] for tag in page.select("img, script")]
        assert all(str(address).startswith(("/static/", "/kb-search.js")) for address in loaded)


def test_ids_are_unique_and_every_link_within_the_site_leads_somewhere(
    client: TestClient, reader: Reader, page_paths: list[str]
) -> None:
    known: dict[str, set[str]] = {}
    for path in page_paths:
        page = soup(reader(path))
        ids = [str(tag["id"]) for tag in page.select("[id]")]
        assert len(set(ids)) == len(ids), path
        for link in page.select("a[href], link[href]"):
            target = str(link["href"])
            if target.startswith("http"):
                assert link["rel"] == ["noopener", "noreferrer"]
                continue
            address, _, fragment = (path + target if target.startswith("#") else target).partition(
                "#"
            )
            if address not in known:
                response = client.get(address, headers={"Accept": "text/html,*/*;q=0.8"})
                assert response.status_code == 200, (path, target)
                known[address] = {str(tag["id"]) for tag in soup(response.text).select("[id]")}
            assert not fragment or unquote(fragment) in known[address], (path, target)


def parts_of(client: TestClient, html: str) -> dict[str, bytes]:
    """What a page loads, by address: scripts bring along those that they import."""
    page = soup(html)
    wanted = [str(tag["href"]) for tag in page.select("link")]
    wanted += [str(tag["src"]) for tag in page.select("script, img")]
    loaded: dict[str, bytes] = {}
    while wanted:
        address = wanted.pop()
        if address not in loaded:
            response = client.get(address)
            assert response.status_code == 200
            loaded[address] = response.content
            if address.endswith(".js"):
                wanted += [
                    urljoin(address, name) for name in re.findall(r'from "(.+?)"', response.text)
                ]
    return loaded


def test_whole_pages_are_small_and_their_scripts_smaller(
    client: TestClient, reader: Reader
) -> None:
    for path in ("/", RESULTS, f"/articles/{UNTITLED}"):
        html = reader(path)
        parts = parts_of(client, html)
        assert len(html.encode()) + sum(map(len, parts.values())) < 100_000, path
        scripts = [part for address, part in parts.items() if address.endswith(".js")]
        assert len(scripts) > 5
        assert sum(len(gzip.compress(script)) for script in scripts) < 30_000


def test_fixed_files_may_be_kept_for_good(client: TestClient, reader: Reader) -> None:
    for address in parts_of(client, reader("/")):
        headers = client.get(address).headers
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["content-type"] in (
            "text/css; charset=utf-8",
            "image/svg+xml",
            "text/javascript; charset=utf-8",
        )


def test_the_home_page_offers_questions_that_the_library_answers(
    reader: Reader, knowledge_base: KnowledgeBase
) -> None:
    questions = [link.text for link in soup(reader("/")).select(".examples a")]
    assert len(questions) == 4
    for question in questions:
        response = knowledge_base.search(question, 1)
        assert response.answered != "none"
        citation = response.results[0].citation
        assert question in (citation.article_title, citation.section_heading)


def test_a_card_shows_the_same_answer_as_the_api(client: TestClient, reader: Reader) -> None:
    results = client.post("/api/v1/search", json={"question": QUESTION}).json()["results"]
    cards = soup(reader(RESULTS)).select(".card")
    assert len(cards) == len(results) == 10
    for card, result in zip(cards, results, strict=True):
        citation = result["citation"]
        assert one(card, ".of-article").text == citation["article_title"]
        assert one(card, ".of-section").text == (citation["section_heading"] or "Introduction")
        link = str(one(card, "h2 a")["href"])
        assert link == passage_path(
            *(citation["article_id"], citation["section_id"], citation["start"], citation["end"]),
            result["text"],
        )
        # Lists and tables show their own marks: compare the words.
        words = re.findall(r"[^\W\d]\w*", result["snippet"]["text"])
        assert re.findall(r"[^\W\d]\w*", one(card, ".snippet").get_text(" ")) == re.findall(
            r"[^\W\d]\w*", " ".join(words)
        )
        start = citation["start"]
        marked = [result["text"][b - start : e - start] for b, e in result["highlights"]]
        assert [tag.text for tag in card.select(".passage mark")] == marked
        assert "Not clinically reviewed" in one(card, ".meta").text
        assert "Updated" in one(card, ".meta").text
        why = one(card, "details.why")
        assert f"{result['score']:.2f} out of at most 1" in why.text
        lifts = [result["explanation"][part] for part in ("subject", "kind")]
        ways = 6 + sum(map(bool, lifts))
        assert f"compared with this passage in {ways} ways" in why.text
        assert len(why.select("tbody tr")) == ways


def test_more_results_continue_the_numbers_and_keep_those_above(reader: Reader) -> None:
    path = RESULTS
    seen: list[str] = []
    for count in (10, 20, 30):
        page = soup(reader(path))
        assert one(page, "input[name=q]")["value"] == QUESTION
        links = [str(tag["href"]) for tag in page.select(".card h2 a")]
        assert len(set(links)) == len(links) == count
        assert links[: len(seen)] == seen
        seen = links
        more = urlsplit(str(one(page, "a[rel=next]")["href"]))
        path = f"{more.path}?{more.query}"
        assert parse_qs(more.query)["q"] == [QUESTION]
        assert more.fragment == f"page.result-{count + 1}"
        assert soup(reader(path)).find(id=more.fragment)


def test_after_a_hundred_results_a_new_page_begins(reader: Reader) -> None:
    page = soup(reader(f"{RESULTS}&shown=100"))
    further = one(page, "a[rel=next]")
    assert "data-live" not in further.attrs
    page = soup(reader(str(further["href"]).partition("#")[0]))
    assert one(page, "ol.cards")["start"] == "101"
    assert page.select("a[rel=prev]")


@pytest.mark.parametrize("offset", ["x", "-5", "1e3", "٣", "", "9" * 5000])
def test_an_offset_that_is_none_is_left_aside(reader: Reader, offset: str) -> None:
    assert one(soup(reader(f"{RESULTS}&offset={quote(offset)}")), "ol.cards")["start"] == "1"
    assert len(soup(reader(f"{RESULTS}&shown={quote(offset)}")).select(".card")) == 10
    reader(f"/articles?offset={quote(offset)}")


def test_of_a_repeated_parameter_a_page_takes_the_first(reader: Reader) -> None:
    page = soup(reader(f"{RESULTS}&offset=10&q=other&offset=20"))
    assert one(page, "input[name=q]")["value"] == QUESTION
    assert one(page, "ol.cards")["start"] == "11"


def test_the_end_of_the_results_is_a_page_too(reader: Reader) -> None:
    for offset in (230, 990, 999_999_999):
        page = soup(reader(f"{RESULTS}&offset={offset}"))
        assert not page.select("a[rel=next]")


def test_a_question_nothing_answers_is_told_so(reader: Reader) -> None:
    page = soup(reader("/?q=what+is+the+capital+of+France"))
    assert one(page, "h1").text.startswith("No clear answer")
    verdict = one(page, ".verdict.none").text
    assert "Nothing in this library comes near enough" in verdict
    assert "These passages come nearest" in verdict
    assert page.select(".card.nearest")


def test_where_a_filter_leaves_no_answer_the_whole_library_is_offered(reader: Reader) -> None:
    question = "/?q=is+it+normal+for+new+dentures+to+hurt"
    assert not soup(reader(question)).select(".verdict.none")
    page = soup(reader(f"{question}&tag=sleep"))
    verdict = one(page, ".verdict.none")
    assert "Nothing in what the search is narrowed to comes near enough" in verdict.text
    whole = verdict.find("a", string="Look in the whole library")
    assert whole is not None
    assert whole["href"] == question
    assert "Look in the whole library" not in reader("/?q=what+is+the+capital+of+France")


def test_a_phrase_that_matches_nothing_gives_a_page_without_cards(reader: Reader) -> None:
    page = soup(reader("/?q=%22zyx+wvu+tsr%22"))
    assert not page.select(".card")
    assert one(page, "h1").text == "Nothing found"
    assert len(one(page, ".verdict.none > p").text) > 20


@pytest.mark.parametrize("question", ["", "   ", "x" * 4001, "\x00"])
def test_a_bad_question_keeps_what_was_typed_and_says_what_is_wrong(
    reader: Reader, question: str
) -> None:
    page = soup(reader(f"/?q={quote(question)}", status=422))
    box = one(page, "input[name=q]")
    assert box["value"] == question or question == "\x00"
    assert one(page, f"#{str(box['aria-describedby']).replace('.', chr(92) + '.')}").text.strip()


def test_what_is_typed_is_shown_as_text(reader: Reader) -> None:
    page = soup(reader(f"/?q={quote(NASTY)}"))
    assert not page.select("script:not([src^='/static/']), img[onerror]")
    assert one(page, "input[name=q]")["value"] == NASTY


def test_every_stretch_of_an_article_stands_where_it_says(
    reader: Reader, knowledge_base: KnowledgeBase
) -> None:
    for summary in knowledge_base.articles():
        article = knowledge_base.article(summary.id)
        page = soup(reader(f"/articles/{article.id}"))
        assert one(page, "h1").text == article.title
        for section in article.sections:
            shown = page.find(id=section.id)
            assert isinstance(shown, Tag)
            if section.heading:
                assert shown.find(re.compile("^h[2-6]$")).text == section.heading  # type: ignore[union-attr]
            covered: set[int] = set()
            for stretch in shown.select("[data-start]"):
                start = int(str(stretch["data-start"]))
                assert section.text[start : start + len(stretch.text)] == stretch.text
                covered.update(range(start, start + len(stretch.text)))
            hidden = [char for n, char in enumerate(section.text) if n not in covered]
            assert not any(map(str.isalpha, hidden))


def test_the_cited_passage_is_marked_whole_and_nothing_else(
    reader: Reader, knowledge_base: KnowledgeBase
) -> None:
    for result in knowledge_base.search(QUESTION, 20).results:
        citation = result.citation
        link = passage_path(
            *(citation.article_id, citation.section_id, citation.start, citation.end), result.text
        )
        page = soup(reader(link.partition("#")[0]))
        marks = page.select("mark.cited")
        assert marks[0]["id"] == "page.cited"
        inside = page.find(id=citation.section_id)
        assert isinstance(inside, Tag)
        assert all(inside in mark.parents for mark in marks)
        words = "".join(mark.text for mark in marks)
        kept = iter(citation.quote)
        assert all(letter in kept for letter in words)
        assert len(words) > 0.85 * len(citation.quote)


def test_what_a_minus_left_out_is_said_with_a_link_that_leaves_nothing_out(reader: Reader) -> None:
    page = soup(reader(f"/?q={quote('leg cramps -magnesium')}&topic=sleep"))
    told = one(page, ".correction")
    assert "Left out: magnesium." in told.text
    assert parse_qs(urlsplit(str(one(told, "a")["href"])).query)["q"] == ["leg cramps magnesium"]
    assert "Left out: magnesium." in page.text
    assert not soup(reader(f"/?q={quote('x -ray of the hand')}")).select(".correction")


@pytest.mark.parametrize(
    "query",
    [
        "start=5&end=2",
        "start=0&end=99999",
        "start=-1&end=4",
        "start=a&end=b",
        "start=0",
        "start=0&end=10&section=nope",
        f"start={'9' * 5000}&end=3",
        "start=%FF&end=%00",
        "start=٣&end=٩",
    ],
)
def test_an_address_that_cites_nothing_real_shows_the_article_plain(
    reader: Reader, query: str
) -> None:
    section = "" if "section=" in query else "&section=how-it-feels"
    page = soup(reader(f"/articles/sleep-starts-hypnic-jerks?{query}{section}"))
    assert not page.select("mark")


def test_pages_that_are_not_there_say_so_in_the_same_design(reader: Reader) -> None:
    for path in ("/articles/nope", "/articles/a%2Fb%00", "/nope", "/static/nope"):
        page = soup(reader(path, status=404))
        assert "This page is not here" in page.text
        one(page, "form[role=search]")


def test_pages_answer_head_requests(client: TestClient) -> None:
    for path in ("/", "/articles", "/docs", "/articles/sleep-starts-hypnic-jerks"):
        response = client.head(path)
        assert (response.status_code, response.content) == (200, b"")


@pytest.fixture
def hostile(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Article]:
    """An article that somebody with bad intentions wrote."""
    article = Article(
        id=NASTY,
        title=NASTY,
        sections=(
            Section("top", "", 1, NASTY),
            Section('a" onclick="x', NASTY, 3, f"- {NASTY}\n- b\n\n{NASTY} | x\n{NASTY} | y"),
            Section("ünï 100%", "Fine", 2, ""),
        ),
        aliases=(NASTY,),
        url="javascript:alert(1)",
        sources=(Source(NASTY, "javascript:alert(1)"), Source("ok", "https://www.nhs.uk/")),
        updated=NASTY,
        reviewed="2026-01-31",
        language=NASTY,
    )
    monkeypatch.setattr(KnowledgeBase, "article", lambda *_: article)
    monkeypatch.setattr(KnowledgeBase, "related", lambda *_, **__: RelatedResponse((), "", {}))
    yield article


def test_a_hostile_article_is_shown_as_text(reader: Reader, hostile: Article) -> None:
    page = soup(reader(f"/articles/{quote(NASTY, safe='')}"))
    assert not page.select("script:not([src^='/static/']), img[onerror], [onclick]")
    assert [str(a["href"]) for a in page.select(".article-footer a, .meta a:not(.cite)")] == [
        "https://www.nhs.uk/"
    ]
    assert one(page, "h1").text == NASTY
    assert "Clinically reviewed on 31 January 2026" in page.text
    anchors = [unquote(str(a["href"])[1:]) for a in page.select(".toc a")]
    assert anchors == ['a" onclick="x', "ünï 100%"]
    assert all(page.find(id=anchor) for anchor in anchors)


@pytest.fixture
def untitled(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Reads from a library where one article has no title, and another names it as related."""
    for maker in ("_head", "_summary"):
        monkeypatch.setattr(articles, maker, without_title(getattr(articles, maker)))
    return reader


def without_title(make: Callable[..., Any]) -> Callable[..., Any]:
    def made(*row: object) -> Any:
        article = make(*row)
        changes: dict[str, Any] = {"title": ""} if article.id == UNTITLED else {}
        if article.id == NAMING_IT:
            changes = {"related": (UNTITLED,)} if isinstance(article, Article) else {}
        return replace(article, **changes)

    return made


def test_an_article_without_a_title_is_shown_by_its_id_everywhere(untitled: Reader) -> None:
    address = f"/articles/{UNTITLED}"
    page = soup(untitled(address))
    assert one(page, "title").text.startswith(f"{UNTITLED} – ")
    assert one(page, "h1").text == UNTITLED
    assert one(soup(untitled("/articles")), f'.library a[href="{address}"]').text == UNTITLED
    related = soup(untitled(f"/articles/{NAMING_IT}"))
    assert one(related, f'.article-footer a[href="{address}"]').text == UNTITLED
    cards = soup(untitled(RESULTS)).select(".card")
    cards = [card for card in cards if str(one(card, "h2 a")["href"]).startswith(f"{address}?")]
    assert cards
    for card in cards:
        assert one(card, ".of-article").text == UNTITLED
        assert f"Why this result: {UNTITLED}, " in one(card, ".why summary").text


def test_text_of_articles_finds_its_own_direction(reader: Reader) -> None:
    text = ".of-article, .of-section, :is(.snippet, .passage, .article-text) > *"
    text += ", .article-header h1, .article-text :is(h2, p, ul, ol, .table), .toc ol, .library a"
    text += ", .examples a, .article-footer :is(.plain, ol) a"
    for path in ("/", RESULTS, "/articles", "/articles/sleep-starts-hypnic-jerks"):
        found = soup(reader(path)).select(text)
        assert found
        assert [tag for tag in found if tag.name != "section" and tag.get("dir") != "auto"] == []
    page = soup(reader("/articles/sleep-starts-hypnic-jerks"))
    assert one(page, "article.reading")["lang"] == "en"


def test_every_page_names_the_site_as_it_was_set(index_path: Path) -> None:
    name = "Ask <Nurse> & Co"
    with TestClient(create_app(load_settings(index=index_path, site_name=name))) as client:
        for path in ("/", RESULTS, "/articles", "/docs", "/nope"):
            page = soup(client.get(path, headers={"Accept": "text/html"}).text)
            assert one(page, ".brand").text == name
            assert one(page, "title").text.endswith(f" – {name}")
            assert "Health Knowledge Base" not in page.text


def test_behind_a_path_every_link_begins_with_it(index_path: Path) -> None:
    settings = load_settings(index=index_path, base_url="https://example.org/kb/")
    with TestClient(create_app(settings)) as client:
        for path in ("/", RESULTS, "/articles", "/articles/sleep-starts-hypnic-jerks", "/nope"):
            page = soup(client.get(path, headers={"Accept": "text/html"}).text)
            for tag in page.select("a[href], link[href], img[src], script[src], form[action]"):
                target = str(tag.get("href") or tag.get("src") or tag.get("action"))
                assert target.startswith(("/kb/", "#", "https://")), target
            for tag in page.select("form"):
                asked = [
                    str(value) for name, value in tag.attrs.items() if name.startswith("data-")
                ]
                assert all(value.startswith("/kb/") for value in asked if "/" in value)
        answer = client.post("/api/v1/search", json={"question": QUESTION}).json()
        assert answer["results"][0]["citation"]["url"].startswith(
            "https://example.org/kb/articles/"
        )
        problem = client.get("/api/v1/articles/nope").json()
        assert problem["type"] == "https://example.org/kb/docs#not-found"


def test_beneath_a_notice_what_is_only_likely_is_said_to_be_perhaps_about_something_else(
    reader: Reader,
) -> None:
    page = soup(reader(f"/?q={quote('I cant breathe')}"))
    assert one(page, "h1").text.startswith("Possible answers")
    assert "follow the advice above first" in one(page, "p.verdict").text
