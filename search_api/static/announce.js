/* Given sentences about parts of the page, screen readers say them once things are quiet: typing is not interrupted. */

const QUIET_MS = 700;
const waiting = new Map();
let timer = 0;

/* A newer sentence of the same kind takes the older one's place. */
export function announce(sentence, kind = "answers") {
  waiting.set(kind, sentence);
  clearTimeout(timer);
  timer = setTimeout(() => {
    document.getElementById("page.status").textContent = [...waiting.values()].join(" ").trim();
    waiting.clear();
  }, QUIET_MS);
}
