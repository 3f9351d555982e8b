// The test images to choose from, by class and by why they are here, and a person's own pictures.

import { byId, made } from "./dom.js";
import { drawImage } from "./colors.js";
import { CHANNELS } from "./network.js";
import { counted } from "./words.js";

const ALL = "all";

export class Chooser {
  #app;
  #buttons = new Map();

  constructor(app) {
    this.#app = app;
    const { classes, images } = app.page;
    const reasons = [...new Set(images.flatMap(({ why }) => why))];
    fill(byId("class"), classes);
    fill(byId("why"), reasons);
    for (const id of ["class", "why"]) byId(id).addEventListener("change", () => this.#filter());
    for (const image of images) this.#add(image);
    this.#filter();
    byId("images").addEventListener("keydown", (event) => this.#key(event));
    byId("file").addEventListener("change", () => this.#open(byId("file").files[0]));
  }

  #add(image) {
    const canvas = made("canvas");
    drawImage(canvas, image.pixels);
    const button = made("button", { type: "button", role: "option", title: this.#app.named(image) }, canvas);
    button.ariaLabel = button.title;
    button.addEventListener("click", () => this.#app.change({ image: image.number }));
    this.#buttons.set(image.number, button);
    byId("images")[image.number < 0 ? "prepend" : "append"](button);
  }

  #filter() {
    const [name, why] = [byId("class").value, byId("why").value];
    for (const image of this.#app.page.images) {
      const fits = (name === ALL || this.#app.page.classes[image.label] === name)
        && (why === ALL || image.why.includes(why));
      this.#buttons.get(image.number).hidden = !fits;
    }
    const shown = this.#shown().length;
    byId("shown").textContent = `${shown} of ${counted(this.#buttons.size, "image")}`;
    this.show(this.#app.state);
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const shown = this.#shown();
    const next = shown[shown.indexOf(document.activeElement) + step];
    next?.focus();
    next?.click();
  }

  /** Take a person's own picture: its middle square, at the size of the network's images. */
  async #open(file) {
    if (!file) return;
    byId("file").value = ""; // the same file may be chosen again
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      byId("shown").textContent = `${file.name} is not a picture that this browser can read.`;
      return;
    }
    const { images, side } = this.#app.page;
    const number = Math.min(0, ...images.map((image) => image.number)) - 1;
    const image = { number, label: null, why: ["own"], pixels: shrunk(bitmap, side), logits: null };
    images.unshift(image);
    this.#add(image);
    for (const id of ["class", "why"]) byId(id).value = ALL;
    this.#filter();
    this.#app.change({ image: number });
  }

  /** Mark the image that is shown. */
  show({ image }) {
    const [first] = this.#shown();
    const current = this.#buttons.get(image);
    for (const button of this.#buttons.values()) {
      button.ariaSelected = String(button === current);
      button.tabIndex = button === (current.hidden ? first : current) ? 0 : -1;
    }
    if (!current.hidden) reveal(current);
  }

  #shown() {
    return [...byId("images").children].filter(({ hidden }) => !hidden);
  }
}

/** Scroll a row of buttons, and nothing else, until one of them is seen. */
function reveal(button) {
  const row = button.parentElement;
  const [start, end] = [button.offsetLeft - row.offsetLeft, button.offsetWidth];
  if (start < row.scrollLeft || start + end > row.scrollLeft + row.clientWidth) {
    row.scrollLeft = start - row.clientWidth / 2 + end / 2;
  }
}

function fill(select, names) {
  select.replaceChildren(...[ALL, ...names].map((name) => made("option", { value: name }, name)));
}

/** The middle square of a picture in an image's few pixels, halved again and again so that all of it counts. */
function shrunk(bitmap, side) {
  const least = Math.min(bitmap.width, bitmap.height);
  let [size, source] = [least, bitmap];
  let [x, y] = [(bitmap.width - least) / 2, (bitmap.height - least) / 2];
  let context;
  do {
    const next = Math.max(side, Math.ceil(size / 2));
    const canvas = new OffscreenCanvas(next, next);
    context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(source, x, y, size, size, 0, 0, next, next);
    [size, source, x, y] = [next, canvas, 0, 0];
  } while (size > side);
  const { data } = context.getImageData(0, 0, side, side);
  const area = side * side;
  return Float32Array.from({ length: CHANNELS * area }, (_, at) => data[4 * (at % area) + Math.floor(at / area)] / 255);
}
