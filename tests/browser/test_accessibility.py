"""axe-core over every page and its states, light, dark and narrow; reduced motion, zoom, forced colours, print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

RESULTS = "/?q=why+do+my+legs+jerk+when+I+fall+asleep"
CITED = "/articles/sleep-starts-hypnic-jerks?start=0&end=493&section=telling-it-apart-from-other-night-movements"


def nothing(_: Page) -> None:
    """The page as it is."""


def open_everything(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()


def type_a_beginning(page: Page) -> None:
    page.get_by_label("Your question", exact=True).press_sequentially("restles leg")
    page.get_by_role("option").first.wait_for()
    page.locator(".card").first.wait_for()
    page.keyboard.press("ArrowDown")


def open_the_citation(page: Page) -> None:
    page.locator(".cite").first.click()
    page.get_by_role("dialog").wait_for()


def ask_the_component(page: Page) -> None:
    for field in page.get_by_role("searchbox").all():
        field.fill("night cramps")
    expect(page.get_by_role("listitem").filter(has=page.locator("mark"))).not_to_have_count(0)


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "home": ("/", nothing),
    "results": (RESULTS, open_everything),
    "narrowed": (f"{RESULTS}&tag=nerves", nothing),
    "typing": ("/", type_a_beginning),
    "citation dialog": (RESULTS, open_the_citation),
    "emergency": ("/?q=crushing+chest+pain+and+sweating", nothing),
    "no answer": ("/?q=what+is+the+capital+of+France", nothing),
    "nothing found": ("/?q=%22zyx+wvu%22", nothing),
    "refused": ("/?q=+", nothing),
    "article": ("/articles/sleep-starts-hypnic-jerks", nothing),
    "cited": (CITED, nothing),
    "found": ("/articles/sleep-hygiene?find=coffee", nothing),
    "library": ("/articles", nothing),
    "topics": ("/articles?by=topic", nothing),
    "cite": ("/cite?article=sleep-hygiene&section=set-the-clock", nothing),
    "status": ("/status", nothing),
    "component": ("/demo", ask_the_component),
    "API": ("/docs", nothing),
    "missing": ("/articles/nope", nothing),
}
LAYOUTS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 640}},
    "narrow and dark": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
}


@pytest.mark.parametrize(
    "layout",
    [
        "light",
        "narrow and dark",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("dark", "narrow")),
    ],
)
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_violation(open_page: OpenPage, state: str, layout: str) -> None:
    path, act = STATES[state]
    page = open_page(**LAYOUTS[layout])
    page.goto(path)
    act(page)
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    # The report of Axe's own cannot name what lies in a shadow tree.
    violations = found.response["violations"]
    assert not violations, [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations]


@pytest.mark.parametrize("state", STATES)
def test_at_double_size_nothing_is_cut_off(open_page: OpenPage, state: str) -> None:
    """A zoom of 200 % on a screen of 1280 by 1024 leaves 640 by 512 CSS pixels."""
    path, act = STATES[state]
    page = open_page(viewport={"width": 640, "height": 512}, device_scale_factor=2)
    page.goto(path)
    act(page)
    inner, whole = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
    assert whole <= inner


@pytest.mark.parametrize("path", ["/", RESULTS, CITED, "/articles"])
def test_targets_are_large_enough_to_be_hit(open_page: OpenPage, path: str) -> None:
    """WCAG 2.2, 2.5.8: 24 by 24 CSS pixels, except for links within a sentence."""
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(path)
    small = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, summary")]
          .filter(element => !element.closest("p:not(.meta, .site-links), li li, .visually-hidden, .skip"))
          .map(element => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
          .filter(([, box]) => box.width && (box.height < 23.5 || box.width < 23.5))
          .map(([html, box]) => `${html} ${box.width} ${box.height}`)"""
    )
    assert small == []


def test_nothing_moves_where_that_is_not_wanted(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="reduce")
    page.goto(CITED)
    page.keyboard.press("Tab")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(element => {
          const style = getComputedStyle(element);
          return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0
            || style.scrollBehavior === "smooth";
        }).length"""
    )
    assert moving == 0


def test_marks_and_the_chosen_suggestion_show_in_forced_colours(open_page: OpenPage) -> None:
    page = open_page(forced_colors="active")
    page.goto(RESULTS)
    plain = page.locator(".snippet").first.evaluate("e => getComputedStyle(e).backgroundColor")
    marked = page.locator(".snippet mark").first.evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert marked != plain
    page.goto("/")
    type_a_beginning(page)
    colours = page.get_by_role("option").evaluate_all(
        "all => all.map(one => getComputedStyle(one).backgroundColor)"
    )
    assert colours[0] != colours[1]


@pytest.mark.parametrize("path", ["/", RESULTS, CITED, "/articles", "/cite?article=sleep-hygiene"])
def test_every_stop_of_the_tab_key_is_seen(open_page: OpenPage, path: str) -> None:
    page = open_page(reduced_motion="reduce")  # else it scrolls on while it is looked at
    page.goto(path)
    seen = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        name, outlined, inside = page.evaluate(
            """() => {
              const at = document.activeElement, box = at.getBoundingClientRect();
              return [at.outerHTML.slice(0, 200), getComputedStyle(at).outlineStyle !== "none" || at === document.body,
                      box.bottom > 0 && box.top < innerHeight];
            }"""
        )
        seen.add(name)
        assert outlined, name
        assert inside, name
    assert len(seen) > 10


@pytest.mark.parametrize("path", [RESULTS, CITED])
def test_print_has_the_text_and_the_notice_and_no_controls(open_page: OpenPage, path: str) -> None:
    page = open_page(color_scheme="dark")
    page.goto(path)
    page.emulate_media(media="print")
    for control in (
        ".search",
        ".filters",
        ".find",
        ".toc",
        ".cite",
        ".pager",
        ".keys",
        "details",
        ".anchor",
    ):
        for element in page.locator(control).all():
            expect(element).to_be_hidden()
    expect(page.locator(".notice")).to_be_visible()
    if path == RESULTS:  # the box is not printed, so its question is
        asked = page.locator(".asked")
        assert asked.evaluate("e => getComputedStyle(e).position") == "static"
        expect(asked).to_contain_text("why do my legs jerk when I fall asleep")
    assert (
        page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert (
        page.locator(".snippet p, .article-text p").first.evaluate("e => getComputedStyle(e).color")
        == "rgb(0, 0, 0)"
    )
    assert len(page.pdf()) > 10_000
