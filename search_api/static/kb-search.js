/* <kb-search endpoint="https://kb.example.org/">: a knowledge base's search in a page of another site.

   One file without dependencies. Questions go to the endpoint alone, as the body of a request, and nothing is kept.
   Texts are put in as text, never as HTML, and only web addresses become links. Themed by custom properties and parts;
   what stands inside the element is shown where scripts are off or too old. Tells `kb-search-results` of each answer. */

(() => {
  const DEBOUNCE_MS = 180;
  const FEWEST_LETTERS = 3;
  const NOTHING = { results: [], notices: [] };
  const OUT_OF_REACH = "The search cannot be reached just now. Please try again in a little while.";
  const ITEM = /^(?:[-*•]|([0-9]{1,6})[.)]) +(?=\S)/;
  const FIRST_ITEM = /^(?:[-*•]|1[.)]) +(?=\S)/;

  const STYLE = `
    :host {
      display: block; font-family: var(--kb-font, system-ui, sans-serif); line-height: 1.5;
      --ink: var(--kb-ink, light-dark(#1d2a2d, #e6ecec)); --soft: var(--kb-ink-soft, light-dark(#4d5d61, #a9b8ba));
      --surface: var(--kb-surface, light-dark(#fff, #1a2326)); --line: var(--kb-line, light-dark(#d8dcd8, #2f3c40));
      --edge: var(--kb-edge, light-dark(#7d8c8f, #7b8c90)); --accent: var(--kb-accent, light-dark(#0b5c63, #7fd1c9));
      --accent-ink: var(--kb-accent-ink, light-dark(#fff, #0c2022)); --link: var(--kb-link, light-dark(#0a5a78, #8ecbe6));
      --mark: var(--kb-mark, light-dark(#fdeaa6, #5c4a0c)); --radius: var(--kb-radius, .6rem);
      --warn: var(--kb-warn, light-dark(#8a2f1d, #ffb4a3));
      color: var(--ink);
    }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }
    label { display: block; font-weight: 600; margin-bottom: .3rem; }
    form { display: flex; flex-wrap: wrap; gap: .5rem; }
    input { flex: 1 1 12rem; min-width: 0; font: inherit; color: inherit; background: var(--surface); border: 1.5px solid var(--edge); border-radius: var(--radius); padding: .55rem .8rem; }
    input::placeholder { color: var(--soft); opacity: 1; }
    button { font: inherit; font-weight: 600; color: var(--accent-ink); background: var(--accent); border: 0; border-radius: var(--radius); padding: .55rem 1.1rem; cursor: pointer; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    [role=status] { margin: .75rem 0 0; font-size: .9rem; color: var(--soft); }
    [role=status]:empty { margin: 0; }
    .answers { list-style: none; margin: .75rem 0 0; padding: 0; display: grid; gap: .6rem; }
    .answers:empty { display: none; }
    .answers > li { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); padding: .8rem 1rem; overflow-wrap: anywhere; }
    a { color: var(--link); font-weight: 600; text-decoration: none; }
    a[part=more] { display: inline-block; margin-top: .6rem; }
    a[hidden] { display: none; }
    a:hover { text-decoration: underline; }
    p, li li, td, th { white-space: pre-line; }
    p { margin: .35rem 0 0; }
    li :is(ul, ol) { margin: .35rem 0 0; padding-inline-start: 1.4rem; }
    li ul { list-style-type: disc; }
    .table { margin: .35rem 0 0; overflow-x: auto; }
    table { border-collapse: collapse; }
    :is(td, th) { border-block-end: 1px solid var(--line); padding: .25rem .8rem .25rem 0; text-align: start; vertical-align: top; }
    section { margin: .75rem 0 0; padding: .8rem 1rem; border: 1.5px solid var(--warn); border-inline-start-width: 6px; border-radius: var(--radius); background: var(--surface); }
    strong { color: var(--warn); }
    section[part~=conditional] { border-color: var(--accent); border-width: 0; border-inline-start-width: 4px; }
    section[part~=conditional] strong { color: inherit; }
    section a { display: inline-block; margin: .4rem .8rem 0 0; font-weight: 400; }
    .care { margin: .75rem 0 0; padding: .2rem 1rem; border-inline-start: 4px solid var(--accent); }
    .care strong { color: inherit; }
    .care a { display: inline-block; margin-top: .4rem; font-weight: 400; }
    .source { font-size: .85rem; color: var(--soft); }
    mark { background: var(--mark); color: inherit; border-radius: .15em; }
    @media (forced-colors: active) { mark { background: Mark; color: MarkText; } }
  `;

  class KbSearch extends HTMLElement {
    static observedAttributes = ["endpoint", "label", "placeholder", "topic", "tag", "source"];

    #timer = 0;
    #controller = new AbortController();
    #made = false;

    connectedCallback() {
      if (!this.#made) this.#make();
    }

    disconnectedCallback() {
      clearTimeout(this.#timer);
      this.#controller.abort();
    }

    attributeChangedCallback(name) {
      if (!this.#made) return;
      if (name === "label" || name === "placeholder") this.#name();
      else this.#ask(0);
    }

    focus(options) {
      this.input?.focus(options);
    }

    #make() {
      this.#made = true;
      const root = this.attachShadow({ mode: "open" });
      // A sheet made here, not an element: that a strict Content-Security-Policy lets through.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      const form = element("form", { role: "search" });
      this.labelled = element("label", { for: "q" });
      this.input = element("input", { id: "q", type: "search", part: "box", autocomplete: "off", enterkeyhint: "search", maxlength: "4000", dir: "auto" });
      form.append(this.input, element("button", { type: "submit", part: "button" }, "Search"));
      this.status = element("p", { role: "status", part: "status" });
      this.notices = element("div");
      this.list = element("ol", { part: "answers", class: "answers" });
      this.list.setAttribute("aria-label", "Answers");
      this.more = element("a", { part: "more", hidden: "" }, "All answers");
      root.append(this.labelled, form, this.notices, this.status, this.list, this.more);
      this.#name();
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#ask(0);
      });
      this.input.addEventListener("input", (event) => event.isComposing || this.#ask(DEBOUNCE_MS));
      this.input.addEventListener("compositionend", () => this.#ask(DEBOUNCE_MS));
    }

    #name() {
      this.labelled.textContent = this.getAttribute("label") || "Your question";
      this.input.placeholder = this.getAttribute("placeholder") || "Ask in your own words";
    }

    #ask(delay) {
      clearTimeout(this.#timer);
      this.#controller.abort();
      const question = this.input.value.trim();
      if ([...question].length < FEWEST_LETTERS) return this.#show(NOTHING, "");
      const { signal } = (this.#controller = new AbortController());
      this.#timer = setTimeout(() => this.#fetch(question, signal), delay);
      return undefined;
    }

    async #fetch(question, signal) {
      const limit = Math.min(Math.max(Number.parseInt(this.getAttribute("limit"), 10) || 5, 1), 20);
      const asked = { question, limit, ...this.#filters() };
      try {
        const response = await fetch(new URL("api/v1/search", this.#base()), {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(asked),
          referrerPolicy: "no-referrer",
          credentials: "omit",
          signal,
        });
        const answer = await response.json();
        signal.throwIfAborted();
        if (!response.ok) {
          this.#show(NOTHING, answer.detail || OUT_OF_REACH);
          return;
        }
        this.#show(answer, sentence(answer));
        this.dispatchEvent(new CustomEvent("kb-search-results", { detail: answer, bubbles: true, composed: true }));
      } catch {
        if (!signal.aborted) this.#show(NOTHING, OUT_OF_REACH);
      }
    }

    /* What the attributes narrow the answers to; `tag` is an older name of `topic`. */
    #filters() {
      return {
        topic: listed(this.getAttribute("topic") ?? this.getAttribute("tag")),
        source: listed(this.getAttribute("source")),
      };
    }

    #base() {
      const base = new URL(this.getAttribute("endpoint") || "/", document.baseURI);
      if (!base.pathname.endsWith("/")) base.pathname += "/";
      return base;
    }

    #show({ results, notices, companion }, told) {
      this.notices.replaceChildren(...notices.map((notice) => this.#notice(notice)));
      this.status.textContent = told;
      this.list.replaceChildren(...results.map((result) => this.#card(result)));
      if (companion) this.list.firstElementChild?.append(this.#care(companion));
      this.more.hidden = !results.length;
      const page = this.#base();
      const { topic, source } = this.#filters();
      page.search = new URLSearchParams([
        ["q", this.input.value.trim()],
        ...topic.map((value) => ["tag", value]),
        ...source.map((value) => ["source", value]),
      ]);
      this.more.href = page.href;
      this.#aim(this.more);
    }

    /* What the publisher says to a question that sounds like an emergency stands above all answers. A conditional
       notice, which begins with "if", looks milder. */
    #notice({ title, text, links, kind }) {
      const notice = element("section", { part: kind === "conditional" ? "notice conditional" : "notice" });
      notice.setAttribute("aria-label", title);
      notice.append(element("strong", {}, title), element("p", {}, text));
      for (const { title: name, url } of links.filter((link) => host(link.url))) {
        const link = element("a", {}, name);
        link.href = url;
        this.#aim(link);
        notice.append(link, " ");
      }
      return notice;
    }

    /* The section on when to seek care of the article that answers, which is no answer of its own: whole, since half
       of such advice may mislead. */
    #care({ citation, text }) {
      const care = element("div", { part: "care", class: "care", role: "group", "aria-label": "When to seek care" });
      const link = element("a", { dir: "auto" }, citation.section_heading || "Introduction");
      link.href = passage(citation, this.#base());
      this.#aim(link);
      care.append(element("strong", {}, "When to seek care"), ...shown(text), link);
      return care;
    }

    #aim(link) {
      link.rel = "noopener noreferrer";
      if (this.hasAttribute("target")) link.target = this.getAttribute("target");
    }

    #card({ citation, snippet, highlights }) {
      const card = element("li", { part: "answer" });
      const link = element("a", { part: "title", dir: "auto" }, `${citation.article_title} › ${citation.section_heading || "Introduction"}`);
      link.href = passage(citation, this.#base());
      this.#aim(link);
      const text = element("div", { part: "text" });
      text.append(...shown(snippet.text, places(snippet, highlights)));
      card.append(link, text);
      const source = host(citation.source_url);
      if (source) card.append(element("p", { class: "source", part: "source" }, `Source: ${source}`));
      return card;
    }
  }

  function element(name, attributes = {}, text = "") {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  /* The values of an attribute, between commas; a comma in a value is written `\,`. */
  function listed(text) {
    const values = (text ?? "").split(/(?<!\\),/);
    return values.map((value) => value.replaceAll("\\,", ",").trim()).filter(Boolean);
  }

  function sentence({ excluded, ...response }) {
    const told = outcome(response);
    return excluded ? `${told} Left out: ${excluded.words.join(", ")}.` : told;
  }

  function outcome({ answered, correction, reason, results }) {
    if (!results.length) return reason || "Nothing in the library matches.";
    const count = `${results.length} passage${results.length === 1 ? "" : "s"}`;
    if (answered === "none") return `No clear answer found. ${reason} The nearest ${count}:`;
    return correction ? `Showing results for “${correction.text}”. ${count} found.` : `${count} found.`;
  }

  /* Offsets count code points of the section, JavaScript's strings something else: where the highlights are in this one. */
  function places({ text, start }, highlights) {
    const units = [0];
    for (const letter of text) units.push(units.at(-1) + letter.length);
    const last = units.length - 1;
    return highlights.map((range) => range.map((place) => units[Math.min(Math.max(place - start, 0), last)]));
  }

  /* A text as the service's own pages show it (search_api/pages/blocks.py): paragraphs, lists and tables. `marks` are ranges, in
     order. */
  function shown(text, marks = []) {
    const made = [];
    let start = 0;
    for (const gap of [...text.matchAll(/\n(?:[ \t]*\n)+/g), { 0: "", index: text.length }]) {
      made.push(...blocks(text, ranges(text, start, gap.index, "\n"), marks));
      start = gap.index + gap[0].length;
    }
    return made;
  }

  /* What the lines between two blank ones are: a list or a table as a whole, or a paragraph, which a list may follow. */
  function blocks(text, lines, marks) {
    const whole = list(text, lines, marks) || table(text, lines, marks);
    if (whole) return [whole];
    const line = ([from, to]) => text.slice(from, to);
    const first = ITEM.test(line(lines[0])) ? -1 : lines.findIndex((each) => FIRST_ITEM.test(line(each)));
    const below = first > 0 && list(text, lines.slice(first), marks);
    if (below) return [...blocks(text, lines.slice(0, first), marks), below];
    const range = [lines[0][0], lines.at(-1)[1]];
    return line(range).trim() ? [filled("p", { dir: "auto" }, text, range, marks)] : [];
  }

  function list(text, lines, marks) {
    const items = [];
    for (const [from, to] of lines) {
      const line = text.slice(from, to);
      const found = ITEM.exec(line);
      if (found) items.push({ number: found[1] && Number(found[1]), range: [from + found[0].length, to] });
      else if (items.length && /^[ \t]/.test(line)) items.at(-1).range[1] = to;
      else return null;
    }
    const { number } = items[0];
    const bullets = number === undefined;
    if (!items.every((item, n) => item.number === (bullets ? number : number + n))) return null;
    const made = bullets ? element("ul", { dir: "auto" }) : element("ol", { dir: "auto", start: number });
    made.append(...items.map(({ range }) => filled("li", {}, text, range, marks)));
    return made;
  }

  function table(text, lines, marks) {
    const rows = lines.map(([from, to]) => ranges(text, from, to, " | "));
    if (rows.length < 2 || rows[0].length < 2 || rows.some((row) => row.length !== rows[0].length)) return null;
    const made = element("table");
    for (const [n, row] of rows.entries()) made.insertRow().append(...row.map((cell) => filled(n ? "td" : "th", {}, text, cell, marks)));
    const frame = element("div", { class: "table", dir: "auto", tabindex: "0", role: "group", "aria-label": "Table" });
    frame.append(made);
    return frame;
  }

  /* The ranges between the borders in a part of a text. */
  function ranges(text, start, end, border) {
    return text.slice(start, end).split(border).map((part) => {
      const from = start;
      start += part.length + border.length;
      return [from, from + part.length];
    });
  }

  function filled(name, attributes, text, [start, end], marks) {
    const made = element(name, attributes);
    let place = start;
    for (const [from, to] of marks) {
      const [begin, stop] = [Math.max(from, place), Math.min(to, end)];
      if (begin >= stop) continue;
      made.append(text.slice(place, begin), element("mark", {}, text.slice(begin, stop)));
      place = stop;
    }
    made.append(text.slice(place, end));
    return made;
  }

  /* The article's page at the endpoint, with the passage highlighted. */
  function passage(citation, base) {
    const section = encodeURIComponent(citation.section_id);
    const address = new URL(`articles/${encodeURIComponent(citation.article_id)}`, base);
    address.search = `start=${citation.start}&end=${citation.end}&section=${section}`;
    address.hash = citation.start === 0 ? section : "page.cited";
    return address.href;
  }

  function host(address) {
    try {
      const { protocol, hostname } = new URL(address);
      return /^https?:$/.test(protocol) ? hostname.replace(/^www\./, "") : "";
    } catch {
      return "";
    }
  }

  if (!customElements.get("kb-search")) customElements.define("kb-search", KbSearch);
})();
