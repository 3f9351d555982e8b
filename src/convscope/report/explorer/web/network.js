// A trained network that answers for one image at a time: logits, and every convolution's feature map.
//
// Plain loops: the page's security policy forbids WebAssembly, and a library would be larger than the
// network. Zeros, which ReLU leaves in plenty, are skipped, and so is what a window does not change.

export const GRAY = 128 / 255;
export const CHANNELS = 3; // of an image

export class Network {
  #layers;
  #weights;
  #intact = { pixels: null, off: new Map(), outputs: [] }; // of an image without a window
  #covered; // of that image with one

  /**
   * @param {object[]} layers in order: the kind of each, and its shape; batch norms are part of the
   *   convolutions before them
   * @param {Float64Array} weights of all layers, of each [input][output], with its biases after them
   */
  constructor(layers, weights) {
    this.#layers = layers;
    this.#weights = weights;
    this.#covered = layers.map((layer) => new Float32Array(layer.outputs));
  }

  /**
   * What the network makes of an image.
   *
   * @param {Float32Array} pixels channel by channel, row by row, in [0, 1]; another image, another array
   * @param {Map<string, Set<number>>} off by convolution, the filters whose weights are zero; biases stay
   * @param {?{size: number, row: number, column: number}} window a gray square, and its top left pixel
   * @returns {{logits: Float32Array, maps: Map<string, Float32Array>}} maps are as they are before ReLU;
   *   both are the network's own until its next answer
   */
  answer(pixels, off, window) {
    this.#settle(pixels, off);
    if (window) this.#cover(window);
    const outputs = window ? this.#covered : this.#intact.outputs;
    const maps = this.#layers.map((layer, at) => [layer.name, outputs[at]]);
    return { logits: outputs.at(-1), maps: new Map(maps.filter(([name]) => name)) };
  }

  /** Bring the outputs without a window up to date, from the first layer on that has other filters off. */
  #settle(pixels, off) {
    let first = 0;
    if (pixels === this.#intact.pixels) {
      first = this.#layers.findIndex(({ name }) => listed(off, name) !== listed(this.#intact.off, name));
      if (first < 0) return;
    }
    const outputs = this.#intact.outputs.slice(0, first);
    for (const layer of this.#layers.slice(first)) {
      const output = new Float32Array(layer.outputs);
      const everywhere = { top: 0, left: 0, bottom: layer.size, right: layer.size };
      this.#run(layer, outputs.at(-1) ?? pixels, output, everywhere, off);
      outputs.push(output);
    }
    this.#intact = { pixels, off: new Map([...off].map(([name, set]) => [name, new Set(set)])), outputs };
  }

  /** Compute the outputs with a window where it changes them. */
  #cover(window) {
    const { pixels, off, outputs } = this.#intact;
    let region = edges(window);
    let input = covered(pixels, region);
    for (const [at, layer] of this.#layers.entries()) {
      const output = this.#covered[at];
      output.set(outputs[at]);
      region = reached(layer, region);
      this.#run(layer, input, output, region, off);
      input = output;
    }
  }

  #run(layer, input, output, region, off) {
    const weights = this.#weights;
    if (layer.kind === "conv") convolve(layer, weights, input, output, region, off.get(layer.name));
    else if (layer.kind === "linear") connect(layer, weights, input, output);
    else if (layer.kind === "pool") pool(layer, input, output, region);
    else if (layer.kind === "relu") rectify(layer, input, output, region);
    else if (layer.kind === "norm") scale(layer, weights, input, output, region);
    else output.set(input); // flatten
  }
}

function listed(off, name) {
  return [...(off.get(name) ?? [])].sort((a, b) => a - b).join();
}

/** An image as it is under a window, if there is one. */
export function pixelsNow({ pixels }, window) {
  return window ? covered(pixels, edges(window)) : pixels;
}

/** The rows and columns of a window, from the first to the one behind the last. */
function edges({ size, row, column }) {
  return { top: row, left: column, bottom: row + size, right: column + size };
}

function covered(pixels, { top, left, bottom, right }) {
  const found = pixels.slice();
  const side = Math.sqrt(pixels.length / CHANNELS);
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    for (let y = top; y < bottom; y += 1) {
      const row = (channel * side + y) * side;
      found.fill(GRAY, row + left, row + right);
    }
  }
  return found;
}

/** The part of a layer's output that depends on a part of its input. */
export function reached({ kernel = 1, stride = 1, padding = 0, size }, { top, left, bottom, right }) {
  const first = (start) => Math.max(0, Math.ceil((start + padding - kernel + 1) / stride));
  const end = (stop) => Math.min(size, Math.floor((stop - 1 + padding) / stride) + 1);
  return { top: first(top), left: first(left), bottom: end(bottom), right: end(right) };
}

function convolve(layer, weights, input, output, region, off) {
  const { outputs, size, stride, padding } = layer;
  const area = size * size;
  const sums = new Float64Array(outputs / area);
  const seen = new Inputs(layer.taps);
  for (let y = region.top; y < region.bottom; y += 1) {
    for (let x = region.left; x < region.right; x += 1) {
      seen.see(layer, input, y * stride - padding, x * stride - padding);
      seen.weigh(layer, weights, sums);
      for (let filter = 0; filter < sums.length; filter += 1) output[filter * area + y * size + x] = sums[filter];
    }
  }
  for (const filter of off ?? []) {
    output.fill(weights[layer.bias + filter], filter * area, (filter + 1) * area);
  }
}

function connect(layer, weights, input, output) {
  const sums = new Float64Array(layer.outputs);
  const seen = new Inputs(layer.taps);
  seen.see({ channels: layer.taps, input: 1, kernel: 1 }, input, 0, 0);
  seen.weigh(layer, weights, sums);
  output.set(sums);
}

/** Those inputs of a unit that are not zero. */
class Inputs {
  #values;
  #taps;
  #count = 0;

  constructor(most) {
    this.#values = new Float64Array(most + 3);
    this.#taps = new Int32Array(most + 3);
  }

  /** Take what a kernel sees whose top left corner is there; outside the image there are zeros. */
  see({ channels, input: side, kernel }, input, top, left) {
    const [above, under] = [Math.max(0, -top), Math.min(kernel, side - top)];
    const [before, behind] = [Math.max(0, -left), Math.min(kernel, side - left)];
    this.#count = 0;
    for (let channel = 0; channel < channels; channel += 1) {
      for (let y = above; y < under; y += 1) {
        const row = (channel * side + top + y) * side + left;
        const tap = (channel * kernel + y) * kernel;
        for (let x = before; x < behind; x += 1) this.#take(input[row + x], tap + x);
      }
    }
    while (this.#count % 4) this.#put(0, 0); // they are weighed in fours
  }

  #take(value, tap) {
    if (value !== 0) this.#put(value, tap);
  }

  #put(value, tap) {
    this.#values[this.#count] = value;
    this.#taps[this.#count] = tap;
    this.#count += 1;
  }

  /** Their weighted sums, with the biases, one for each output. */
  weigh({ weight, bias }, weights, sums) {
    const [values, taps, width] = [this.#values, this.#taps, sums.length];
    for (let unit = 0; unit < width; unit += 1) sums[unit] = weights[bias + unit];
    for (let at = 0; at < this.#count; at += 4) {
      const [a, b, c, d] = [values[at], values[at + 1], values[at + 2], values[at + 3]];
      const first = weight + taps[at] * width;
      const second = weight + taps[at + 1] * width;
      const third = weight + taps[at + 2] * width;
      const fourth = weight + taps[at + 3] * width;
      for (let unit = 0; unit < width; unit += 1) {
        sums[unit] += a * weights[first + unit] + b * weights[second + unit]
          + c * weights[third + unit] + d * weights[fourth + unit];
      }
    }
  }
}

function pool({ channels, size, input: side }, input, output, region) {
  everywhere(channels, size, region, (at, channel, y, x) => {
    const corner = (channel * side + 2 * y) * side + 2 * x;
    const upper = Math.max(input[corner], input[corner + 1]);
    output[at] = Math.max(upper, input[corner + side], input[corner + side + 1]);
  });
}

function rectify({ channels, size }, input, output, region) {
  everywhere(channels, size, region, (at) => {
    output[at] = Math.max(0, input[at]);
  });
}

function scale({ channels, size, weight, bias }, weights, input, output, region) {
  everywhere(channels, size, region, (at, channel) => {
    output[at] = input[at] * weights[weight + channel] + weights[bias + channel];
  });
}

function everywhere(channels, size, { top, left, bottom, right }, visit) {
  for (let channel = 0; channel < channels; channel += 1) {
    for (let y = top; y < bottom; y += 1) {
      const row = (channel * size + y) * size;
      for (let x = left; x < right; x += 1) visit(row + x, channel, y, x);
    }
  }
}

/** The classes' probabilities. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
