"""Given an index of corpus/, the pictures of the pages under docs/images/.

    make screenshots

Starts the service on a free port and drives a Chromium over its pages, at a desk and on a phone, light and dark.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from search_api.service.server import listen, make_server
from search_api.state.settings import load_settings

FOLDER = Path(__file__).parent.parent / "docs" / "images"
FIND_BROWSER = Path(__file__).with_name("find-browser")
QUESTION = "why do my legs jerk when I fall asleep"
RESULTS = f"/?q={quote(QUESTION)}"


def as_it_is(_: Page) -> None:
    """Nothing is done on the page before its picture is taken."""


def type_a_beginning(page: Page) -> None:
    page.get_by_label("Your question").press_sequentially("restles leg")
    page.get_by_role("option").first.wait_for()
    page.locator(".card").first.wait_for()


def open_the_citation(page: Page) -> None:
    page.locator(".cite").first.click()
    page.get_by_role("dialog").wait_for()


def find_something(page: Page) -> None:
    page.get_by_label("Find in this article").press_sequentially("coffee late in the day")
    page.locator(".found li").first.wait_for()


def ask_the_component(page: Page) -> None:
    page.locator("kb-search").first.get_by_role("searchbox").fill(QUESTION)
    page.locator("kb-search").first.get_by_role("listitem").first.wait_for()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "home": ("/", as_it_is),
    "results": (RESULTS, as_it_is),
    "suggestions": ("/", type_a_beginning),
    "citation": (RESULTS, open_the_citation),
    "emergency": (f"/?q={quote('crushing chest pain and sweating')}", as_it_is),
    "no-answer": (f"/?q={quote('what is the capital of France')}", as_it_is),
    "article": ("/articles/sleep-starts-hypnic-jerks", as_it_is),
    "cited": (
        "/articles/sleep-starts-hypnic-jerks?start=0&end=660&section=why-the-body-jumps"
        "#why-the-body-jumps",
        as_it_is,
    ),
    "found": ("/articles/sleep-hygiene", find_something),
    "library": ("/articles", as_it_is),
    "topics": ("/articles?by=topic", as_it_is),
    "status": ("/status", as_it_is),
    "component": ("/demo", ask_the_component),
}
SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


def main() -> int:
    chromium = subprocess.run(
        ["sh", str(FIND_BROWSER)], stdout=subprocess.PIPE, text=True, check=False
    ).stdout.strip()
    if not chromium:
        print("No Chromium here that starts: `apt-get install chromium`, as root.", file=sys.stderr)
        return 1
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = make_server(load_settings())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.05)
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            for screen, options in SCREENS.items():
                page = browser.new_page(**options)  # type: ignore[arg-type]
                for name, (path, act) in PAGES.items():
                    page.goto(address + path)
                    act(page)
                    page.screenshot(path=FOLDER / f"{name}-{screen}.png")
            browser.close()
    finally:
        server.should_exit = True
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
