// Asks the network in its thread: of many questions the last, of the long work one map at a time.

import { softmax } from "./network.js";

export class Engine {
  live = true;
  #worker;
  #told; // what is called with answers
  #flying = null; // the question that the network has
  #next = null;
  #map = { ticket: 0, told: null };

  /**
   * @param {{layers: object[], packed: string}} network
   * @param {string} script of the worker
   * @param {(answer: object) => void} told with what was asked, probabilities, logits, the maps by convolution
   */
  constructor(network, script, told) {
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.#worker = new Worker(address);
    this.#worker.addEventListener("message", ({ data }) => this.#receive(data));
    this.#worker.postMessage({ network });
    this.#told = told;
  }

  /** Ask for an answer; one that is not wanted any more by the time it could be computed is left out. */
  ask(question) {
    this.#next = question;
    if (!this.#flying) this.#send();
  }

  /** Compute an occlusion map; null ends it. `told` gets the values so far, and how many are done of how many. */
  map(task, told) {
    this.#map = { ticket: this.#map.ticket + 1, told };
    this.#worker.postMessage({ map: task && { ...task, ticket: this.#map.ticket } });
  }

  /** Compare the logits of images with those that torch computed; resolves to the largest difference. */
  check(images) {
    return new Promise((resolve) => {
      this.#worker.addEventListener("message", ({ data }) => {
        if (data.check) resolve(data.check);
      });
      this.#worker.postMessage({ check: { images: images.map(({ pixels, logits }) => ({ pixels, logits })) } });
    });
  }

  #send() {
    this.#flying = this.#next;
    this.#next = null;
    if (!this.#flying) return;
    const { image: { pixels }, off, window } = this.#flying;
    this.#worker.postMessage({ ask: { pixels, off, window } });
  }

  #receive({ ask, map }) {
    if (map && map.ticket === this.#map.ticket) this.#map.told(map);
    if (!ask) return;
    const asked = this.#flying;
    this.#send();
    this.#told({ ...ask, asked, probabilities: softmax(ask.logits) });
  }
}
