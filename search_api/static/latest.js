/* Given tasks that come faster than they can be done, the newest one alone: each start calls off the one before. */

export class Latest {
  #timer = 0;
  #controller = new AbortController();

  /* Runs `task(signal)` after `delay` ms, unless another start comes first. `failed` hears of an error that still matters. */
  start(delay, task, failed = () => {}) {
    this.cancel();
    const { signal } = (this.#controller = new AbortController());
    this.#timer = setTimeout(async () => {
      try {
        await task(signal);
      } catch (error) {
        if (!signal.aborted) failed(error);
      }
    }, delay);
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}
