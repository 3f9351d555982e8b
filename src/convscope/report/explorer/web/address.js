// The page's address follows its state, but not at every step: browsers refuse what comes too often.

const PAUSE = 400; // milliseconds; Safari takes a hundred changes in half a minute

export class Address {
  #wanted = null;
  #timer = null;

  /** Show this after the page's name: at once, or with the last of those that come soon after. */
  write(text) {
    this.#wanted = text;
    if (this.#timer === null) this.#now();
  }

  /** Leave the address as it is: it was changed by hand. */
  leave() {
    this.#wanted = null;
  }

  #now() {
    this.#timer = null;
    if (this.#wanted === null) return;
    history.replaceState(null, "", this.#wanted);
    this.#wanted = null;
    this.#timer = setTimeout(() => this.#now(), PAUSE);
  }
}
