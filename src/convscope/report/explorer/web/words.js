// What the page says in words: the answer, what was changed, and what filters cost.

import { names, same } from "./state.js";

const MINUS = "\u2212";
const TIMES = "\u00d7";

/** A probability as people say it: never 0 or 100 percent of what is only nearly that. */
export function percent(share) {
  const rounded = Math.round(100 * share);
  if (rounded === 0 && share > 0) return "under 1 %";
  if (rounded === 100 && share < 1) return "over 99 %";
  return `${rounded} %`;
}

/** Points of accuracy with their sign, to a tenth. */
export function points(value) {
  const text = Math.abs(value).toFixed(1);
  if (Number(text) === 0) return "0.0";
  return (value > 0 ? "+" : MINUS) + text;
}

/** A size of windows or receptive fields: 7 x 7. */
export function square(size) {
  return `${size} ${TIMES} ${size}`;
}

/** Words in a sentence: a, b and c. */
export function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** A filter or unit, counted. */
export function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * The answer as a sentence, and beside it that for the untouched image.
 *
 * @param {object} page what the page holds
 * @param {object} image its entry: its label is null where it is a person's own
 * @param {import("./state.js").State} state
 * @param {number[]} now probabilities
 * @param {number[]} before those of the untouched image
 */
export function sentence(page, image, state, now, before) {
  const [found, once] = [largest(now), largest(before)];
  const changes = changed(state);
  const lead = changes ? `With ${changes}, ${page.net}` : page.net;
  let text = `${lead} ${said(page, image, now, found)}.`;
  if (changes) {
    const back = found === once
      ? `it was ${percent(before[found])} sure of that`
      : `it said ${page.classes[once]} (${percent(before[once])})`;
    text += ` Untouched, ${back}.`;
  }
  return text;
}

function said(page, image, now, found) {
  const name = page.classes[found];
  if (image.label === null) return `says ${name} (${percent(now[found])})`;
  const truth = page.classes[image.label];
  if (found === image.label) return `says ${name} (${percent(now[found])}), which is right`;
  return `takes this ${truth} for ${name} (${percent(now[found])}; ${truth} ${percent(now[image.label])})`;
}

/** What was done to the image and the network, in a sentence's middle; empty if nothing was. */
export function changed({ off, window }) {
  const done = [];
  if (window) done.push(`a ${square(window.size)} gray window at row ${window.row}, column ${window.column}`);
  const filters = names(off);
  if (filters.length > 3) done.push(`${filters.length} filters off`);
  else if (filters.length) done.push(`${listed(filters)} off`);
  return listed(done);
}

/** What some filters cost over the test set, as far as that was measured. */
export function cost(page, off) {
  const filters = names(off);
  if (!filters.length) return "All filters are on.";
  if (same(off, page.study.filters)) return measured(page.study, "These filters off together cost");
  if (filters.length > 1) {
    return "What these filters cost together was not measured over the test set: single filters were, and the selected ones.";
  }
  const [layer, filter] = filters[0].split("/");
  return measured({ ...page.alone[layer][Number(filter)], images: page.alone_images }, `${filters[0]} off costs`);
}

/** The sentence on a drop in accuracy. */
export function measured({ drop, low, high, hurt, images, significant }, lead) {
  const range = `${points(low)} to ${points(high)}`;
  let text = `${lead} ${points(drop).replace("+", "")} points of accuracy over ${counted(images, "test image")}`
    + ` (95 % interval ${range})`;
  if (significant === false) text += ", no more than chance explains";
  text += ".";
  if (hurt.length) text += ` Most is lost of ${listed(hurt.map(([name, lost]) => `${name} (${lost.toFixed(1)})`))}.`;
  return text;
}

export function largest(values) {
  return values.indexOf(Math.max(...values));
}
