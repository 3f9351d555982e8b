// The network in a thread of its own: questions about an image are answered at once, long work between them.
//
// In: {network} first; then {ask}, {map} or {check}. Out: the same with what was found.

import { Network, softmax } from "./network.js";
import { weights } from "./data.js";

const SLICE = 30; // milliseconds that a question waits at most

let asked; // answers questions
let busy; // answers for long work, so that neither forgets what it has computed
const work = new Map(); // by kind, what is being done: generators that pause
let waiting = false;

const receive = {
  network({ layers, packed }) {
    const values = weights(packed);
    [asked, busy] = [new Network(layers, values), new Network(layers, values)];
  },

  ask({ pixels, off, window }) {
    const { logits, maps } = asked.answer(own(asked, pixels), off, window);
    postMessage({ ask: { logits: logits.slice(), maps: copied(maps) } });
  },

  map(task) {
    begin("map", task && map(task));
  },

  check(task) {
    begin("check", check(task));
  },
};

/** The array of an image that a network has already seen: a message brings a copy of it. */
const seen = new WeakMap();
function own(network, pixels) {
  const last = seen.get(network);
  if (last && last.every((value, at) => value === pixels[at])) return last;
  seen.set(network, pixels);
  return pixels;
}

function copied(maps) {
  return new Map([...maps].map(([name, values]) => [name, values.slice()]));
}

/** Begin long work in place of earlier work of its kind; null ends that. */
function begin(kind, task) {
  work.delete(kind);
  if (task) work.set(kind, task);
  if (!waiting) next();
}

/** Do long work for a moment, what was begun last first, then let questions pass. */
function next() {
  const until = performance.now() + SLICE;
  while (work.size && performance.now() < until) {
    const [kind, task] = [...work].at(-1);
    const { value, done } = task.next();
    if (value) postMessage(value);
    if (done) work.delete(kind);
  }
  waiting = work.size > 0;
  if (waiting) setTimeout(next);
}

/** The confidence in a class with the window at each position, row by row. */
function* map({ pixels, off, size, label, side, ticket }) {
  const across = side - size + 1;
  const values = new Float32Array(across * across).fill(NaN);
  for (let at = 0; at < values.length; at += 1) {
    const window = { size, row: Math.floor(at / across), column: at % across };
    values[at] = softmax(busy.answer(pixels, off, window).logits)[label];
    const done = at + 1;
    yield done % across === 0 ? { map: { ticket, done, total: values.length, values: values.slice() } } : null;
  }
}

/** How far the logits of untouched images are from those that torch computed. */
function* check({ images }) {
  let largest = 0;
  for (const { pixels, logits } of images) {
    const found = busy.answer(pixels, new Map(), null).logits;
    for (const [at, value] of found.entries()) largest = Math.max(largest, Math.abs(value - logits[at]));
    yield null;
  }
  yield { check: { images: images.length, largest } };
}

addEventListener("message", ({ data }) => {
  for (const [kind, task] of Object.entries(data)) receive[kind](task);
});
