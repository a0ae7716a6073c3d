"""Logistic fusion, fitted on labelled rows and on their speakers' other rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emobatch.fusion.evidence import Floats
from emobatch.fusion.logistic.model import BY_COMPOSITION, CENTRED, UNCENTRED, Model, Pair
from emobatch.fusion.logistic.regression import Regression
from emobatch.fusion.logistic.row_weights import row_weights
from emobatch.fusion.logistic.sample import Sample
from emobatch.fusion.logistic.temperature import temperature

# Inverse penalties that are tried where one is to be chosen.
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)


def fit(sample: Sample, strength: float, share: float | None = None) -> Model:
    """Fit all regressions.

    Args:
        sample: rows, of which some are labelled.
        strength: C, the inverse of the penalty.
        share: of rows that the text branch is asked about; None for all.

    Returns:
        The model.

    Raises:
        CalibrationError: if the labelled rows are all of one class.
    """
    classes, mine = sample.heard.shape[1], sample.labelled
    weights = row_weights(sample.labels[mine], sample.seen[mine], classes)
    pairs = {UNCENTRED: _pair(sample.heard, sample, weights, strength)}
    usual, class_means = np.zeros(classes), np.zeros((classes, classes))
    speakers = sample.speakers
    if speakers is not None:
        labelled = np.unique(speakers.number[mine])
        usual = speakers.means(sample.heard)[labelled].mean(axis=0)
        class_means = _class_means(sample, weights)
        begun = Model(pairs, usual, class_means)
        centred, by_composition = begun.features(sample.heard, sample.said, speakers)
        pairs[CENTRED] = _pair(centred, sample, weights, strength)
        pairs[BY_COMPOSITION] = _pair(by_composition, sample, weights, strength)
    model = Model(pairs, usual, class_means)
    if share is not None:
        margins = model.margins(sample.heard)
        model = replace(model, margin=float(np.quantile(margins, share, method="lower")))
    new = mine & ~sample.seen
    if not new.any():
        return model
    logits, _ = model.logits(sample.heard, sample.said, speakers)
    return replace(model, temperature=temperature(logits[new], sample.labels[new]))


def choose_strength(sample: Sample) -> tuple[float, Mapping[float, float]]:
    """Choose the inverse penalty by leaving speakers out.

    Args:
        sample: rows of two speakers or more.

    Returns:
        The one of the highest mean UA, of equals the strongest penalty; and the UA of each, in
        percent.
    """
    found = {}
    for strength in STRENGTHS:
        figures = [_left_out(sample, out, strength) for out in _each_speaker(sample)]
        known = [figure for figure in figures if figure is not None]
        found[strength] = float(np.mean(known)) if known else 0.0
    return max(STRENGTHS, key=lambda strength: found[strength]), found


def _each_speaker(sample: Sample) -> list[NDArray[np.bool_]]:
    numbers = np.zeros(0) if sample.speaker is None else sample.speaker
    return [numbers == number for number in np.unique(numbers)]


def _left_out(sample: Sample, out: NDArray[np.bool_], strength: float) -> float | None:
    rest, test = sample.take(~out), sample.take(out)
    if len(np.unique(rest.labels[rest.labelled])) < 2 or not test.labelled.any():
        return None
    logits, _ = fit(rest, strength).logits(test.heard, test.said, test.speakers)
    mine = test.labelled
    right = logits[mine].argmax(axis=1) == test.labels[mine]
    labels = test.labels[mine]
    return 100 * float(np.mean([right[labels == number].mean() for number in np.unique(labels)]))


def _pair(features: Floats, sample: Sample, weights: Floats, strength: float) -> Pair:
    classes, mine = features.shape[1], sample.labelled
    heard, said, labels = features[mine], sample.said[mine], sample.labels[mine]
    told = np.isfinite(said).all(axis=1)
    both = None
    if len(np.unique(labels[told])) > 1:
        joined = np.hstack([heard[told], said[told]])
        both = Regression.fit(joined, labels[told], weights[told], classes, strength)
    return Pair(both, Regression.fit(heard, labels, weights, classes, strength))


def _class_means(sample: Sample, weights: Floats) -> Floats:
    heard, labels = sample.heard[sample.labelled], sample.labels[sample.labelled]
    classes = heard.shape[1]
    usual = np.average(heard, axis=0, weights=weights)
    found = np.tile(usual, (classes, 1))  # of a class without rows nothing else is known
    for number in np.unique(labels):
        mine = labels == number
        found[number] = np.average(heard[mine], axis=0, weights=weights[mine])
    return found
