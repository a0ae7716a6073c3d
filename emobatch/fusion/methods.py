"""The methods there are, and the options that fitting them takes.

Nothing here imports a method: names and options are there at once, for help texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emobatch.errors import OptionError
from emobatch.registry import Registry

if TYPE_CHECKING:
    from emobatch.fusion.method import Method

METHODS: Registry[type[Method]] = Registry(
    "method",
    {
        "selection": "emobatch.fusion.selection.method:Selection",
        "selection-entropy": "emobatch.fusion.selection.method:SelectionByEntropy",
        "selection-varentropy": "emobatch.fusion.selection.method:SelectionByVarentropy",
        "hierarchy": "emobatch.fusion.hierarchy:Hierarchy",
        "average": "emobatch.fusion.average:Average",
        "max": "emobatch.fusion.maximum:Maximum",
        "logistic": "emobatch.fusion.logistic.method:Logistic",
        "early": "emobatch.fusion.early.method:Early",
        "ridge": "emobatch.fusion.ridge.method:Ridge",
        "adapt": "emobatch.fusion.adapt:Adapted",
        "speech": "emobatch.fusion.speech:Speech",
    },
)
DEFAULT = "selection"
# Not a method: the one that suits the labelled rows, see :mod:`emobatch.fusion.best`.
BEST = "best"


@dataclass(frozen=True)
class Option:
    """An option of the commands that fit a method.

    Attributes:
        name: as :meth:`emobatch.fusion.method.Method.fit` takes it.
        methods: that take it.
        choices: its values that are words.
        numbers: lowest and highest of its values that are numbers, None where none is.
        metavar: stands for a value that is any text; empty where values are words or numbers.
        default: what a method takes where none is given.
        help: one line.
    """

    name: str
    methods: tuple[str, ...]
    choices: Sequence[str]
    default: str
    help: str
    numbers: tuple[float, float] | None = None
    metavar: str = ""


OPTIONS = (
    Option(
        "protocol",
        ("selection", "selection-entropy", "selection-varentropy"),
        ("released", "paper"),
        "released",
        "Thresholds from each predicted class's errors (released) or each label's rows (paper).",
    ),
    Option(
        "centre",
        ("logistic",),
        ("speaker", "none"),
        "speaker where the table has that column",
        "Take each speaker's mean away from what the speech branch says.",
    ),
    Option(
        "context",
        ("logistic", "adapt"),
        ("none", "dialogue"),
        "none",
        "Decide the rows of a speaker in a dialogue together.",
    ),
    Option(
        "C",
        ("logistic",),
        ("grid",),
        "1",
        "Inverse of the penalty; grid chooses one of 1e-3 to 1e3 by leaving speakers out.",
        (1e-9, 1e9),
    ),
    Option(
        "gate_share",
        ("logistic",),
        (),
        "all rows",
        "Ask the text branch about this share of rows, of which the speech branch is least sure.",
        (0.0, 1.0),
    ),
    Option(
        "threshold",
        ("hierarchy",),
        ("none",),
        "the best of 0.25, 0.3, 0.35, 0.4",
        "Probability from which the text branch agrees that a row is neutral; none: it decides.",
        (0.0, 1.0),
    ),
    Option(
        "alpha",
        ("ridge",),
        ("grid",),
        "grid",
        "Strength of the penalty; grid chooses one of 1e-3 to 1e3 by leaving speakers out.",
        (1e-9, 1e9),
    ),
    Option(
        "start",
        ("early",),
        ("cold", "pretrained", "warm"),
        "cold",
        "Train all at once (cold), or each branch first; then pretrained learns what joins them, "
        "warm all.",
    ),
    Option(
        "features",
        ("early",),
        (),
        "none",
        "Columns to take as a third input, by name or by what stands before a _: egemaps.",
        metavar="NAME,…",
    ),
)


def options_for(methods: Sequence[str], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Deal options out to the methods that take them.

    Args:
        methods: names of the methods that will be fitted.
        given: values by name; None where nothing was given.

    Returns:
        By method, the options that it takes of those given.

    Raises:
        OptionError: if one is given that none of the methods takes.

    Examples:
        >>> options_for(["selection", "speech"], {"protocol": "paper"})
        {'selection': {'protocol': 'paper'}, 'speech': {}}
    """
    known = {option.name: option for option in OPTIONS}
    dealt: dict[str, dict[str, Any]] = {method: {} for method in methods}
    for name, value in given.items():
        if value is None:
            continue
        takers = known[name].methods if name in known else tuple(METHODS)
        mine = [method for method in methods if method in takers]
        if not mine:
            raise OptionError(
                f"--{name.replace('_', '-')} is for --method {', '.join(takers)}; "
                f"{', '.join(methods)} has no such option"
            )
        for method in mine:
            dealt[method][name] = value
    return dealt
