// The page: its state, and the views of it; a change goes to the address, to the network, and to the views.

import { Address } from "./address.js";
import { Bars } from "./bars.js";
import { Chooser } from "./chooser.js";
import { palette } from "./colors.js";
import { unpacked } from "./data.js";
import { demonstrate, wanted } from "./demo.js";
import { byId } from "./dom.js";
import { Engine } from "./engine.js";
import { Filter } from "./filter.js";
import { Layers } from "./layers.js";
import { Maps } from "./maps.js";
import { pixelsNow, softmax } from "./network.js";
import { Picture } from "./picture.js";
import { Recorded } from "./recorded.js";
import { format, names, parse, same, start } from "./state.js";
import { cost, counted, largest } from "./words.js";

class App {
  page = unpacked(JSON.parse(byId("data").textContent));
  colors = {
    sequential: palette(this.page.colors.sequential),
    difference: palette(this.page.colors.difference),
  };
  engine = this.page.network
    ? new Engine(this.page.network, byId("worker").textContent, (answer) => this.#answered(answer))
    : new Recorded(this.page, (answer) => this.#answered(answer));
  state = parse(location.hash, this.page);
  #address = new Address();
  #answer = null;
  #rendered = {}; // the state that is shown
  #views;

  constructor() {
    this.#views = {
      picture: new Picture(this), bars: new Bars(this), chooser: new Chooser(this),
      layers: new Layers(this), filter: new Filter(this), maps: new Maps(this),
    };
    byId("study").addEventListener("click", () => {
      const { filters } = this.page.study;
      this.change({ off: same(this.state.off, filters) ? new Map() : filters });
    });
    byId("on").addEventListener("click", () => this.change({ off: new Map() }));
    byId("reset").addEventListener("click", () => this.change({ ...start(this.page), image: this.state.image }));
    byId("share").addEventListener("click", () => this.#copy());
    addEventListener("hashchange", () => {
      this.#address.leave();
      this.#go(parse(location.hash, this.page));
    });
    this.#go(this.state);
    if (this.engine.live) this.#check();
    else byId("known").textContent = this.engine.known();
    for (const id of ["check", "own"]) byId(id).hidden = !this.engine.live;
    byId("known").hidden = this.engine.live;
    if (wanted(location.hash)) demonstrate(this);
  }

  /** Change the state, in parts; the address follows. */
  change(changes) {
    this.#go({ ...this.state, ...changes });
    this.#address.write(format(this.state, this.page));
  }

  #go(state) {
    this.state = state;
    byId("bars").ariaBusy = "true";
    this.#ask();
    this.render();
  }

  /** Ask about what is shown; first about the untouched image, which all else is compared with. */
  #ask() {
    const image = this.image(this.state.image);
    const { off, window } = image.logits ? this.state : start(this.page);
    this.engine.ask({ image, off, window });
  }

  /** Show the state, as far as it needs no answer. */
  render() {
    const { state } = this;
    const image = this.image(state.image);
    const field = this.#field();
    byId("study").textContent = `The ${counted(names(this.page.study.filters).length, "selected filter")} off`;
    byId("study").ariaPressed = String(same(state.off, this.page.study.filters));
    byId("on").disabled = !state.off.size;
    byId("cost").textContent = cost(this.page, state.off);
    this.#views.maps.show(state, image);
    this.#views.picture.show(state, image, field, this.#views.maps.over());
    // a window is moved often, and these do not depend on it
    const moved = (...parts) => parts.some((part) => state[part] !== this.#rendered[part]);
    if (moved("image")) this.#views.chooser.show(state);
    if (moved("off", "look")) {
      this.#views.layers.show(state);
      this.#views.filter.show(state, field);
    }
    this.#rendered = state;
  }

  #answered(answer) {
    this.#answer = answer;
    const { image, off, window } = answer.asked;
    const { state } = this;
    if (image.logits) this.#draw();
    else { // a person's own picture
      image.logits = answer.logits;
      this.#ask();
      this.render();
    }
    const isNow = image.number === state.image && off === state.off && window === state.window;
    byId("bars").ariaBusy = String(!isNow);
  }

  #draw() {
    const { maps, asked } = this.#answer;
    this.#views.bars.show(this.#answer, softmax(asked.image.logits));
    this.#views.layers.draw(maps);
    this.#views.filter.draw(this.state, maps, this.#field(), pixelsNow(asked.image, asked.window));
  }

  image(number) {
    return this.page.images.find((image) => image.number === number);
  }

  convolution(name) {
    return this.page.convolutions.find((convolution) => convolution.name === name);
  }

  /** An image in words. */
  named({ number, label }) {
    return label === null ? `Own picture ${-number}` : `Test image ${number}: ${this.page.classes[label]}`;
  }

  /** The size of a window that there are answers for, nearest to the wanted one. */
  size(wanted) {
    const sizes = this.page.recorded?.windows.sizes ?? [];
    const far = (size) => Math.abs(size - wanted);
    return sizes.reduce((best, size) => (far(size) < far(best) ? size : best), sizes[0] ?? wanted);
  }

  /** A unit to look at first: the strongest of the first filter of the middle convolution. */
  first() {
    const { convolutions } = this.page;
    const { name } = convolutions[Math.floor((convolutions.length - 1) / 2)];
    return { layer: name, filter: 0, ...this.strongest(name, 0) };
  }

  /** Where a filter's map of the answer is largest. */
  strongest(name, filter) {
    const { size } = this.convolution(name);
    const values = this.#answer?.maps.get(name)?.subarray(filter * size * size, (filter + 1) * size * size);
    const at = values ? Math.max(0, largest([...values])) : 0;
    return { row: Math.floor(at / size), column: at % size };
  }

  /** The part of the image that the unit sees, cut off at the border, and the whole of it. */
  #field() {
    const { look } = this.state;
    if (!look) return null;
    const { field: { size, jump, start: first } } = this.convolution(look.layer);
    const { side } = this.page;
    const full = { top: first + look.row * jump, left: first + look.column * jump, height: size, width: size };
    const [top, left] = [Math.max(0, full.top), Math.max(0, full.left)];
    const [bottom, right] = [Math.min(side, full.top + size), Math.min(side, full.left + size)];
    return { top, left, height: bottom - top, width: right - left, full };
  }

  async #check() {
    const { images, largest: difference } = await this.engine.check(this.page.images);
    byId("check").textContent = `Checked here: the logits of ${counted(images, "image")} are torch\u2019s to within ${difference.toExponential(1)}.`;
  }

  async #copy() {
    const address = location.href.replace(/#.*/, "") + format(this.state, this.page);
    try {
      await navigator.clipboard.writeText(address);
      byId("copied").textContent = "Copied.";
    } catch {
      byId("copied").textContent = "The address bar has the link."; // a file may not write to the clipboard
    }
    setTimeout(() => { byId("copied").textContent = ""; }, 3000);
  }
}

new App();
