"""What a reader meets, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kb import KnowledgeBase
from kb.schema.article import Article, Section
from kb.schema.results import RelatedResponse
from support.questions import QUESTION

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Ask = Callable[..., None]


CITED = "mark.cited"
PATHS = [
    "/",
    "/?q=why+do+my+legs+jerk+when+I+fall+asleep",
    "/?q=what+is+the+capital+of+France",
    "/?q=" + "legs" * 200,
    "/?q=+",
    "/articles",
    "/articles?by=topic",
    "/articles/sleep-hygiene?find=coffee",
    "/cite?article=sleep-hygiene&section=set-the-clock",
    "/status",
    "/demo",
    "/articles/sleep-starts-hypnic-jerks?start=0&end=493"
    "&section=telling-it-apart-from-other-night-movements",
    "/articles/nope",
    "/docs",
]


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["js", "no-js"])
def test_a_question_leads_to_the_highlighted_passage(
    open_page: OpenPage, ask: Ask, options: dict[str, Any]
) -> None:
    page = open_page(**options)
    ask(page)
    card = page.get_by_role("article").first
    expect(card.get_by_role("link").first).to_contain_text("Sleep Starts (Hypnic Jerks)")
    expect(card.locator(".of-section")).not_to_be_empty()
    expect(card.locator(".snippet mark").first).to_be_visible()
    section = card.locator(".of-section").inner_text()
    card.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/articles/sleep-starts-hypnic-jerks\?start=.*#"))
    expect(page.get_by_role("heading", name=section)).to_be_in_viewport()
    expect(page.locator(CITED).first).to_be_in_viewport()


def test_the_keyboard_alone_is_enough(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    box = page.get_by_label("Your question", exact=True)
    for _ in range(10):
        if box.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(box).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q="))
    first = page.locator(".card h2 a").first
    for _ in range(15):
        if first.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(first).to_be_focused()
    outline = first.evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(CITED).first).to_be_in_viewport()


def test_the_skip_link_leads_past_the_header(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/articles")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Your question", exact=True)).to_be_focused()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", [320, pytest.param(768, marks=pytest.mark.long), 2560])
def test_nothing_has_to_be_scrolled_sideways(open_page: OpenPage, path: str, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 700})
    page.goto(path)
    for summary in page.locator("summary").all():
        summary.click()
    inner, whole = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
    assert whole <= inner


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.long), "dark"])
def test_all_text_stands_out_from_its_background(
    open_page: OpenPage, path: str, scheme: str
) -> None:
    """WCAG 2.2 AA asks for a contrast of 4.5 to 1; the formulas are those of its definition."""
    page = open_page(color_scheme=scheme)
    page.goto(path)
    weak = page.evaluate(CONTRAST)
    assert weak == []


CONTRAST = """() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map(value => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length) continue;
    const pair = [numbers(getComputedStyle(element).color), background(element)].map(luminance);
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (contrast < 4.5) weak.push([element.outerHTML.slice(0, 90), contrast]);
  }
  return weak;
}"""


def test_what_is_typed_is_never_run(open_page: OpenPage, ask: Ask) -> None:
    page = open_page()
    nasty = "\"'><script>alert(1)</script><img src=x onerror=alert(2)> legs"
    ask(page, nasty)
    expect(page.get_by_label("Your question", exact=True)).to_have_value(nasty)
    expect(page).to_have_title(re.compile(re.escape("<script>alert(1)</script>")))
    assert page.locator("script:not([src^='/static/']), img[onerror]").count() == 0


def test_why_this_result_opens_without_javascript(open_page: OpenPage, ask: Ask) -> None:
    page = open_page(java_script_enabled=False)
    ask(page)
    passage = page.locator(".card .passage").first
    expect(passage).to_be_hidden()
    page.locator(".card .why summary").first.click()
    expect(passage).to_be_visible()
    expect(page.get_by_text("compared with this passage in 6 ways").first).to_be_visible()


def test_an_article_that_is_written_from_right_to_left_is_set_so(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "نفضة النوم"
    text = f"{words}.\n\n- {words}\n- {words}\n\n{words} | {words}\n{words} | {words}"
    sections = (Section("a", words, 2, text), Section("b", "Plain", 2, "From the left."))
    article = Article("ar", words, sections, language="ar")
    monkeypatch.setattr(KnowledgeBase, "article", lambda *_: article)
    monkeypatch.setattr(KnowledgeBase, "related", lambda *_, **__: RelatedResponse((), "", {}))
    page = open_page()
    page.goto("/articles/ar")
    first, second = page.locator(".article-text section").all()
    for part in ("h2", "p", "li", "td"):
        expect(first.locator(part).first).to_have_css("direction", "rtl")
    for part in ("h2", "p"):
        expect(second.locator(part)).to_have_css("direction", "ltr")
    expect(page.get_by_role("heading", level=1)).to_have_css("direction", "rtl")
    expect(page.get_by_text("Not clinically reviewed")).to_have_css("direction", "ltr")


def test_the_table_of_contents_leads_to_its_section(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/articles/sleep-starts-hypnic-jerks")
    page.get_by_role("link", name="What to Expect in the Long Run", exact=True).click()
    heading = page.get_by_role("heading", name="What to Expect in the Long Run")
    expect(heading).to_be_in_viewport()


@pytest.mark.parametrize("path", ["/", "/articles/sleep-starts-hypnic-jerks", "/?q=leg+cramps"])
def test_landmarks_and_labels_are_there_for_screen_readers(open_page: OpenPage, path: str) -> None:
    page = open_page()
    page.goto(path)
    for role in ("banner", "main", "contentinfo", "search", "complementary"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("combobox", name="Your question")).to_have_count(1)


def test_a_long_question_is_refused_kindly_and_the_rest_of_the_page_works(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.goto("/?q=" + "a" * 4001)
    expect(page.get_by_role("alert")).to_contain_text("4,001 characters")
    page.get_by_label("Your question", exact=True).fill("leg cramps")
    page.keyboard.press("Enter")
    expect(page.locator(".card").first).to_be_visible()


def test_a_printed_article_has_its_text_and_no_controls(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/articles/sleep-starts-hypnic-jerks")
    page.emulate_media(media="print")
    expect(page.get_by_role("search")).to_be_hidden()
    expect(page.locator(".toc")).to_be_hidden()
    expect(page.locator(".article-text p").last).to_be_visible()
    expect(page.locator(".notice")).to_be_visible()
