"""The common look of all figures, and the one way to save them."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from convscope.base import files

DPI = 110
FONT = "DejaVu Sans"  # it comes with matplotlib
INK = "#222222"
MUTED = "#7a7a7a"
# Okabe & Ito, "Color Universal Design" (2008), without black (here: means) and yellow (too pale)
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SEQUENTIAL = "viridis"
COUNTS = "Blues"
DIFFERENCE = "RdBu_r"
TIMES = "\N{MULTIPLICATION SIGN}"
LOOK: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#999999",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "font.family": FONT,
    "font.size": 9,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "legend.title_fontsize": 9,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is no formula
    "xtick.color": "#999999",
    "xtick.labelcolor": INK,
    "ytick.color": "#999999",
    "ytick.labelcolor": INK,
}


@contextmanager
def styled() -> Iterator[None]:
    """The figures' look while a block, or as a decorator a function, runs.

    It is the same whatever the user's own matplotlib settings are.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(LOOK)
        yield


class Drawing(Figure):
    """A figure in the common look, as the builders of this package make it."""

    def write(self, path: Path) -> None:
        """Write it as PNG, completely or not at all; the same arrays give the same bytes."""
        with files.atomic_write(path) as partial:
            self._save(partial)

    def _repr_png_(self) -> bytes:
        """What a notebook shows of it."""
        self._save(png := io.BytesIO())
        return png.getvalue()

    def _save(self, target: Path | BinaryIO) -> None:
        # fonts, ticks and layout are resolved while drawing, so the look must hold here as well
        with styled():
            if (layout := self.get_layout_engine()) is not None:
                # once only: another pass would start from this one's result and give other bytes
                layout.execute(self)
                self.set_layout_engine("none")
            # savefig draws everything twice, the first time for a layout that is already made
            canvas: Any = FigureCanvasAgg(self)
            canvas.print_png(target, metadata={"Software": None})


def chart(
    width: float, height: float, title: str, rows: int = 1, columns: int = 1, **grid: Any
) -> tuple[Drawing, npt.NDArray[Any]]:
    """An empty chart of so many pixels, with a title above all panels.

    The figure and its panels, a (rows, columns) array of ``Axes``; ``grid`` goes to
    ``Figure.subplots``.
    """
    figure = Drawing(figsize=(width / DPI, height / DPI), dpi=DPI, layout="constrained")
    # inches of air around each panel
    cast(ConstrainedLayoutEngine, figure.get_layout_engine()).set(w_pad=0.1, h_pad=0.08)
    panels: npt.NDArray[Any] = figure.subplots(rows, columns, squeeze=False, **grid)
    figure.suptitle(title, x=0.01, ha="left")
    return figure, panels


def apart(wanted: Sequence[float], gap: float) -> npt.NDArray[np.float64]:
    """Positions for labels near the wanted ones, at least ``gap`` apart, their order kept.

    Labels that would overlap form a cluster around the mean of their wanted positions.
    """

    def placed(cluster: Sequence[float]) -> list[float]:
        first = float(np.mean(cluster)) - gap * (len(cluster) - 1) / 2
        return [first + gap * rank for rank in range(len(cluster))]

    order = np.argsort(wanted, kind="stable")
    clusters: list[list[float]] = []
    for value in np.asarray(wanted, dtype=float)[order]:
        clusters.append([value])
        while len(clusters) > 1 and placed(clusters[-1])[0] < placed(clusters[-2])[-1] + gap:
            last = clusters.pop()
            clusters[-1].extend(last)
    positions = np.empty(len(order))
    positions[order] = [place for cluster in clusters for place in placed(cluster)]
    return positions


def signed(value: float, decimals: int = 0) -> str:
    """A change with its sign, a true minus; plain 0 if it rounds to 0."""
    text = f"{value:+.{decimals}f}"
    return f"{0:.{decimals}f}" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals and a true minus; plain 0 if it rounds to 0."""
    return signed(value, decimals).removeprefix("+")


def brief(value: float) -> str:
    """A number in four digits at most, with a true minus."""
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def scale(name: str, count: int) -> list[str]:
    """So many colors of a color map, from its low end to its high one, each as ``#rrggbb``."""
    colors = matplotlib.colormaps[name].resampled(count)
    return [to_hex(colors(at)) for at in range(count)]


def bare(axes: Axes) -> None:
    """Take the grid, the frame and the tick marks off a panel; its labels stay."""
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
