"""<kb-search>: the search in a page of another site, which is served from another origin."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.questions import QUESTION

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Serve = Callable[..., str]

STRICT = "default-src 'none'; script-src {service}; connect-src {service}; style-src 'self'"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A clinic</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css">
<script {how} src="{service}/kb-search.js"></script></head>
<body><h1>A clinic</h1><kb-search endpoint="{service}" {attributes}><a href="x">Without scripts</a></kb-search>
</body></html>"""
STYLE = "kb-search { --kb-accent: rgb(91, 42, 134); --kb-radius: 2px } kb-search::part(box) { color: rgb(1, 2, 3) }"


class Site:
    """Another site with one page, under a Content-Security-Policy as strict as can be."""

    def __init__(self) -> None:
        site = self
        self.service = ""
        self.attributes = ""
        self.how = "defer"

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                style = self.path == "/style.css"
                page = PAGE.format(service=site.service, attributes=site.attributes, how=site.how)
                self.send_response(200)
                self.send_header("Content-Type", "text/css" if style else "text/html")
                policy = f"{STRICT.format(service=site.service)}; img-src data:"
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write((STYLE if style else page).encode())

            def log_message(self, *_: object) -> None:
                """Nothing is written."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


@pytest.fixture
def visit(
    open_page: OpenPage, watch: object, serve: Serve, index_path: Path, site: Site
) -> Callable[..., Page]:
    """Opens that site, which the service was told of, or was not."""

    def opened(attributes: str = "", named: bool = True, how: str = "defer") -> Page:
        site.service = serve(index_path, allowed_origins=site.origin if named else "")
        site.attributes, site.how = attributes, how
        watch.allowed += [f"{site.origin}/", f"{site.service}/", "data:,"]  # type: ignore[attr-defined]
        page = open_page(base_url=site.origin)
        page.goto("/")
        return page

    return opened


@pytest.mark.parametrize("how", ["defer", 'type="module" crossorigin'])
def test_it_answers_on_a_site_that_was_named(
    visit: Callable[..., Page], site: Site, how: str
) -> None:
    page = visit(how=how)
    page.get_by_label("Your question").press_sequentially(QUESTION, delay=5)
    answers = page.get_by_role("list", name="Answers").locator("[part=answer]")
    expect(answers).to_have_count(5)
    expect(answers.first).to_contain_text("Sleep Starts (Hypnic Jerks) › ")
    expect(answers.first.locator("mark").first).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("5 passages found.")
    answers.first.get_by_role("link").first.click()
    page.wait_for_url(f"{site.service}/articles/sleep-starts-hypnic-jerks?start=*")
    expect(page.locator("mark.cited").first).to_be_in_viewport()


def test_a_site_that_was_not_named_gets_no_answer(
    visit: Callable[..., Page], watch: object
) -> None:
    page = visit(named=False)
    page.get_by_label("Your question").fill(QUESTION)
    expect(page.get_by_role("status")).to_contain_text("cannot be reached just now")
    expect(page.locator("[part=answer]")).to_have_count(0)
    complaints: list[str] = watch.complaints  # type: ignore[attr-defined]
    assert any("blocked by CORS policy" in complaint for complaint in complaints)
    complaints.clear()


def test_what_the_service_says_of_a_question_is_told(visit: Callable[..., Page]) -> None:
    page = visit()
    box = page.get_by_label("Your question")
    box.evaluate("box => box.removeAttribute('maxlength')")
    box.fill("leg " * 1000 + "legs")
    expect(page.get_by_role("status")).to_contain_text("4,004 characters long")
    expect(page.locator("[part=answer]")).to_have_count(0)


def test_it_is_dressed_from_outside_and_limited_by_its_attributes(
    visit: Callable[..., Page],
) -> None:
    page = visit('limit="2" tag="nutrition" label="Ask us" placeholder="Anything"')
    field = page.get_by_label("Ask us")
    expect(field).to_have_attribute("placeholder", "Anything")
    expect(field).to_have_css("color", "rgb(1, 2, 3)")
    expect(field).to_have_css("border-radius", "2px")
    expect(page.get_by_role("button")).to_have_css("background-color", "rgb(91, 42, 134)")
    field.fill("why do my muscles cramp")
    expect(page.locator("[part=answer]")).to_have_count(2)
    for answer in page.locator("[part=answer]").all():
        expect(answer).to_contain_text(re.compile("Magnesium|Electrolytes|Vitamin"))


def test_its_attributes_take_several_values_between_commas(visit: Callable[..., Page]) -> None:
    attributes = 'topic="nutrition, -sleep, a\\, b" tag="mouth" source="-nhs.uk,,"'
    page = visit(attributes)
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.get_by_label("Your question").fill("why do my muscles cramp")
    body = asked.value.post_data_json
    assert body["topic"] == ["nutrition", "-sleep", "a, b"]
    assert body["source"] == ["-nhs.uk"]
    assert "tag" not in body, "it is an older name of topic"
    expect(page.locator("[part=answer]").first).to_be_visible()
    for answer in page.locator("[part=answer]").all():
        expect(answer).to_contain_text(re.compile("Magnesium|Electrolytes|Vitamin"))
    expect(page.locator("[part=more]")).to_have_attribute(
        "href",
        re.compile(
            r"\?q=why\+do\+my\+muscles\+cramp&tag=nutrition&tag=-sleep&tag=a%2C\+b&source=-nhs.uk$"
        ),
    )


def test_empty_attributes_ask_for_nothing_and_changed_ones_ask_again(
    visit: Callable[..., Page],
) -> None:
    page = visit('topic="" source=" , "')
    page.get_by_label("Your question").fill("why do my muscles cramp")
    expect(page.locator("[part=answer]").first).to_be_visible()
    page.locator("kb-search").evaluate("search => search.setAttribute('topic', 'zyx, zyy')")
    expect(page.get_by_role("status")).to_have_text(
        "No article in this library has one of those topics."
    )


def test_it_tells_the_page_of_its_answers_and_sends_no_address_or_cookie(
    visit: Callable[..., Page], site: Site
) -> None:
    page = visit()
    page.evaluate(
        "document.addEventListener('kb-search-results', event => window.told = event.detail.answered)"
    )
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.get_by_label("Your question").fill(QUESTION)
    headers = asked.value.all_headers()
    assert not {"cookie", "referer"} & headers.keys()
    assert QUESTION not in asked.value.url
    expect(page.locator("[part=answer]").first).to_be_visible()
    assert page.evaluate("window.told") == "confident"


def test_a_notice_for_an_emergency_stands_above_the_answers_and_goes_with_the_question(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    page.get_by_label("Your question").fill("crushing chest pain and sweating")
    notice = page.get_by_role("region", name="heart attack")
    expect(notice).to_contain_text("Call your local emergency number now")
    expect(notice.get_by_role("link").first).to_have_attribute("href", re.compile("^https://"))
    page.get_by_label("Your question").fill("night cramps")
    expect(page.locator("[part=answer]").first).to_contain_text("Cramp")
    expect(notice).to_have_count(0)


def test_when_to_seek_care_slips_and_having_no_answer_are_told_there_too(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    field, told = page.get_by_label("Your question"), page.get_by_role("status")
    field.fill("shooting pain from my buttock to my foot")
    care = page.get_by_role("group", name="When to seek care")
    expect(care).to_contain_text("Go to an emergency department")
    expect(care.get_by_role("link")).to_have_text("Red Flags: Get Help at Once")
    field.fill("restles legs exersise")
    expect(told).to_have_text("Showing results for “restless legs exercise”. 5 passages found.")
    field.fill("what is the capital of France")
    expect(told).to_contain_text("No clear answer found. Nothing in this library comes near")
    expect(care).to_have_count(0)


def test_too_short_a_question_asks_nothing_and_clears_the_answers(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    page.get_by_label("Your question").fill(QUESTION)
    expect(page.locator("[part=answer]").first).to_be_visible()
    page.get_by_label("Your question").fill("le")
    expect(page.locator("[part=answer]")).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("")


def test_without_scripts_what_stands_inside_is_shown(
    open_page: OpenPage, site: Site, watch: object, origin: str
) -> None:
    site.service = origin
    watch.allowed += [f"{site.origin}/"]  # type: ignore[attr-defined]
    page = open_page(base_url=site.origin, java_script_enabled=False)
    page.goto("/")
    expect(page.get_by_role("link", name="Without scripts")).to_be_visible()


def test_the_demo_has_two_that_work(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/demo")
    for name, count in (("Your question", 5), ("Ask our library", 3)):
        page.get_by_label(name).fill(QUESTION)
        section = page.locator("section", has=page.get_by_label(name))
        expect(section.locator("[part=answer]")).to_have_count(count)
