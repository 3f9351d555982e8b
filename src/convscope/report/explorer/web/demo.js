// What a first visit shows by itself: for some seconds the page does what one can do with it.

import { byId } from "./dom.js";

const STEP = 90; // milliseconds

/** Whether to show it: nobody has asked for a state, or for less motion. */
export function wanted(address) {
  return !address && !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Move a window over the image, switch filters off, then leave the page as it was; any touch ends it. */
export function demonstrate(app) {
  const begun = app.state;
  const { side, study } = app.page;
  const size = app.size(Math.round(side / 4));
  const room = side - size;
  const steps = [
    ...Array.from({ length: 40 }, (_, at) => {
      const turn = at / 40 * 2 * Math.PI;
      const place = (share) => Math.round(room / 2 * (1 + 0.8 * share));
      return ["Cover it: drag a gray window over the image.", { window: { size, row: place(Math.sin(turn)), column: place(-Math.cos(turn)) } }];
    }),
    ...Array(28).fill(["Cut it: switch filters off, and see what the answer loses.", { window: null, off: study.filters }]),
    ...Array(28).fill(["Look inside: click a feature map, and see what its unit sees.", { off: begun.off, look: app.first() }]),
  ];
  const end = () => {
    clearInterval(timer);
    byId("demo").hidden = true;
    for (const kind of kinds) removeEventListener(kind, end, true);
    app.change(begun);
  };
  const kinds = ["pointerdown", "keydown", "wheel", "touchstart", "hashchange"];
  for (const kind of kinds) addEventListener(kind, end, true);
  const timer = setInterval(() => {
    const step = steps.shift();
    if (!step) return end();
    byId("demo").hidden = false;
    if (byId("demo").textContent !== step[0]) byId("demo").textContent = step[0];
    return app.change(step[1]);
  }, STEP);
}
