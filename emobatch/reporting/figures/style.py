"""How every figure looks, and how it becomes SVG that is the same for the same data.

Colours are those of Okabe and Ito and the map cividis, told apart by readers of any colour vision;
what they tell apart, hatching, markers or words tell apart as well.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.figure import Figure

from emobatch.tables.visible import visible

BLUE, VERMILLION, GREY, INK, PALE = "#0072B2", "#D55E00", "#767676", "#1A1A1A", "#D9D9D9"
# Right and wrong, better and worse: everywhere the same pair, of colour and of hatching.
RIGHT_COLOUR, RIGHT_HATCH = BLUE, ""
WRONG_COLOUR, WRONG_HATCH = "#E69F00", "/////"
NEITHER_COLOUR, NEITHER_HATCH = "#BBBBBB", "-----"
MINUS = "\N{MINUS SIGN}"
POINTS_PER_INCH, PIXELS_PER_INCH = 72, 96
# Figures of that width in inches stand side by side on a page; wider ones beneath each other.
SIDE_BY_SIDE = 4.7
WIDEST_BESIDE = 6.0
# A wide figure is made so much narrower on a narrow page, and no more.
LEAST_OF_WIDE = 0.75
# Names of classes that have more letters than this together don't stand on one line.
LETTERS_OF_A_LINE = 34

STYLE: Any = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.color": INK,
    # A class may be called $x$.
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}
# Matplotlib writes the date and its own version into a file unless told not to.
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's style, whatever the user's matplotlibrc says; also a decorator.

    Yields:
        Nothing.
    """
    with rc_context():
        rcdefaults()
        rcParams.update(STYLE)
        yield


def slanted(names: Sequence[str]) -> dict[str, Any]:
    """How names stand beneath an axis.

    Args:
        names: of classes.

    Returns:
        What matplotlib's ticks take: nothing for few and short names, else an angle.

    Examples:
        >>> slanted(["happy", "sad"])
        {}
    """
    if sum(map(len, names)) <= LETTERS_OF_A_LINE:
        return {}
    return {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}


def to_svg(figure: Figure, name: str, description: str) -> Markup:
    """Write a figure as an SVG element to stand in a page.

    Args:
        figure: any.
        name: tells its parts from those of the page's other figures.
        description: what a reader who doesn't see it is told.

    Returns:
        The element; its width is that of the page where that is narrower than the figure, unless
        the figure is a wide one, whose letters would get too small.
    """
    buffer = io.StringIO()
    with style(), rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata=NO_METADATA, facecolor="none")
    drawn = buffer.getvalue()
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    # Names of groups repeat from figure to figure, and nothing refers to them.
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    width, height = (size * POINTS_PER_INCH for size in figure.get_size_inches())
    opening = Markup(
        '<svg role="img" aria-label="{}" viewBox="0 0 {:g} {:g}" style="{}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    ).format(visible(description), width, height, _widths(figure))
    return opening + Markup(body.strip())  # what matplotlib wrote has been escaped by it


def is_wide(figure: Figure) -> bool:
    """Whether a figure needs the page's whole width.

    Args:
        figure: any.

    Returns:
        Whether it can't stand beside another.
    """
    return bool(figure.get_size_inches()[0] > WIDEST_BESIDE)


def _widths(figure: Figure) -> str:
    pixels = figure.get_size_inches()[0] * PIXELS_PER_INCH
    widest = f"max-width: {pixels:.0f}px"
    return f"{widest}; min-width: {LEAST_OF_WIDE * pixels:.0f}px" if is_wide(figure) else widest
