"""A fitted early fusion: what of it stands in a thresholds file, and what beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.errors import ThresholdsError
from emobatch.fusion.checks import check_names, table
from emobatch.fusion.early.fitting import BOTH, NO_TEXT, STARTS, Networks
from emobatch.fusion.early.inputs import FEATURES, SPEECH, TEXT, Scaling
from emobatch.fusion.early.network import Layer, Network

SECTION, ARRAYS = "early", "arrays"
AGAIN = "calibrate again"


def to_document(
    start: str, columns_read: Mapping[str, Sequence[str]], fitted: Networks
) -> dict[str, Any]:
    """Lay out what people read.

    Args:
        start: how training began.
        columns_read: by input.
        fitted: the networks.

    Returns:
        The section.
    """
    learnt, validated = fitted.rows
    return {
        SECTION: {
            "start": start,
            "columns": {name: list(mine) for name, mine in columns_read.items()},
            "epochs": dict(fitted.epochs),
            "rows_learnt_from": learnt,
            "rows_validated_on": validated,
            "speakers_validated_on": fitted.speakers,
        }
    }


def arrays(fitted: Networks) -> dict[str, NDArray[Any]]:
    """Give all numbers of the networks.

    Args:
        fitted: the networks.

    Returns:
        By name, as ``both.speech.weights``: weights as float32, which hold their steps exactly, all
        else as float64.
    """
    found: dict[str, NDArray[Any]] = {}
    for name, scaling in fitted.scalings.items():
        found[f"{name}.centre"], found[f"{name}.spread"] = scaling.centre, scaling.spread
    for network, each in fitted.networks.items():
        for name, layer in each.layers().items():
            found[f"{network}.{name}.weights"] = layer.weights.astype(np.float32)
            found[f"{network}.{name}.offsets"] = layer.offsets
    return found


def read(content: Mapping[str, Any]) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Read the section.

    Args:
        content: of the file.

    Returns:
        How training began, and the columns by input.

    Raises:
        ThresholdsError: names what is misspelt or missing.
    """
    check_names(content, (SECTION, ARRAYS, "fitted"), "the file")
    section = table(content, SECTION)
    known = (
        *("start", "columns", "epochs"),
        *("rows_learnt_from", "rows_validated_on", "speakers_validated_on"),
    )
    check_names(section, known, f"[{SECTION}]")
    start = section.get("start")
    if start not in STARTS:
        raise ThresholdsError(f"{SECTION}.start is {start!r}; {', '.join(STARTS)} are known")
    columns = table(section, "columns", f"{SECTION}.")
    check_names(columns, (SPEECH, TEXT, FEATURES), f"[{SECTION}.columns]")
    for name in (SPEECH, TEXT, *columns):
        mine = columns.get(name)
        if not (isinstance(mine, list) and mine and all(isinstance(each, str) for each in mine)):
            raise ThresholdsError(
                f"{SECTION}.columns.{name} is {mine!r}; a list of columns is wanted"
            )
    return str(start), {name: tuple(mine) for name, mine in columns.items()}


def networks(
    content: Mapping[str, Any], columns_read: Mapping[str, Sequence[str]], classes: int
) -> Networks:
    """Put the networks together.

    Args:
        content: of the file, with the arrays by name.
        columns_read: by input.
        classes: how many there are.

    Returns:
        The networks.

    Raises:
        ThresholdsError: names the array that is missing or doesn't fit.
    """
    numbers = table(content, ARRAYS)
    scalings = {}
    for name, mine in columns_read.items():
        centre, spread = (_array(numbers, f"{name}.{part}", 1) for part in ("centre", "spread"))
        right = np.isfinite(centre).all() and np.isfinite(spread).all() and (spread > 0).all()
        if centre.shape != spread.shape or not right:
            raise ThresholdsError(f"array {name}.spread doesn't fit {name}.centre; {AGAIN}")
        if name == FEATURES and len(mine) != len(centre):
            raise ThresholdsError(
                f"{SECTION}.columns.{name} names {len(mine)} columns, fitted were {len(centre)}; "
                f"{AGAIN}"
            )
        scalings[name] = Scaling(centre, spread)
    widths = {name: len(each.centre) for name, each in scalings.items()}
    without = tuple(name for name in columns_read if name != TEXT)
    found = {
        name: _network(numbers, name, mine, widths, classes)
        for name, mine in ((BOTH, tuple(columns_read)), (NO_TEXT, without))
    }
    section = table(content, SECTION)
    rows = (section.get("rows_learnt_from", 0), section.get("rows_validated_on", 0))
    epochs = table(section, "epochs", f"{SECTION}.")
    return Networks(scalings, found, epochs, rows, section.get("speakers_validated_on"))


def _network(
    numbers: Mapping[str, Any],
    name: str,
    inputs: tuple[str, ...],
    widths: Mapping[str, int],
    classes: int,
) -> Network:
    layers = {
        each: Layer(
            _array(numbers, f"{name}.{each}.weights", 2),
            _array(numbers, f"{name}.{each}.offsets", 1),
        )
        for each in (*inputs, "joined", "output")
    }
    network = Network.of_layers(layers)
    if (fault := network.fault(widths, classes)) is not None:
        raise ThresholdsError(
            f"arrays {name}.{fault} don't fit the others, or are damaged; {AGAIN}"
        )
    return network


def _array(numbers: Mapping[str, Any], name: str, dimensions: int) -> NDArray[np.float64]:
    found = numbers.get(name)
    if not isinstance(found, np.ndarray) or found.ndim != dimensions:
        raise ThresholdsError(f"no array {name} of {dimensions} dimensions; {AGAIN}")
    return found.astype(np.float64)
