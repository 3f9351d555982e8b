// The classes and the network's confidence in each, and the answer as a sentence.

import { byId, made } from "./dom.js";
import { largest, percent, sentence } from "./words.js";

const MOST = 12; // classes that have a bar; of more the likeliest have

export class Bars {
  #app;
  #rows;

  constructor(app) {
    this.#app = app;
    const { classes } = app.page;
    this.#rows = Array.from({ length: Math.min(classes.length, MOST) }, () => {
      const [name, bar, before, share] = ["name", "bar", "before", "share"].map((className) =>
        made("span", { className }));
      return { name, bar, before, share, row: made("li", {}, name, made("span", { className: "track" }, bar, before), share) };
    });
    byId("bars").replaceChildren(...this.#rows.map(({ row }) => row));
  }

  /** Show probabilities now, and before anything was done to the image or the network. */
  show(state, image, now, before) {
    const { classes } = this.#app.page;
    const order = classes.map((_, at) => at);
    if (classes.length > MOST) {
      order.sort((a, b) => (b === image.label) - (a === image.label) || now[b] - now[a]);
    }
    const found = largest(now);
    for (const [at, { name, bar, before: mark, share, row }] of this.#rows.entries()) {
      const label = order[at];
      row.className = [label === image.label && "true", label === found && "found"].filter(Boolean).join(" ");
      name.textContent = classes[label] + (label === image.label ? " \u2713" : "");
      name.title = label === image.label ? "the true class" : "";
      bar.style.width = `${100 * now[label]}%`;
      mark.style.left = `${100 * before[label]}%`;
      share.textContent = percent(now[label]);
    }
    byId("sentence").textContent = sentence(this.#app.page, image, state, now, before);
  }

  /** Say why there is no answer. */
  lack(why) {
    for (const { bar, share, row } of this.#rows) {
      row.className = "";
      bar.style.width = "0";
      share.textContent = "\u2013";
    }
    byId("sentence").textContent = why;
  }
}
