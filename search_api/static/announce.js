/* Given a sentence, screen readers say it once things are quiet: who types is not interrupted by every letter. */

const QUIET_MS = 700;
let timer = 0;

export function announce(sentence) {
  clearTimeout(timer);
  const status = document.getElementById("page.status");
  timer = setTimeout(() => {
    status.textContent = sentence;
  }, QUIET_MS);
}
