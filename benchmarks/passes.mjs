// Times the page's network: reads {network, pixels, passes} as JSON, prints seconds of each pass by kind.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const web = pathToFileURL(`${process.argv[2]}/`);
const { Network } = await import(new URL("network.js", web));
const { weights } = await import(new URL("data.js", web));

const { network, images, window } = JSON.parse(readFileSync(0, "utf-8"));
const runs = new Network(network.layers, weights(network.packed));
const kinds = { whole: [], window: [], filter: [] };
const time = (kind, ...question) => {
  const began = performance.now();
  runs.answer(...question);
  kinds[kind].push((performance.now() - began) / 1000);
};
for (const image of images.map((pixels) => Float32Array.from(pixels, (level) => level / 255))) {
  time("whole", image, new Map(), null);
  for (const place of [0, 1, 2, 3]) {
    time("window", image, new Map(), { size: window, row: 6 * place, column: 24 - 6 * place });
  }
  time("filter", image, new Map([["conv4", new Set([0])]]), null);
}
console.log(JSON.stringify(kinds));
