"""A page laid out in pixels, for figures made of images: crisp at integer multiples only."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath

from convscope.figures.style import DPI, FONT, INK, Drawing

MARGIN = 14
# from the page's upper edge to the content: the margin and the title
TOP = MARGIN + 34
TITLE_SIZE = 12
TEXT_SIZE = 8.5
LINE_HEIGHT = 15
FRAME = "#cccccc"


class Page:
    """A titled page whose content has its origin at the top left, x to the right, y down.

    ``axes`` is the single panel of ``figure``, and a data unit of it a pixel.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        """Make an empty page for content of so many pixels, wider for a title that needs it."""
        width = max(width, text_width(title, TITLE_SIZE, "bold"))
        self._width, self._height = width + 2 * MARGIN, height + TOP + MARGIN
        self.figure = Drawing(figsize=(self._width / DPI, self._height / DPI), dpi=DPI)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(-MARGIN, width + MARGIN)
        self.axes.set_ylim(height + MARGIN, -TOP)
        self.axes.autoscale(enable=False)
        self.text(0, MARGIN - TOP, title, size=TITLE_SIZE, weight="bold", va="top")

    def picture(
        self,
        pixels: npt.NDArray[Any],
        left: float,
        top: float,
        width: float,
        height: float,
        **coloring: Any,
    ) -> None:
        """Draw an image, (h, w, 3) or (h, w), stretched over a rectangle, every pixel crisp."""
        self.axes.imshow(
            pixels,
            extent=(left, left + width, top + height, top),
            aspect="auto",
            interpolation="nearest",
            **coloring,
        )

    def text(self, x: float, y: float, text: str, **font: Any) -> None:
        """Write text; unless ``font`` says otherwise, its left end at x and its middle at y."""
        usual: dict[str, Any] = {"size": TEXT_SIZE, "va": "center", "color": INK}
        self.axes.text(x, y, text, **(usual | font))

    def frame(self, left: float, top: float, width: float, height: float) -> None:
        """Draw a faint border, where white must not run into the page."""
        self.axes.add_patch(
            Rectangle((left, top), width, height, fill=False, edgecolor=FRAME, linewidth=0.8)
        )

    def outline(self, left: float, top: float, width: float, height: float, color: str) -> None:
        """Draw a strong border, with a white halo that keeps it visible on any image."""
        border = Rectangle((left, top), width, height, fill=False, edgecolor=color, linewidth=1.6)
        border.set_path_effects([withStroke(linewidth=3.2, foreground="white")])
        self.axes.add_patch(border)

    def panel(self, left: float, top: float, width: float, height: float) -> Axes:
        """A panel of its own on the page, for example for a color bar."""
        bottom = self._height - (top + TOP) - height
        return self.figure.add_axes(
            (
                (left + MARGIN) / self._width,
                bottom / self._height,
                width / self._width,
                height / self._height,
            )
        )


@cache
def text_width(text: str, size: float = TEXT_SIZE, weight: str = "normal") -> float:
    """How wide a line of text is on a page, in pixels; measuring takes a while."""
    if not text.strip():
        return 0.0
    font = FontProperties(family=FONT, weight=weight)
    # of the outline's own points: to follow its curves between them takes six times as long
    return float(TextPath((0, 0), text, size=size, prop=font).vertices[:, 0].max()) * DPI / 72


def pixels(image: torch.Tensor) -> npt.NDArray[Any]:
    """(3, h, w) on any device, uint8 or float in [0, 1] -> (h, w, 3) for matplotlib."""
    return np.ascontiguousarray(image.detach().cpu().permute(1, 2, 0).numpy())
