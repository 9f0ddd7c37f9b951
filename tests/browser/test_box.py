"""The box: answers while typing, suggestions, keys, and where the back button leads."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from support.questions import QUESTION

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Ask = Callable[..., None]


def box(page: Page) -> Locator:
    return page.get_by_label("Your question", exact=True)


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def test_answers_come_while_one_types_and_the_address_and_title_follow(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    box(page).press_sequentially(QUESTION, delay=5)
    expect(page.locator(".card").first).to_contain_text("Sleep Starts (Hypnic Jerks)")
    expect(page).to_have_url(re.compile(r"/\?q=why\+do\+my\+legs\+jerk\+when\+I\+fall\+asleep$"))
    expect(page).to_have_title(re.compile(f"^{QUESTION} – "))
    expect(box(page)).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Answers"))
    shown = page.locator("#page\\.view").inner_html()
    page.reload()
    assert page.locator("#page\\.view").inner_html() == shown


def test_a_late_answer_to_what_was_typed_before_is_dropped(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    released = threading.Event()
    slow: list[Route] = []

    def hold(route: Route) -> None:
        if "cramps" in (route.request.post_data or "") or released.is_set():
            route.continue_()
        else:
            slow.append(route)

    page.route("**/answers", hold)
    box(page).fill("restless legs")
    page.wait_for_timeout(400)
    assert slow
    box(page).fill("night cramps")
    expect(page.locator(".card").first).to_contain_text("Leg Cramps at Night")
    released.set()
    for route in slow:
        route.continue_()
    page.wait_for_timeout(400)
    expect(page.locator(".card").first).to_contain_text("Leg Cramps at Night")
    expect(page).to_have_url(re.compile("q=night"))


def test_pauses_are_waited_for_and_no_letter_waits_for_an_answer(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    asked: list[str] = []

    def never(route: Route) -> None:
        asked.append(parse_qs(route.request.post_data or "")["q"][0])

    page.route("**/answers", never)
    box(page).press_sequentially(QUESTION, delay=10)
    expect(box(page)).to_have_value(QUESTION)
    page.wait_for_timeout(400)
    assert len(asked) < 5
    assert asked[-1] == QUESTION
    page.unroute_all(behavior="ignoreErrors")


def test_what_is_typed_is_sent_as_a_body_and_asked_about_only_from_three_letters_on(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.goto("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    box(page).press_sequentially("le")
    page.wait_for_timeout(400)
    assert not [url for url in asked if url.endswith("/answers")]
    box(page).press_sequentially("gs")
    expect(page.locator(".card").first).to_be_visible()
    assert [url for url in asked if url.endswith("/answers")]


def test_back_leads_through_what_was_asked_not_through_letters(
    open_page: OpenPage, ask: Ask
) -> None:
    page = open_page()
    ask(page, "night cramps")
    box(page).fill("")
    box(page).press_sequentially("restless legs", delay=40)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=restless\+legs$"))
    expect(page.locator(".card").first).to_contain_text("Restless Legs")
    page.locator(".card h2 a").first.click()
    page.wait_for_url("**/articles/**")
    page.go_back()
    expect(page.locator(".card").first).to_contain_text("Restless Legs")
    expect(box(page)).to_have_value("restless legs")
    page.go_back()
    expect(box(page)).to_have_value("night cramps")
    expect(page.locator(".card").first).to_contain_text("Leg Cramps at Night")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to know?")
    expect(box(page)).to_have_value("")
    expect(page.locator(".card")).to_have_count(0)
    page.go_forward()
    expect(box(page)).to_have_value("night cramps")
    expect(page.locator(".card").first).to_contain_text("Leg Cramps at Night")


def test_enter_settles_a_question_and_the_next_one_has_an_entry_of_its_own(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.goto("/")
    for question in ("night cramps", "restless legs"):
        box(page).fill(question)
        page.keyboard.press("Enter")
        expect(page).to_have_title(re.compile(f"^{question} – "))
    page.go_back()
    expect(box(page)).to_have_value("night cramps")
    expect(page.locator(".card").first).to_contain_text("Leg Cramps")


@pytest.mark.parametrize("key", ["/", "Control+k", "Meta+k"])
@pytest.mark.parametrize("path", ["/", "/?q=cramps", "/articles/sleep-hygiene"])
def test_a_key_leads_to_the_box(open_page: OpenPage, key: str, path: str) -> None:
    page = open_page()
    page.goto(path)
    value = box(page).input_value()
    page.keyboard.press(key)
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value(value)


def test_the_slash_can_be_typed_and_can_be_turned_off(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    box(page).press_sequentially("and/or")
    expect(box(page)).to_have_value("and/or")
    switch = page.get_by_label("The / key leads to the search box")
    switch.uncheck()
    page.reload()
    expect(switch).not_to_be_checked()
    page.keyboard.press("/")
    expect(box(page)).not_to_be_focused()
    page.keyboard.press("Control+k")
    expect(box(page)).to_be_focused()


def test_suggestions_forgive_a_slip_and_lead_to_the_article(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    box(page).press_sequentially("restles leg")
    expect(options(page).first).to_contain_text("Restless Legs Syndrome")
    expect(options(page).first).to_contain_text("Article")
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    first = options(page).first
    expect(first).to_have_attribute("aria-selected", "true")
    expect(box(page)).to_have_attribute("aria-activedescendant", first.get_attribute("id") or "")
    expect(box(page)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option", selected=True)).to_have_count(0)
    page.keyboard.press("ArrowUp")
    expect(options(page).last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles/restless-legs-syndrome*")


def test_a_suggested_section_opens_there_and_a_suggested_question_is_asked(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.goto("/")
    box(page).fill("sleep hygiene clock")
    expect(page.locator(".card").first).to_be_visible()
    page.get_by_role("option").filter(has_text="Section").first.click()
    page.wait_for_url("**/articles/sleep-hygiene#set-the-clock")
    expect(page.get_by_role("heading", name="Set the Clock")).to_be_in_viewport()
    page.goto("/")
    box(page).fill("why is my knee")
    expect(page.locator(".card").first).to_be_visible()  # the box goes up to make room for them
    question = page.get_by_role("option").filter(has_text="Question").first
    text = question.locator("span").first.inner_text()
    question.click()
    expect(box(page)).to_have_value(text)
    expect(page.locator(".card").first).to_be_visible()
    expect(options(page)).to_have_count(0)


def test_the_list_stays_as_it_is_while_an_option_is_pressed(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    box(page).fill("sleep hygiene")
    expect(page.locator(".card").first).to_be_visible()
    section = page.get_by_role("option").filter(has_text="Section").first
    words = section.locator("span").first.inner_text()
    section.hover()
    box(page).press_sequentially(" cl")
    page.mouse.down()
    page.wait_for_timeout(500)  # another list would have come by now
    expect(section.locator("span").first).to_have_text(words)
    page.mouse.up()
    page.wait_for_url("**/articles/sleep-hygiene#*")


def test_escape_closes_the_suggestions_then_clears_the_box(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    box(page).press_sequentially("restless")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(options(page)).to_have_count(0)
    expect(box(page)).to_have_value("restless")
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    expect(box(page)).to_have_value("")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to know?")


def test_the_clear_button_clears_and_leaves_one_in_the_box(open_page: OpenPage, ask: Ask) -> None:
    page = open_page()
    ask(page)
    page.get_by_role("button", name="Clear the question").click()
    expect(box(page)).to_have_value("")
    expect(box(page)).to_be_focused()
    expect(page.locator(".examples a").first).to_be_visible()
    expect(page.get_by_role("button", name="Clear the question")).to_have_count(0)


def test_leaving_the_box_closes_the_suggestions(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    box(page).press_sequentially("restless")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Tab")
    expect(options(page)).to_have_count(0)


def test_letters_that_are_being_composed_are_no_question_yet(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    box(page).focus()
    session = page.context.new_cdp_session(page)
    session.send(
        "Input.imeSetComposition",
        {"text": "restless legs", "selectionStart": 13, "selectionEnd": 13},
    )
    page.wait_for_timeout(500)
    assert "POST" not in asked
    session.send("Input.insertText", {"text": "restless legs"})
    expect(page.locator(".card").first).to_be_visible()


def test_example_questions_are_answered_in_place(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    page.evaluate("window.sameDocument = true")
    example = page.locator(".examples a").first
    question = example.inner_text()
    example.click()
    expect(box(page)).to_have_value(question)
    expect(page.locator(".card").first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.evaluate("window.sameDocument")


def test_when_the_answers_cannot_be_loaded_enter_tries_the_plain_way(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    page.route("**/answers", lambda route: route.fulfill(status=404, body=""))
    box(page).fill("night cramps")
    expect(page.get_by_role("status")).to_contain_text("could not be loaded")
    expect(page.locator(".message")).to_contain_text("could not be loaded")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=night+cramps")
    expect(page.locator(".card").first).to_contain_text("Leg Cramps at Night")


def test_answers_to_another_question_do_not_stay_where_the_new_ones_fail(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.goto("/?q=night+cramps")
    expect(page.locator(".card").first).to_be_visible()
    page.route("**/answers", lambda route: route.fulfill(status=404, body=""))
    box(page).fill("new dentures hurt")
    expect(page.locator(".message")).to_contain_text("could not be loaded")
    expect(page.locator(".card")).to_have_count(0)
    page.unroute("**/answers")
    box(page).fill("night cramps")
    expect(page.locator(".card").first).to_contain_text("Leg Cramps at Night")


def test_a_question_that_is_too_long_is_refused_in_place(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    box(page).evaluate("element => element.removeAttribute('maxlength')")
    box(page).fill("a" * 4001)
    expect(page.get_by_role("alert")).to_contain_text("4,001 characters")
    expect(box(page)).to_have_attribute("aria-invalid", "")
    box(page).fill("night cramps")
    expect(page.locator(".card").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_counts_are_announced_once_things_are_quiet(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    page.evaluate(
        """() => {
          window.said = [];
          new MutationObserver(() => said.push(document.getElementById("page.status").textContent))
            .observe(document.getElementById("page.status"), { childList: true });
        }"""
    )
    box(page).press_sequentially(QUESTION, delay=30)
    expect(page.get_by_role("status")).to_have_text(
        re.compile("^11? ?0? passages found. The first is from Sleep Starts")
    )
    assert len(page.evaluate("said")) <= 2


def test_on_other_pages_enter_asks_the_question(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/articles/sleep-hygiene")
    box(page).fill("night cramps")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=night+cramps")
    expect(page.locator(".card").first).to_be_visible()
