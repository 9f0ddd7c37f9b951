"""Results and articles: more of them in place, filters, citations, a box within an article."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from indexer.build.build import build
from indexer.build.request import BuildRequest

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Ask = Callable[..., None]
Serve = Callable[..., str]

NOTICES = Path(__file__).parents[2] / "corpus" / "notices.yaml"
CLOUDS = "\n\n".join(f"Paragraph {n} is about clouds, rain and the weather." for n in range(90))
HILLS = {
    "marmots.md": """---
id: marmots
title: Marmots
url: https://www.hills.example/marmots
updated: 2026-01-31
reviewed: 2026-02-14
---
## Why Marmots Whistle

A marmot whistles to warn the others that an eagle circles above the meadow.
""",
    "eagles.md": """---
id: eagles
title: Eagles
url: https://birds.example/eagles
updated: 2026-01-31
---
## What Eagles Hunt

An eagle circles above the meadow and listens for marmots that whistle.
""",
    "chest-pain.md": """---
id: chest-pain
title: Crushing Chest Pain
---
## Causes

Crushing chest pain can come from the heart.
""",
    "weather.md": f"""---
id: weather
title: Weather
---
## Long

{CLOUDS}

Hailstones grow in layers while a thunderstorm lifts them again and again.
""",
    "broken.md": "---\ntitle: [no end\n---\n## Heading\n\nText.\n",
}


@pytest.fixture(scope="module")
def hills(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a service over articles of two publishers, one that cannot be read, and notices."""
    folder = tmp_path_factory.mktemp("hills")
    corpus = folder / "corpus"
    corpus.mkdir()
    for name, text in HILLS.items():
        (corpus / name).write_text(text, encoding="utf-8")
    shutil.copy(NOTICES, corpus)
    assert len(build(BuildRequest(folder / "index", [corpus])).failures) == 1
    return serve(folder / "index")


@pytest.fixture
def hills_page(open_page: OpenPage, watch: object, hills: str) -> Page:
    """A page before that service."""
    watch.allowed.append(f"{hills}/")  # type: ignore[attr-defined]
    return open_page(base_url=hills)


def test_a_card_tells_dates_and_source_and_a_source_narrows_the_answer(
    hills_page: Page, ask: Ask
) -> None:
    ask(hills_page, "why do marmots whistle")
    card = hills_page.get_by_role("article", name="Why Marmots Whistle")
    expect(card).to_contain_text("Updated 31 January 2026")
    expect(card).to_contain_text("Clinically reviewed on 14 February 2026")
    source = card.get_by_role("link", name="Source: hills.example")
    expect(source).to_have_attribute("href", "https://www.hills.example/marmots")
    expect(source).to_have_attribute("rel", "noopener noreferrer")
    hills_page.get_by_role("group", name="Source").get_by_role("link", name="birds.example").click()
    expect(hills_page).to_have_url(re.compile("source=birds.example$"))
    expect(hills_page.locator(".card")).to_have_count(1)
    expect(hills_page.locator(".card")).to_contain_text("Not clinically reviewed")


def test_a_passage_far_down_a_long_section_is_in_view(hills_page: Page, ask: Ask) -> None:
    ask(hills_page, "how do hailstones grow")
    hills_page.locator(".card h2 a").first.click()
    expect(hills_page).to_have_url(re.compile("#page.cited$"))
    expect(hills_page.locator("mark.cited").first).to_be_in_viewport()
    expect(hills_page.locator("mark.cited").last).to_contain_text("Hailstones grow")


def test_no_suggestion_lies_over_a_notice_for_an_emergency(hills_page: Page) -> None:
    hills_page.goto("/")
    box = hills_page.get_by_label("Your question", exact=True)
    suggested = hills_page.get_by_role("option")
    box.press_sequentially("crushing")
    expect(suggested.first).to_contain_text("Crushing Chest Pain")
    with hills_page.expect_response("**/suggest"), hills_page.expect_response("**/answers"):
        box.fill("crushing chest pain")
    expect(hills_page.get_by_role("region", name="heart attack")).to_be_in_viewport()
    expect(suggested).to_have_count(0)
    hills_page.keyboard.press("ArrowDown")
    hills_page.wait_for_timeout(300)
    expect(suggested).to_have_count(0)


def test_the_status_page_says_what_is_searched_and_what_could_not_be_read(hills_page: Page) -> None:
    hills_page.goto("/")
    hills_page.get_by_role("link", name="What is searched").click()
    main = hills_page.get_by_role("main")
    expect(main.get_by_role("heading", level=1)).to_have_text("What is searched")
    for fact in ("4, with 4 sections", "all-MiniLM-L6-v2", "UTC", "MB on disk", "broken.md"):
        expect(main).to_contain_text(fact)


@pytest.mark.parametrize("javascript", [True, False])
def test_where_there_is_no_answer_the_page_says_so_and_leads_on(
    open_page: OpenPage, ask: Ask, javascript: bool
) -> None:
    page = open_page(java_script_enabled=javascript)
    ask(page, "what is the capital of France")
    expect(page.get_by_role("heading", level=1)).to_have_text("No clear answer found")
    expect(page.locator(".verdict")).to_contain_text("ask a doctor, nurse or pharmacist")
    all_articles = page.locator(".verdict").get_by_role("link", name="all articles")
    expect(all_articles).to_have_attribute("href", "/articles")
    expect(page.locator(".card.nearest").first).to_be_visible()
    ask(page, '"whistling marmot" cramps')
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing found")
    page.get_by_role("link", name="whistling marmot cramps").click()
    expect(page).to_have_url(re.compile(r"q=whistling\+marmot\+cramps$"))
    expect(page.locator(".card").first).to_be_visible()


def test_an_article_tells_its_names_dates_and_sources_and_leads_to_related_ones(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.goto("/articles/night-leg-cramps")
    head = page.locator(".article-header")
    expect(head).to_contain_text("Also called: nocturnal leg cramps")
    expect(head).to_contain_text(re.compile(r"Updated \d+ \w+ 20\d\d"))
    sources = page.get_by_role("region", name="Sources").get_by_role("link")
    expect(sources.first).to_have_attribute("href", re.compile("^https://"))
    related = page.get_by_role("region", name="Related articles").get_by_role("link")
    title = related.first.inner_text()
    related.first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_more_results_come_below_without_moving_what_is_read(open_page: OpenPage, ask: Ask) -> None:
    page = open_page()
    ask(page)
    page.locator(".card .why summary").nth(8).click()
    more = page.get_by_role("link", name="More results")
    more.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    more.click()
    expect(page.locator(".card")).to_have_count(20)
    assert page.evaluate("scrollY") == before
    expect(page.locator(".card .why").nth(8)).to_have_attribute("open", "")
    expect(page.locator(".card h2 a").nth(10)).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("10 more results, 20 in all.")
    expect(page).to_have_url(re.compile("shown=20$"))
    more.click()
    expect(page.locator(".card")).to_have_count(30)
    headings = page.locator(".card h2").evaluate_all("all => all.map(one => one.id)")
    assert headings == [f"page.result-{n}" for n in range(1, 31)]


def test_the_way_back_from_an_article_leads_to_the_same_place(
    open_page: OpenPage, ask: Ask
) -> None:
    page = open_page()
    ask(page)
    page.get_by_role("link", name="More results").click()
    expect(page.locator(".card")).to_have_count(20)
    link = page.locator(".card h2 a").nth(15)
    link.scroll_into_view_if_needed()
    link.click()
    page.wait_for_url("**/articles/**")
    page.go_back()
    expect(page.locator(".card")).to_have_count(20)
    expect(page.locator(".card h2 a").nth(15)).to_be_in_viewport()


def test_more_results_without_javascript_begin_at_the_first_new_one(
    open_page: OpenPage, ask: Ask
) -> None:
    page = open_page(java_script_enabled=False)
    ask(page)
    page.get_by_role("link", name="More results").click()
    expect(page).to_have_url(re.compile(r"shown=20#page.result-11$"))
    expect(page.locator(".card")).to_have_count(20)
    expect(page.locator(".card h2").nth(10)).to_be_in_viewport()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_topic_narrows_the_answer_and_stays_for_the_next_question(
    open_page: OpenPage, ask: Ask, javascript: bool
) -> None:
    page = open_page(java_script_enabled=javascript)
    ask(page)
    topics = page.get_by_role("group", name="Topic")
    topics.get_by_role("link", name="nutrition").or_(
        topics.get_by_role("link", name="mind")
    ).first.click()
    chosen = topics.get_by_role("link", name="chosen; look in all again")
    expect(chosen).to_have_count(1)
    page.get_by_label("Your question", exact=True).fill("night cramps")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=night\+cramps&tag=(mind|nutrition)$"))
    expect(page.locator(".card").first).to_be_visible()
    expect(page.locator(".card", has_text="Leg Cramps at Night")).to_have_count(0)
    chosen.click()
    expect(page).to_have_url(re.compile(r"q=night\+cramps$"))
    expect(page.locator(".card").first).to_contain_text("Leg Cramps at Night")


@pytest.mark.parametrize("javascript", [True, False])
def test_of_several_topics_one_is_taken_back_and_the_others_stay(
    open_page: OpenPage, javascript: bool
) -> None:
    page = open_page(java_script_enabled=javascript)
    page.goto("/?q=twitching+muscles&tag=nutrition&tag=muscles&tag=-sleep")
    topics = page.get_by_role("group", name="Topic")
    expect(topics.get_by_role("link")).to_have_text(
        [re.compile("^nutrition"), re.compile("^muscles"), re.compile("^not sleep")]
    )
    topics.get_by_role("link", name="nutrition, chosen; leave it out").click()
    expect(page).to_have_url(re.compile(r"\?q=twitching\+muscles&tag=muscles&tag=-sleep$"))
    expect(topics.get_by_role("link")).to_have_count(2)
    page.get_by_label("Your question", exact=True).fill("night cramps")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=night\+cramps&tag=muscles&tag=-sleep$"))
    expect(page.locator(".card").first).to_be_visible()
    expect(topics.get_by_role("link")).to_have_count(2)


def test_a_citation_is_copied_in_each_form(open_page: OpenPage, ask: Ask) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask(page)
    page.locator(".card .cite").first.click()
    dialog = page.get_by_role("dialog", name="Cite this")
    expect(dialog).to_be_visible()
    copied = {}
    for block in dialog.locator(".copyable").all():
        block.get_by_role("button", name="Copy").click()
        expect(block.get_by_role("status")).to_have_text("Copied")
        name = block.get_by_role("heading").inner_text()
        copied[name] = page.evaluate("navigator.clipboard.readText()")
    assert list(copied) == ["Plain text", "Markdown", "BibTeX", "CSL-JSON"]
    assert len(set(copied.values())) == 4
    assert all("/articles/sleep-starts-hypnic-jerks#" in text for text in copied.values())
    assert copied["BibTeX"].startswith("@misc{")
    assert json.loads(copied["CSL-JSON"])[0]["type"] == "webpage"
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".card .cite").first).to_be_focused()


def test_citations_can_be_had_without_javascript(open_page: OpenPage, ask: Ask) -> None:
    page = open_page(java_script_enabled=False)
    ask(page)
    page.locator(".card .cite").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cite this")
    expect(page.locator("pre")).to_have_count(4)
    page.get_by_role("main").get_by_role("link", name="Sleep Starts").click()
    page.wait_for_url("**/articles/sleep-starts-hypnic-jerks#*")


@pytest.mark.parametrize("javascript", [True, False])
def test_the_box_of_an_article_finds_its_sections(open_page: OpenPage, javascript: bool) -> None:
    page = open_page(java_script_enabled=javascript)
    page.goto("/articles/sleep-hygiene")
    page.get_by_label("Find in this article").fill("coffee late in the day")
    if not javascript:
        page.keyboard.press("Enter")
        expect(page.locator(".article-text mark.found", has_text="coffee").first).to_be_visible()
    found = page.locator(".found > ol > li")
    expect(found.first).to_be_visible()
    found.first.get_by_role("link").click()
    page.wait_for_url("**/articles/sleep-hygiene?start=*")
    expect(page.locator("mark.cited").first).to_be_in_viewport()


def test_what_is_found_is_announced_and_gone_with_the_words(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/articles/sleep-hygiene")
    field = page.get_by_label("Find in this article")
    field.fill("coffee")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d sections? of this article:$"))
    field.fill("")
    expect(page.locator(".found > ol")).to_have_count(0)


def test_a_sections_own_link_leads_to_it(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/articles/sleep-hygiene")
    page.get_by_role("link", name="Address of the section “If You Lie Awake”").click()
    expect(page).to_have_url(re.compile("#if-you-lie-awake$"))
    expect(page.get_by_role("heading", name="If You Lie Awake")).to_be_in_viewport()


def test_the_library_leads_to_a_letter_and_a_topic(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/articles")
    page.get_by_role("navigation", name="Letters").get_by_role("link", name="W").click()
    expect(page.get_by_role("heading", name="W", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="By topic").click()
    page.get_by_role("navigation", name="Topics").get_by_role("link", name="sleep").click()
    expect(page.get_by_role("heading", name="sleep", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_notice_for_an_emergency_stands_first_and_calmly(
    open_page: OpenPage, ask: Ask, javascript: bool
) -> None:
    page = open_page(java_script_enabled=javascript)
    ask(page, "crushing chest pain and sweating")
    notice = page.get_by_role("region", name="heart attack")
    expect(notice).to_be_in_viewport()
    expect(notice).to_contain_text("Call your local emergency number now")
    top, heading = notice.bounding_box(), page.get_by_role("heading", level=1).bounding_box()
    assert top is not None
    assert heading is not None
    assert top["y"] < heading["y"]
    if javascript:
        expect(page.get_by_role("status")).to_have_text(re.compile("^Chest pain"))
    ask(page, "night cramps")
    expect(notice).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False])
def test_slips_are_mended_openly_and_can_be_searched_as_typed(
    open_page: OpenPage, ask: Ask, javascript: bool
) -> None:
    page = open_page(java_script_enabled=javascript)
    ask(page, "restles legs exersise")
    told = page.locator(".correction")
    expect(told).to_have_text(
        "Showing results for restless legs exercise instead of restles legs exersise."
    )
    told.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"q=restles\+legs\+exersise&exact=1$"))
    expect(told).to_have_count(0)
    expect(page.get_by_label("Your question", exact=True)).to_have_value("restles legs exersise")


def test_when_to_seek_care_comes_along_and_leads_to_its_section(
    open_page: OpenPage, ask: Ask
) -> None:
    page = open_page()
    ask(page, "shooting pain from my buttock to my foot")
    companion = page.get_by_role("region", name="When to seek care")
    expect(companion.locator(".snippet")).not_to_be_empty()
    companion.get_by_role("link").click()
    page.wait_for_url("**/articles/*?start=*")
    expect(page.locator("mark.cited").first).to_be_in_viewport()


def test_other_sections_of_the_article_are_folded_under_its_card(
    open_page: OpenPage, ask: Ask
) -> None:
    page = open_page(java_script_enabled=False)
    ask(page, "dentures")
    also = page.locator(".also").first
    expect(also.get_by_role("link").first).to_be_hidden()
    also.locator("summary").click()
    link = also.get_by_role("link").first
    heading = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_in_viewport()
