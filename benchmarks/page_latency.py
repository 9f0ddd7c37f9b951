"""Given an index and questions, how long a reader waits on the page: from the last key press to painted answers.

    python benchmarks/page_latency.py --index /tmp/medquad --topics topics.dev.jsonl --field summary

A real Chromium types each question into the page of a service in a process of its own, on the same machine. What is
measured begins when the page asks, after its pause of 140 ms, and ends two frames after the answers were put in place,
when they have been painted; a browser without a screen makes 60 frames a second, so that some 17 to 33 ms of it are
waiting for frames. The server's share is the time between the request and the first byte of its answer.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FIND_BROWSER = Path(__file__).parent.parent / "scripts" / "find-browser"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]

# Not Playwright's own way of waiting: that evaluates text, which the page's Content-Security-Policy refuses.
ANSWERED = """async () => {
  while (!performance.getEntriesByName("answers").length) await new Promise(requestAnimationFrame);
}"""

TAKEN = """() => {
  const whole = performance.getEntriesByName("answers").map(entry => entry.duration);
  const asked = performance.getEntriesByType("resource").filter(entry => entry.name.endsWith("/answers"));
  const share = asked.filter(entry => entry.responseStart).map(entry => entry.responseStart - entry.requestStart);
  performance.clearMeasures();
  performance.clearResourceTimings();
  return [whole.at(-1), share.at(-1)];
}"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--topics", type=Path, required=True, help="questions, JSON lines")
    parser.add_argument("--field", default="text", help="the field that holds a question")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    lines = given.topics.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)[given.field][:300] for line in lines if line.strip()]
    chromium = subprocess.run(
        ["sh", str(FIND_BROWSER)], stdout=subprocess.PIPE, text=True, check=False
    ).stdout.strip()
    if not chromium:
        print("No Chromium here that starts: `apt-get install chromium`, as root.", file=sys.stderr)
        return 1
    command = [sys.executable, "-c", "from kb_cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--index", str(given.index)], stderr=subprocess.PIPE, text=True
    ) as service:
        try:
            assert service.stderr is not None
            said = next(line for line in service.stderr if "Serving" in line)
            address = re.findall(r"http://\S+", said)[0]
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(address)
                taken = [measured(page, q) for _ in range(given.rounds) for q in questions]
                browser.close()
        finally:
            service.terminate()
    count = len(questions)  # the first round warms up
    for name, values in zip(
        ("key press to painted answers", "the server's share"),
        zip(*taken[count:], strict=True),
        strict=True,
    ):
        cuts = statistics.quantiles(values, n=100)
        print(
            f"{name}: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, most {max(values):.0f} ms ({len(values)} questions)"
        )
    return 0


def measured(page: Page, question: str) -> tuple[float, float]:
    """Milliseconds until the answers are painted, and the server's share of them."""
    box = page.get_by_label("Your question", exact=True)
    box.fill("")
    page.wait_for_timeout(250)
    page.evaluate(TAKEN)
    box.focus()
    # All letters but the last at once; the last one as a key, so that the whole way of a key press is gone.
    page.keyboard.insert_text(question[:-1])
    page.keyboard.press(question[-1] if question[-1].isalnum() else "Space")
    page.evaluate(ANSWERED)
    whole, share = page.evaluate(TAKEN)
    return whole, share


if __name__ == "__main__":
    sys.exit(main())
