"""A fitted logistic fusion as tables of a thresholds file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emobatch.errors import ThresholdsError
from emobatch.fusion.checks import check_names, is_number, table
from emobatch.fusion.evidence import Floats
from emobatch.fusion.logistic.model import BY_COMPOSITION, CENTRED, UNCENTRED, Model, Pair
from emobatch.fusion.logistic.regression import Regression
from emobatch.tasks.task import Task

BOTH, SPEECH = "both", "speech"
PAIRS = (UNCENTRED, CENTRED, BY_COMPOSITION)
SECTION, CONTEXT = "logistic", "context"


def to_document(model: Model, task: Task) -> dict[str, Any]:
    """Lay a model out.

    Args:
        model: as fitted.
        task: the classes.

    Returns:
        The temperature; the margin, where not all rows are read; with centring the usual mean, and
        the mean of each class; and by what is taken away, for each class its weights with the
        offset behind them.
    """
    content: dict[str, Any] = {"temperature": model.temperature, "margin": model.margin}
    if model.is_centred:
        content["usual"] = model.usual.tolist()
        content["class-means"] = _by_class(model.class_means, task)
    for name, pair in model.pairs.items():
        content[name] = {
            **({BOTH: _lines(pair.both, task)} if pair.both is not None else {}),
            SPEECH: _lines(pair.speech, task),
        }
    return content


def from_document(content: Mapping[str, Any], task: Task, answers: Sequence[str]) -> Model:
    """Read what :func:`to_document` gave.

    Args:
        content: maybe edited by hand.
        task: the classes.
        answers: of the text branch.

    Returns:
        The model.

    Raises:
        ThresholdsError: names what is misspelt, missing or out of range.
    """
    heard, classes = len(task.classes), len(task.classes)
    names = [name for name in PAIRS if name in content]
    if names not in ([UNCENTRED], list(PAIRS)):
        raise ThresholdsError(
            f"{SECTION} has {', '.join(names) or 'no regression'}; it needs {UNCENTRED}, or all of "
            f"{', '.join(PAIRS)}"
        )
    pairs = {}
    for name in names:
        pair, where = table(content, name, f"{SECTION}."), f"{SECTION}.{name}"
        check_names(pair, (BOTH, SPEECH), f"[{where}]")
        both = None
        if BOTH in pair:
            both = _regression(pair, BOTH, where, task, heard + len(answers))
        pairs[name] = Pair(both, _regression(pair, SPEECH, where, task, heard))
    temperature = content.get("temperature", 1.0)
    if not is_number(temperature) or not 0 < temperature < np.inf:
        raise ThresholdsError(
            f"{SECTION}.temperature is {temperature!r}; a number above 0 is wanted"
        )
    usual, class_means = np.zeros(classes), np.zeros((classes, classes))
    if names == list(PAIRS):
        usual = _numbers(content.get("usual"), f"{SECTION}.usual", classes)
        class_means = _matrix(content, "class-means", SECTION, task, classes)
    margin = content.get("margin")
    if margin is not None and not (is_number(margin) and 0 <= margin <= 1):
        raise ThresholdsError(f"{SECTION}.margin is {margin!r}; a number from 0 to 1 is wanted")
    return Model(pairs, usual, class_means, float(temperature), margin)


def answers_in(section: Mapping[str, Any]) -> tuple[str, ...]:
    """What the text branch answered that was fitted on.

    Args:
        section: of the method.

    Returns:
        Names of classes or of sentiments.

    Raises:
        ThresholdsError: if there is no such list.
    """
    known = ("C", "answers", "temperature", "margin", "usual", "class-means", *PAIRS)
    check_names(section, known, f"[{SECTION}]")
    answers = section.get("answers")
    if not isinstance(answers, list) or not all(isinstance(each, str) for each in answers):
        raise ThresholdsError(
            f"{SECTION}.answers is {answers!r}; a list of what the text branch answers is wanted"
        )
    return tuple(answers)


def strength_in(section: Mapping[str, Any]) -> float:
    """The inverse penalty that was fitted with.

    Args:
        section: of the method.

    Returns:
        C, 1 where nothing is said.

    Raises:
        ThresholdsError: if it is no number above 0.
    """
    strength = section.get("C", 1.0)
    if not is_number(strength) or not 0 < strength < np.inf:
        raise ThresholdsError(f"{SECTION}.C is {strength!r}; a number above 0 is wanted")
    return float(strength)


def chance_in(content: Mapping[str, Any]) -> float | None:
    """The chance that neighbours share a label.

    Args:
        content: of the file.

    Returns:
        rho, None where rows of a dialogue are not decided together.

    Raises:
        ThresholdsError: names what is misspelt, missing or out of range.
    """
    if CONTEXT not in content:
        return None
    context = table(content, CONTEXT)
    check_names(context, ("rho",), f"[{CONTEXT}]")
    rho = context.get("rho")
    if not isinstance(rho, float | int) or isinstance(rho, bool) or not 0 <= rho <= 1:
        raise ThresholdsError(f"{CONTEXT}.rho is {rho!r}; a number from 0 to 1 is wanted")
    return float(rho)


def _lines(regression: Regression, task: Task) -> dict[str, list[float]]:
    return _by_class(np.hstack([regression.weights, regression.offsets[:, None]]), task)


def _by_class(numbers: Floats, task: Task) -> dict[str, list[float]]:
    return dict(zip(task.classes, numbers.tolist(), strict=True))


def _regression(
    pair: Mapping[str, Any], name: str, where: str, task: Task, features: int
) -> Regression:
    lines = _matrix(pair, name, where, task, features + 1)
    return Regression(lines[:, :-1], lines[:, -1])


def _matrix(content: Mapping[str, Any], name: str, where: str, task: Task, width: int) -> Floats:
    lines = table(content, name, f"{where}.")
    check_names(lines, task.classes, f"[{where}.{name}]")
    return np.stack(
        [_numbers(lines.get(each), f"{where}.{name}.{each}", width) for each in task.classes]
    )


def _numbers(value: Any, where: str, width: int) -> Floats:
    given = value if isinstance(value, list) else []
    if len(given) != width or not all(is_number(each) and np.isfinite(each) for each in given):
        raise ThresholdsError(f"{where}: {width} numbers are wanted; calibrate again")
    return np.array(given, dtype=np.float64)
