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

  /** Show an answer, or say what is missing, beside the probabilities of the untouched image. */
  show({ asked, probabilities, logits, missing }, before) {
    const { image } = asked;
    const now = probabilities ?? before;
    const found = probabilities ? largest(now) : null;
    const order = this.#order(image, now);
    for (const [at, { name, bar, before: mark, share, row }] of this.#rows.entries()) {
      const label = order[at];
      const isTrue = label === image.label;
      row.className = [isTrue && "true", label === found && "found"].filter(Boolean).join(" ");
      name.textContent = this.#app.page.classes[label] + (isTrue ? " \u2713" : "");
      name.title = isTrue ? "the true class" : "";
      bar.style.width = probabilities ? `${100 * now[label]}%` : "0";
      mark.style.left = `${100 * before[label]}%`;
      share.textContent = probabilities ? percent(now[label]) : "\u2013";
      share.title = probabilities ? exact(now[label], logits?.[label]) : "not computed";
    }
    byId("sentence").textContent = probabilities ? sentence(this.#app.page, image, asked, now, before) : missing;
  }

  /** The classes in their own order or, if there are more than bars, the true and the likeliest first. */
  #order({ label: truth }, now) {
    const order = now.map((_, label) => label);
    if (order.length > MOST) order.sort((a, b) => (b === truth) - (a === truth) || now[b] - now[a]);
    return order;
  }
}

/** Confidence to more digits than anybody reads, and the logit that softmax made it of. */
function exact(share, logit) {
  const text = `${(100 * share).toFixed(4)} %`;
  return logit === undefined ? text : `${text}, logit ${logit.toFixed(4)}`;
}
