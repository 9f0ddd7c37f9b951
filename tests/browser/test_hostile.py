"""A hundred ways to smuggle a script in, through articles and through questions: none runs, in a real browser.

The short form tries one in four of them on each page; the long one, `make pages`, all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Serve = Callable[..., str]
BuildIndex = Callable[[Path, Path], None]

RUN = "window.hacked=1"
TAGS = [
    "<script>{}</script>",
    "<SCRIPT>{}</SCRIPT>",
    "<scr<script>ipt>{}</scr</script>ipt>",
    "<script src='data:text/javascript,{}'></script>",
    "<script type=module>{}</script>",
    "<svg><script>{}</script></svg>",
    "<svg/onload={}>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:{}'><text x=9 y=9>x</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload={}></svg>#x'></svg>",
    "<img src=x onerror={}>",
    "<img src=x:x onerror={} //",
    "<img/src=x/onerror={}>",
    "<image src=x onerror={}>",
    "<body onload={}>",
    "<body onpageshow={}>",
    "<input autofocus onfocus={}>",
    "<select autofocus onfocus={}>",
    "<textarea autofocus onfocus={}>",
    "<details open ontoggle={}>",
    "<video src=x onerror={}>",
    "<video><source onerror={}>",
    "<audio src=x onerror={}>",
    "<marquee onstart={}>",
    "<iframe src='javascript:{}'></iframe>",
    "<iframe srcdoc='<script>parent.{}</script>'></iframe>",
    "<iframe onload={}></iframe>",
    "<object data='javascript:{}'></object>",
    "<embed src='javascript:{}'>",
    "<form action='javascript:{}'><button autofocus>x</button></form>",
    "<button formaction='javascript:{}'>x</button>",
    "<a href='javascript:{}'>x</a>",
    "<a href='java&#10;script:{}'>x</a>",
    "<a href=' &#1; javascript:{}'>x</a>",
    "<base href='javascript:{}//'>",
    "<link rel=stylesheet href='javascript:{}'>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "<meta http-equiv=refresh content='0;url=data:text/html,<script>{}</script>'>",
    "<style>@import 'javascript:{}';</style>",
    "<style onload={}></style>",
    "<div style='background:url(javascript:{})'>x</div>",
    "<div onpointerover={} style=position:fixed;inset:0>x</div>",
    "<math><mtext><script>{}</script></mtext></math>",
    "<template><script>{}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={}>'>",
    "<kb-search endpoint='javascript:{}'></kb-search>",
    "<dialog open onclose={}><form method=dialog><button autofocus>x</button></form></dialog>",
    "<p oncontentvisibilityautostatechange={} style=content-visibility:auto>x</p>",
]
BREAKS = ['"', "'", '">', "'>", "</title>", "</textarea>", "--></style>", "</script>", "]]>", "`"]
OTHERS = [
    '" onfocus={} autofocus x="',
    "' onfocus={} autofocus x='",
    '" onmouseover={} style=position:fixed;inset:0 x="',
    "javascript:{}",
    "JaVaScRiPt:{}",
    "java\tscript:{}",
    "data:text/html,<script>{}</script>",
    "vbscript:{}",
    "javascript://example.org/%0a{}",
    'https://example.org/" onclick={} x="',
    "{{{{ {} }}}}",
    "${{{}}}",
    "#{{{}}}",
    "<%= {} %>",
    "{{% set x = {} %}}",
    "\\u003cscript\\u003e{}\\u003c/script\\u003e",
    "&lt;script&gt;{}&lt;/script&gt;",
    "&#60;script&#62;{}&#60;/script&#62;",
    "%3Cscript%3E{}%3C/script%3E",
    "＜script＞{}＜/script＞",
    "\u202e<script>{}</script>",
    "\u0000<script>{}</script>",
    "[x](javascript:{})",
    '![x](x"onerror="{})',
    "<!--><img src=x onerror={}>",
    "<![CDATA[<img src=x onerror={}>]]>",
]
PAYLOADS = [
    *(tag.format(RUN) for tag in TAGS),
    *(f"{mark}<img src=x onerror={RUN}>" for mark in BREAKS),
    *(f"{mark}<svg onload={RUN}>" for mark in BREAKS),
    *(f"{mark} onerror={RUN} src=x " for mark in BREAKS[:6]),
    *(other.format(RUN) for other in OTHERS),
]


def test_there_are_a_hundred_different_ones() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 100
    assert all(RUN in payload for payload in PAYLOADS)


def name(n: int) -> str:
    """The id of an article, hostile as far as an id may be: it holds no white space and no control characters."""
    return f"{n}-{re.sub(r'[^!-~]+', '', PAYLOADS[n])}"


@pytest.fixture(scope="module")
def hostile_origin(
    serve: Serve, build_index: BuildIndex, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A service over articles that hold a payload each, in every place where there can be one."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / "articles.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for n, payload in enumerate(PAYLOADS):
            text = payload.replace("\u0000", "")
            article = {
                "id": name(n),
                "title": f"{text} marmot {n}",
                "aliases": [text, f"{text} whistler"],
                "url": text if ":" in text else f"https://example.org/{text}",
                "sources": [
                    {"title": text, "url": text},
                    {"title": "x", "url": f"https://x.org/{text}"},
                ],
                "tags": [text, "hills"],
                "related": [name((n + 1) % len(PAYLOADS)), text],
                "sections": [
                    {"id": "top", "heading": "", "level": 1, "text": f"{text} marmots whistle."},
                    {
                        "id": f"s{name(n)}",
                        "heading": f"{text} whistling?",
                        "level": 2,
                        "text": f"- {text}\n- marmots\n\n{text} | a\n{text} | b\n\n"
                        f"Marmots {text}\n1. \U0001f439 marmots\n2. {text}",
                    },
                ],
            }
            file.write(json.dumps(article) + "\n")
    build_index(folder / "index", path)
    yield serve(folder / "index", allowed_origins="*")


@pytest.fixture
def hostile_page(open_page: OpenPage, watch: object, hostile_origin: str) -> Page:
    """A page before that service, watched: that something was refused by the policy counts as a failure too."""
    watch.allowed.append(f"{hostile_origin}/")  # type: ignore[attr-defined]
    return open_page(base_url=hostile_origin)


@pytest.fixture
def tried(is_long: bool) -> dict[int, str]:
    """The texts that a page is tried with, by number."""
    return {n: text for n, text in enumerate(PAYLOADS) if is_long or n % 4 == 0}


def unharmed(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    assert (
        page.evaluate("document.querySelectorAll('main script, main iframe, main img').length") == 0
    )
    policy = page.evaluate(
        "fetch(location.href, {method: 'HEAD'}).then(r => r.headers.get('content-security-policy'))"
    )
    assert "unsafe" not in policy


def links(page: Page) -> list[str]:
    return page.locator("a[href]").evaluate_all("all => all.map(one => one.protocol)")


def test_no_article_runs_what_it_holds(hostile_page: Page, tried: dict[int, str]) -> None:
    for n, payload in tried.items():
        hostile_page.goto(f"/articles/{quote(name(n), safe='')}?find=whistle")
        shown = hostile_page.get_by_role("heading", level=1).inner_text()
        assert " ".join(f"{payload} marmot {n}".replace("\u0000", "").split()) == " ".join(
            shown.split()
        )
        unharmed(hostile_page)
        assert set(links(hostile_page)) <= {"http:", "https:"}


def test_no_list_citation_or_result_runs_what_it_holds(hostile_page: Page) -> None:
    paths = ["/", "/articles", "/articles?by=topic", "/articles?by=source", "/status"]
    paths += [f"/?q=why+do+marmots+whistle&shown=90&offset={offset}" for offset in (0, 90, 180)]
    paths += [
        f"/cite?article={quote(name(n), safe='')}&section={quote('s' + name(n), safe='')}"
        for n in range(0, len(PAYLOADS), 9)
    ]
    for path in paths:
        hostile_page.goto(path)
        for summary in hostile_page.locator("summary").all()[:5]:
            summary.click()
        unharmed(hostile_page)
        assert set(links(hostile_page)) <= {"http:", "https:"}


def test_no_question_runs_on_the_page_it_leads_to(
    hostile_page: Page, tried: dict[int, str]
) -> None:
    for payload in tried.values():
        hostile_page.goto(f"/?q={quote(payload)}&tag={quote(payload)}&source={quote(payload)}")
        assert hostile_page.evaluate("window.hacked") is None
        hostile_page.goto(
            f"/articles/{quote(name(1), safe='')}?find={quote(payload)}&section={quote(payload)}"
        )
        assert hostile_page.evaluate("window.hacked") is None
    unharmed(hostile_page)


def test_no_question_runs_while_it_is_typed_and_no_suggestion_does(
    hostile_page: Page, tried: dict[int, str]
) -> None:
    hostile_page.goto("/")
    box = hostile_page.get_by_label("Your question", exact=True)
    for payload in tried.values():
        with hostile_page.expect_response("**/answers"):
            box.fill(f"{payload} marmot")
        expect(hostile_page.locator("#page\\.view")).to_have_attribute("data-state", "results")
        unharmed(hostile_page)
    box.fill("")
    box.press_sequentially("marmot")
    expect(hostile_page.get_by_role("option").first).to_be_visible()
    unharmed(hostile_page)


def test_the_component_runs_nothing_either(hostile_page: Page) -> None:
    hostile_page.goto("/demo")
    field = hostile_page.get_by_label("Your question")
    hostile_page.locator("kb-search").first.evaluate(
        "element => element.setAttribute('limit', '20')"
    )
    for payload in ["why do marmots whistle", *PAYLOADS[::5]]:
        with hostile_page.expect_response("**/api/v1/search"):
            field.fill(payload)
        hostile_page.wait_for_timeout(20)
        unharmed(hostile_page)


OUTLINE = """parts => parts.map(part => [...part.querySelectorAll("p, li, th, td, mark")].map(
    piece => [piece.parentElement.localName, piece.localName, piece.textContent.trim()]))"""


def test_the_component_shows_paragraphs_lists_tables_and_highlights_as_the_page_does(
    hostile_page: Page,
) -> None:
    question = "of marmots"
    hostile_page.goto(f"/?q={quote(question)}&shown=20")
    page = hostile_page.locator(".card .snippet").evaluate_all(OUTLINE)
    hostile_page.goto("/demo")
    component = hostile_page.locator("kb-search").first
    component.evaluate("element => element.setAttribute('limit', '20')")
    component.get_by_label("Your question").fill(question)
    shown = component.locator("[part=text]")
    expect(shown).to_have_count(20)
    assert shown.evaluate_all(OUTLINE) == page
    seen = {(parent, name) for part in page for parent, name, _ in part}
    assert {("ul", "li"), ("ol", "li"), ("tr", "td"), ("li", "mark"), ("p", "mark")} <= seen
