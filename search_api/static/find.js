/* Given the box of an article, its sections that fit what stands in the box, as it is typed. */

import { announce } from "./announce.js";
import { DEBOUNCE_MS } from "./answers.js";
import { fetchFragment } from "./fragment.js";
import { Latest } from "./latest.js";

export function watchFinding(form) {
  const latest = new Latest();
  const input = form.elements.find;
  input.addEventListener("input", (event) => {
    if (event.isComposing) return;
    latest.start(DEBOUNCE_MS, async (signal) => {
      const fields = { article: form.dataset.article, find: input.value.trim() };
      const parts = await fetchFragment(form.dataset.found, fields, signal);
      const found = parts.getElementById("page.found");
      document.getElementById("page.found").replaceWith(found);
      announce(found.dataset.status);
    });
  });
}
