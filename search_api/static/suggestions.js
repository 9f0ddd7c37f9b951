/* Given the box, what could be meant by what stands in it: a list of articles, sections and questions below.

   A combobox by the ARIA pattern: the focus stays in the box, the arrows choose, Enter takes, Escape closes. The list
   lies over the answers, but never over a notice for an emergency: where there is one, nothing is suggested. */

import { announce } from "./announce.js";
import { Latest } from "./latest.js";

const PAUSE_MS = 80;
const MOST = 6;
const MOST_ON_A_PHONE = 3;
const KINDS = { article: "Article", section: "Section", question: "Question" };

export class Suggestions {
  #latest = new Latest();
  #found = [];
  #chosen = -1;

  constructor(form) {
    this.form = form;
    this.input = form.elements.q;
    this.list = document.createElement("ul");
    this.list.id = "page.suggestions";
    this.list.className = "suggestions";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Suggestions");
    form.querySelector(".search-row").append(this.list);
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-controls": this.list.id,
      "aria-expanded": "false",
    })) {
      this.input.setAttribute(name, value);
    }
    this.input.addEventListener("keydown", (event) => this.#pressed(event));
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("answered", () => emergency() && this.close());
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // a press must not take the focus out of the box before the click comes,
      this.#latest.cancel(); // nor may another list come under the finger: the click would find no option
    });
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#take([...this.list.children].indexOf(option));
    });
  }

  get open() {
    return !this.list.hidden;
  }

  typed() {
    const text = this.input.value.trim();
    if (text.length < 2) return this.close();
    const limit = matchMedia("(max-width: 34rem)").matches ? MOST_ON_A_PHONE : MOST;
    return this.#latest.start(
      PAUSE_MS,
      async (signal) => {
        const response = await fetch(this.form.dataset.suggest, {
          method: "POST", // an address, which proxies keep, would hold what is typed
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ text, limit }),
          signal,
        });
        const { suggestions } = response.ok ? await response.json() : { suggestions: [] };
        signal.throwIfAborted();
        if (document.activeElement === this.input) this.#show(suggestions);
      },
      () => this.close(),
    );
  }

  close() {
    this.#latest.cancel();
    this.#found = [];
    this.list.hidden = true;
    this.list.replaceChildren();
    this.input.setAttribute("aria-expanded", "false");
    this.#choose(-1);
  }

  #show(suggestions) {
    if (!suggestions.length || emergency()) return this.close();
    this.#found = suggestions;
    this.list.replaceChildren(...suggestions.map((suggestion, place) => this.#option(suggestion, place)));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.#choose(-1);
    return announce(`${suggestions.length} suggestion${suggestions.length === 1 ? "" : "s"} below the box.`, "suggestions");
  }

  #option({ text, kind }, place) {
    const option = document.createElement("li");
    option.id = `page.suggestion-${place}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const words = document.createElement("span");
    words.dir = "auto";
    words.textContent = text;
    const label = document.createElement("span");
    label.className = "kind";
    label.textContent = KINDS[kind] ?? "";
    option.append(words, " ", label);
    return option;
  }

  #choose(place) {
    this.list.children[this.#chosen]?.setAttribute("aria-selected", "false");
    this.#chosen = place;
    const option = this.list.children[place];
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", option.id);
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  }

  #pressed(event) {
    if (event.isComposing) return;
    const last = this.#found.length - 1;
    if (event.key === "ArrowDown" && this.open) this.#choose(this.#chosen === last ? -1 : this.#chosen + 1);
    else if (event.key === "ArrowDown") this.typed();
    else if (event.key === "ArrowUp" && this.open) this.#choose(this.#chosen < 0 ? last : this.#chosen - 1);
    else if (event.key === "Enter" && this.#chosen >= 0) this.#take(this.#chosen);
    else if (event.key === "Escape" && this.open) {
      event.stopImmediatePropagation(); // a second Escape clears the box
      this.close();
    } else return;
    event.preventDefault();
  }

  #take(place) {
    const { text, kind, url } = this.#found[place];
    this.close();
    if (kind === "question") {
      this.input.value = text;
      this.form.requestSubmit();
      return;
    }
    const address = new URL(url, location.href);
    if (address.protocol === "https:" || address.protocol === "http:") location.assign(address);
  }
}

function emergency() {
  return document.querySelector("#page\\.view .emergency");
}
