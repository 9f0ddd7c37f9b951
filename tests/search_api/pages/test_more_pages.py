"""The library, citations, the status page and what scripts fetch, as they are sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from kb import KnowledgeBase
from search_api.pages import library_page
from search_api.pages.status_page import size_in_words
from support.answers import soup
from support.questions import QUESTION

Reader = Callable[..., str]
FORM = {"Accept": "text/html"}


def listed(html: str) -> list[str]:
    return [link.text for link in soup(html).select(".library > li > a")]


def test_the_library_lists_every_article_once_from_a_to_z(
    reader: Reader, knowledge_base: KnowledgeBase
) -> None:
    titles = listed(reader("/articles"))
    assert titles == [article.display_title for article in knowledge_base.articles()]
    page = soup(reader("/articles"))
    letters = [heading.text for heading in page.select(".shelf h2")]
    assert letters == sorted({title[0] for title in titles})
    assert [link.text for link in page.select(".doors a")] == letters


def test_by_topic_every_article_stands_under_each_of_its_tags(
    reader: Reader, knowledge_base: KnowledgeBase
) -> None:
    shelves = {
        shelf.select_one("h2").text: listed(str(shelf))  # type: ignore[union-attr]
        for shelf in soup(reader("/articles?by=topic")).select(".shelf")
    }
    articles = knowledge_base.articles()
    assert shelves == {
        tag: [a.display_title for a in articles if tag in a.tags]
        for tag in sorted({tag for a in articles for tag in a.tags})
    }
    assert listed(reader("/articles?by=topic&group=sleep")) == shelves["sleep"]


def test_a_large_library_shows_one_group_at_a_time_and_none_is_lost(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, knowledge_base: KnowledgeBase
) -> None:
    monkeypatch.setattr(library_page, "MAX_LINES_PER_PAGE", 20)
    monkeypatch.setattr(library_page, "ARTICLES_PER_PAGE", 2)
    seen: list[str] = []
    for door in soup(reader("/articles")).select(".doors a"):
        path = str(door["href"])
        while path:
            page = soup(reader(path))
            assert len(page.select(".shelf")) == 1
            seen += listed(str(page))
            further = page.select("a[rel=next]")
            path = str(further[0]["href"]) if further else ""
    assert seen == [article.display_title for article in knowledge_base.articles()]


@pytest.mark.parametrize("query", ["by=x", "by=source", "group=nope", "by=topic&group=%00", "by="])
def test_an_order_or_group_that_is_none_shows_the_library(reader: Reader, query: str) -> None:
    assert len(listed(reader(f"/articles?{query}"))) >= 26


def test_a_citation_leads_to_the_section_and_is_the_same_in_each_form(
    client: TestClient, reader: Reader
) -> None:
    page = soup(reader("/cite?article=sleep-starts-hypnic-jerks&section=why-the-body-jumps"))
    forms = {
        block.select_one("h2").text: block.select_one("pre").text  # type: ignore[union-attr]
        for block in page.select(".copyable")
    }
    assert list(forms) == ["Plain text", "Markdown", "BibTeX", "CSL-JSON"]
    address = "http://testserver/articles/sleep-starts-hypnic-jerks#why-the-body-jumps"
    for text in forms.values():
        assert address in text
        assert "Why the Body Jumps" in text
        assert "Health Knowledge Base" in text
    assert json.loads(forms["CSL-JSON"])[0]["title"] == "Sleep Starts (Hypnic Jerks)"
    path, _, anchor = urlsplit(address).path, "", urlsplit(address).fragment
    assert soup(reader(path)).find(id=anchor)


@pytest.mark.parametrize(
    "query", ["", "article=nope", "article=sleep-hygiene&section=nope", "section=top"]
)
def test_what_is_not_there_cannot_be_cited(reader: Reader, query: str) -> None:
    assert "This page is not here" in reader(f"/cite?{query}", status=404)


def test_the_status_page_says_what_is_indexed(
    reader: Reader, knowledge_base: KnowledgeBase
) -> None:
    facts = soup(reader("/status")).select_one(".facts").get_text(" ")  # type: ignore[union-attr]
    manifest = knowledge_base.manifest
    for fact in (
        str(manifest.counts.articles),
        str(manifest.counts.passages),
        manifest.model.name,
        knowledge_base.generation,
        "UTC",
        "MB on disk",
    ):
        assert fact in facts
    assert "Every article was read" in reader("/status")
    assert str(Path(manifest.corpora[0].path).parent) not in reader("/status")


def test_the_status_page_names_what_the_last_build_could_not_read(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, knowledge_base: KnowledgeBase
) -> None:
    corpus = knowledge_base.manifest.corpora[0].path
    failing = replace(
        knowledge_base.manifest, failures=(f"{corpus}/bad.md:3: <b>no title</b>", "x: y")
    )
    monkeypatch.setattr(KnowledgeBase, "__getattribute__", _with_manifest(failing))
    page = soup(reader("/status"))
    failures = [item.text for item in page.select(".failures li")]
    assert failures == [f"{Path(corpus).name}/bad.md:3: <b>no title</b>", "x: y"]
    assert "2 articles could not be read" in page.text


def _with_manifest(manifest: Any) -> Callable[[object, str], Any]:
    def get(self: object, name: str) -> Any:
        return manifest if name == "manifest" else object.__getattribute__(self, name)

    return get


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (94_840_000, "94.8 MB"),
        (99_960_000, "100 MB"),
        (999_700, "1.0 MB"),
        (10**15, "1000 TB"),
    ],
)
def test_sizes_are_told_to_three_figures(count: int, words: str) -> None:
    assert size_in_words(count) == words


def test_what_the_script_fetches_is_what_the_page_shows(client: TestClient, reader: Reader) -> None:
    for fields in ({"q": QUESTION}, {"q": QUESTION, "tag": "nerves", "shown": "20"}, {}):
        parts = client.post("/answers", data=fields, headers=FORM)
        assert parts.status_code == 200
        whole = soup(str(client.get("/", params=fields, headers=FORM).text))
        for name in ("page.hero", "page.view"):
            assert str(soup(parts.text).find(id=name)) == str(whole.find(id=name))
        view = soup(parts.text).find(id="page.view")
        assert view["data-title"] == whole.title.text  # type: ignore[index, union-attr]
    refused = client.post("/answers", data={"q": "x" * 4001}, headers=FORM)
    assert refused.status_code == 422
    assert soup(refused.text).find(id="page.message")


def test_filters_are_offered_where_there_is_a_choice_and_lead_there_and_back(
    reader: Reader,
) -> None:
    page = soup(reader(f"/?q={QUESTION}"))
    choices = page.select('[aria-label="Topic"] a')
    assert len(choices) > 1
    assert not page.select('[aria-label="Source"]')
    chosen = next(link for link in choices if link.text.strip() == "nerves")
    within = soup(reader(str(chosen["href"])))
    (back,) = within.select('[aria-label="Topic"] a')
    assert back["href"] == f"/?q={QUESTION.replace(' ', '+')}"
    (kept,) = within.select('input[type=hidden][form="page.ask"]')
    assert (kept["name"], kept["value"]) == ("tag", "nerves")
    assert within.select(".card")
    nothing = soup(reader(f"/?q={QUESTION}&tag=nope"))
    assert "Look in the whole library" in nothing.text


def test_of_several_filters_each_can_be_taken_back(reader: Reader) -> None:
    asked = f"/?q={QUESTION.replace(' ', '+')}"
    page = soup(reader(f"{asked}&tag=nerves&tag=-sleep&tag=muscles"))
    labels = ["nerves", "not sleep", "muscles"]
    links = page.select('[aria-label="Topic"] a')
    assert [link.text.split(" ×")[0].strip() for link in links] == labels
    assert [link["aria-label"] for link in links] == [
        f"{label}, chosen; leave it out" for label in labels
    ]
    assert [link["href"] for link in links] == [
        f"{asked}&tag=-sleep&tag=muscles",
        f"{asked}&tag=nerves&tag=muscles",
        f"{asked}&tag=nerves&tag=-sleep",
    ]
    kept = page.select('input[type=hidden][form="page.ask"]')
    assert [(each["name"], each["value"]) for each in kept] == [
        ("tag", "nerves"),
        ("tag", "-sleep"),
        ("tag", "muscles"),
    ]
    assert page.select(".card")


def test_beside_what_is_left_out_a_topic_can_be_chosen(reader: Reader) -> None:
    asked = f"/?q={QUESTION.replace(' ', '+')}&tag=-sleep"
    first, *others = soup(reader(asked)).select('[aria-label="Topic"] a')
    assert first["aria-label"] == "not sleep, chosen; look in all again"
    assert others
    for link in others:
        name = link.text.strip()
        assert name != "sleep"
        assert link["href"] == f"{asked}&tag={name.replace(' ', '+')}"


def test_more_values_than_a_filter_takes_are_refused_on_the_page_too(reader: Reader) -> None:
    address = "&".join(f"tag={number}" for number in range(51))
    assert "tag has 51 values; the most is 50." in reader(f"/?q=legs&{address}", status=422)


def test_no_filter_is_offered_on_what_does_not_answer(reader: Reader) -> None:
    assert not soup(reader("/?q=what+is+the+capital+of+France")).select(".filters")


def test_finding_within_an_article_marks_its_words_and_leads_to_its_sections(
    client: TestClient, reader: Reader
) -> None:
    page = soup(reader("/articles/sleep-hygiene?find=coffee+naps"))
    marked = {mark.text.casefold() for mark in page.select(".article-text mark.found")}
    assert marked <= {"coffee", "nap", "naps", "napping"}
    assert {"coffee"} < marked
    links = [str(link["href"]) for link in page.select(".found > ol > li > a")]
    assert 1 < len(links) <= 6
    assert all(link.startswith("/articles/sleep-hygiene?start=") for link in links)
    fetched = client.post("/found", data={"article": "sleep-hygiene", "find": "coffee naps"})
    assert str(soup(fetched.text).find(id="page.found")) == str(page.find(id="page.found"))


@pytest.mark.parametrize(
    ("find", "told"),
    [("", ""), ("zyxwv", "Nothing in this article"), ("x" * 4001, "4,001 characters")],
)
def test_finding_nothing_is_told(reader: Reader, find: str, told: str) -> None:
    found = soup(reader(f"/articles/sleep-hygiene?find={find}")).find(id="page.found")
    assert told in found.text if told else not found.text.strip()  # type: ignore[union-attr]


def test_a_citation_wins_over_what_is_looked_for(reader: Reader) -> None:
    page = soup(reader("/articles/sleep-hygiene?find=sleep&section=top&start=0&end=20"))
    assert page.select("mark.cited")
    assert not page.select("mark.found")


def test_related_articles_begin_with_those_the_author_names(
    reader: Reader, knowledge_base: KnowledgeBase
) -> None:
    for summary in knowledge_base.articles():
        article = knowledge_base.article(summary.id)
        links = soup(reader(f"/articles/{article.id}")).select(".article-footer .plain a")
        named = [other.display_title for other in knowledge_base.linked(article)]
        shown = [link.text for link in links]
        assert shown[: len(named)] == named
        assert len(set(shown)) == len(shown) >= min(6, len(named))
        assert article.title not in shown


def test_every_section_with_a_heading_has_a_link_to_itself(reader: Reader) -> None:
    page = soup(reader("/articles/sleep-hygiene"))
    anchors = [str(link["href"]) for link in page.select(".anchor")]
    assert anchors == [f"#{section['id']}" for section in page.select("section:has(.headed)")]
    assert len({link["aria-label"] for link in page.select(".anchor")}) == len(anchors)


def test_the_demo_shows_code_that_works_where_it_is_served(client: TestClient) -> None:
    text = soup(client.get("/demo", headers=FORM).text).select("pre")[0].text
    (script,) = re.findall(r'src="(.+?)"', text)
    assert script == "http://testserver/kb-search.js"
    assert client.get(urlsplit(script).path).status_code == 200
