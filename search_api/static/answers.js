/* Given the search form, the answers to what stands in it, as it is typed and without leaving the page.

   The service makes the page's parts, `page.hero` and `page.view`; here they are fetched and put in place. One history
   entry is kept for a stretch of typing, and one for each thing chosen, so that the back button goes where one thinks. */

import { announce } from "./announce.js";
import { fetchFragment } from "./fragment.js";
import { Latest } from "./latest.js";

export const DEBOUNCE_MS = 140;
const FEWEST_LETTERS = 3;
const PARTS = ["page.hero", "page.view"];

export class Answers {
  #latest = new Latest();
  #asked = location.search;

  constructor(form) {
    this.form = form;
    addEventListener("popstate", () => this.#wentBack());
    document.getElementById("page.main").addEventListener("click", (event) => this.#clicked(event));
  }

  /* The text in the box changed: ask soon. */
  typed() {
    const fields = this.#fields();
    const question = fields.get("q") ?? "";
    if (question && [...question].length < FEWEST_LETTERS) return this.#latest.cancel();
    const search = question ? `?${fields}` : "";
    if (search === this.#asked) return this.#latest.cancel();
    return this.#ask(search, DEBOUNCE_MS, () => this.#record(search, history.state?.typing ? "replaceState" : "pushState", true));
  }

  /* Enter was pressed: ask now. Where that fails, the browser may try by itself. */
  submitted() {
    const search = `?${this.#fields()}`;
    const known = search === this.#asked && search === location.search;
    if (known) {
      this.#latest.cancel();
      return this.#record(search, "replaceState", false);
    }
    const method = history.state?.typing ? "replaceState" : "pushState";
    return this.#ask(search, 0, () => this.#record(search, method, false), () => location.assign(this.form.action + search));
  }

  #fields() {
    const fields = new URLSearchParams(new FormData(this.form));
    const question = (fields.get("q") ?? "").trim();
    if (question) fields.set("q", question);
    else fields.delete("q");
    return fields;
  }

  #record(search, method, typing) {
    this.#asked = search;
    history[method]({ typing }, "", this.form.action + search);
  }

  #ask(search, delay, record, failed = () => this.#failed()) {
    this.#latest.start(
      delay,
      async (signal) => {
        const began = performance.now();
        const parts = await fetchFragment(this.form.dataset.answers, new URLSearchParams(search), signal);
        record();
        this.#show(parts);
        // Two frames later it has been painted: what a reader waits for, and what the benchmark reads.
        requestAnimationFrame(() => requestAnimationFrame(() => performance.measure("answers", { start: began })));
      },
      failed,
    );
  }

  #show(parts) {
    for (const id of PARTS) {
      const part = parts.getElementById(id);
      if (part) document.getElementById(id).replaceWith(part);
    }
    const view = document.getElementById("page.view");
    document.title = view.dataset.title;
    this.form.classList.toggle("compact", view.dataset.state === "results");
    const message = document.getElementById("page.message");
    this.form.elements.q.toggleAttribute("aria-invalid", Boolean(message));
    announce(view.dataset.status);
    this.form.elements.q.dispatchEvent(new Event("answered"));
  }

  #failed() {
    const told = document.getElementById("page.message") ?? document.createElement("p");
    told.id = "page.message";
    told.className = "message";
    told.textContent = "The answers could not be loaded. Press Enter to try again.";
    // What stands there answers another question.
    document.getElementById("page.view").replaceChildren(told);
    this.#asked = null;
    announce(told.textContent);
  }

  #wentBack() {
    if (location.search === this.#asked) return; // only the part behind the # changed
    const { search } = location;
    this.form.elements.q.value = new URLSearchParams(search).get("q") ?? "";
    this.form.elements.q.dispatchEvent(new Event("restored"));
    this.#ask(search, 0, () => (this.#asked = search), () => location.reload());
  }

  #clicked(event) {
    const link = event.target.closest("a[data-live]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const { search } = new URL(link.href);
    const leave = () => location.assign(link.href);
    if (link.dataset.live === "more") {
      this.#latest.start(0, (signal) => this.#append(search, signal), leave);
      return;
    }
    const question = new URLSearchParams(search).get("q") ?? "";
    this.form.elements.q.value = question;
    this.form.elements.q.dispatchEvent(new Event("restored"));
    this.#ask(
      search,
      0,
      () => {
        this.#record(search, "pushState", false);
        requestAnimationFrame(() => document.querySelector("#page\\.view h1, #page\\.hero h1")?.focus());
      },
      leave,
    );
  }

  /* More results below those that are there: nothing that is being read moves. */
  async #append(search, signal) {
    const parts = await fetchFragment(this.form.dataset.answers, new URLSearchParams(search), signal);
    const view = document.getElementById("page.view");
    const cards = view.querySelector("ol.cards");
    const fresh = [...parts.querySelectorAll("ol.cards > li")].slice(cards.children.length);
    cards.append(...fresh);
    view.querySelector(".pager").replaceWith(parts.querySelector(".pager") ?? "");
    this.#record(search, "replaceState", false);
    fresh[0]?.querySelector("h2 a").focus({ preventScroll: true });
    announce(`${fresh.length} more results, ${cards.children.length} in all.`);
  }
}
