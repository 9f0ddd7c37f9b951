"""Given an index of corpus/, the pictures of the pages under docs/images/.

    make screenshots

Starts the service on a free port and drives a Chromium over its pages, at a desk and on a phone, light and dark.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from search_api.server import listen, make_server
from search_api.settings import load_settings

FOLDER = Path(__file__).parent.parent / "docs" / "images"
FIND_BROWSER = Path(__file__).with_name("find-browser")
QUESTION = quote("why do my legs jerk when I fall asleep")
PAGES = {
    "home": "/",
    "results": f"/?q={QUESTION}",
    "article": "/articles/sleep-starts-hypnic-jerks",
    "library": "/articles",
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
                for name, path in PAGES.items():
                    page.goto(address + path)
                    page.screenshot(path=FOLDER / f"{name}-{screen}.png")
            browser.close()
    finally:
        server.should_exit = True
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
