"""Arousal, valence and dominance against their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from emobatch.evaluation.agreement import CCC, FIGURES, SUMS, figures, parts, usual
from emobatch.evaluation.bootstrap import interval, resampled_sums, units
from emobatch.evaluation.figure import AFTER, BEFORE, PLAIN, Figure
from emobatch.evaluation.layout import Table
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.tables import attributes
from emobatch.tables.attributes import DECIDED_BY, FINAL, GIVEN, PREFIXES, SPEECH, TEXT
from emobatch.tasks.spellings import ATTRIBUTES

OF_TEXT, MEAN = "text", "mean"
STAGES = {BEFORE: SPEECH, OF_TEXT: TEXT, AFTER: FINAL}
DIGITS = 4


class Attributes(Measure):
    """CCC, Pearson's correlation and RMSE of each attribute, and their means.

    Of all rows that have a label of an attribute and a prediction, whether they have one of a class
    or not.
    """

    name = "attributes"
    title = "arousal, valence, dominance"
    columns = (
        *(f"{before}{name}" for before in (GIVEN, *PREFIXES) for name in ATTRIBUTES),
        DECIDED_BY,
    )
    needs_labels = False
    of_unlabelled = True
    by_group = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the attributes of each stage."""
        labels = attributes.labels(sample.rows.columns)
        for stage, prefix in STAGES.items():
            predicted = attributes.predictions(sample.rows.columns, prefix)
            both = [name for name in ATTRIBUTES if name in labels and name in predicted]
            if both:
                pairs = [(labels[name], predicted[name]) for name in both]
                yield from _measured(sample, stage, dict(zip(both, pairs, strict=True)))

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the figures of the last stage that there is, then of each, and their bounds."""
        own = evaluation.of(self.name, group)
        if not own:
            return {}
        by_stage: dict[str, Any] = {}
        bounds: dict[str, Any] = {}
        for each in own:
            stage, of_attribute = str(each.stage), str(each.of_class)
            entry = by_stage.setdefault(stage, {}).setdefault(of_attribute, {"rows": each.rows})
            entry[each.name] = each.value
            if each.bounds:
                bounds.setdefault(stage, {}).setdefault(of_attribute, {})[each.name] = each.bounds
        last = AFTER if AFTER in by_stage else next(iter(by_stage))
        found = {
            self.name: by_stage[last],
            "attributes_stage": last,
            "attributes_by_stage": by_stage,
        }
        return found | ({"attributes_intervals": bounds} if bounds else {})

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show each stage's figures by attribute, the interval beneath."""
        own = evaluation.of(self.name)
        rows: list[tuple[str, ...]] = []
        for stage in STAGES:
            for of_attribute in (*ATTRIBUTES, MEAN):
                mine = {
                    each.name: each
                    for each in own
                    if (each.stage, each.of_class) == (stage, of_attribute)
                }
                if not mine:
                    continue
                texts = [_text(mine[name].value) for name in FIGURES]
                rows.append((stage, of_attribute, *texts, str(mine[CCC].rows or 0)))
                if any(each.bounds for each in mine.values()):
                    rows.append(("", "  95 %", *(_span(mine[name]) for name in FIGURES), ""))
        if not rows:
            return ()
        return (Table(("stage", "attribute", *FIGURES, "rows"), tuple(rows), left=2),)

    def by_groups(self, evaluation: Evaluation) -> Sequence[tuple[str, Sequence[str]]]:
        """Give the mean CCC of the last stage."""
        groups = evaluation.groups or ()
        stages = [each.stage for group in groups for each in evaluation.of(self.name, group)]
        last = next((stage for stage in (AFTER, BEFORE, OF_TEXT) if stage in stages), None)
        if last is None:
            return ()
        texts = [evaluation.text(CCC, stage=last, of_class=MEAN, group=group) for group in groups]
        return [(f"CCC\n{last}", texts)]


def _measured(sample: Sample, stage: str, pairs: dict[str, tuple[str, str]]) -> Iterator[Figure]:
    wanted = dict.fromkeys(column for pair in pairs.values() for column in pair)
    numbers = sample.rows.select(pl.col(list(wanted)).cast(pl.Float64).fill_null(float("nan")))
    arrays = {name: numbers[name].to_numpy() for name in wanted}
    values = []
    for label, predicted in pairs.values():
        centre = usual(arrays[label], arrays[predicted])
        values.append(parts(arrays[label] - centre, arrays[predicted] - centre))
    each = np.concatenate(values, axis=1)
    counts = each[:, ::SUMS].sum(axis=0).astype(int)
    if not counts.any():
        return
    found = _figures(each.sum(axis=0)[None])
    drawn = None
    if sample.resamples:
        counting = pl.Series(each[:, ::SUMS].any(axis=1))
        rows = each[counting.to_numpy()]
        drawn = _figures(
            resampled_sums(rows, units(sample.rows.filter(counting)), sample.resamples)
        )
    rows_of = [*map(int, counts), int(counts.min())]
    for place, of_attribute in enumerate((*pairs, MEAN)):
        for name in FIGURES:
            value = float(found[name][0, place])
            bounds = None if drawn is None else interval(drawn[name][:, place], DIGITS)
            low, high = bounds or (None, None)
            known = None if np.isnan(value) else round(value, DIGITS) + 0.0
            yield Figure(
                name,
                known,
                low if known is not None else None,
                high if known is not None else None,
                rows_of[place],
                stage,
                of_attribute,
                unit=PLAIN,
            )


def _figures(sums: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    # (samples, attributes and their mean) of each figure.
    by_attribute = [figures(part) for part in np.split(sums, sums.shape[1] // SUMS, axis=1)]
    stacked = {name: np.stack([each[name] for each in by_attribute], axis=1) for name in FIGURES}
    return {
        name: np.concatenate([values, values.mean(axis=1, keepdims=True)], axis=1)
        for name, values in stacked.items()
    }


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _span(figure: Figure) -> str:
    bounds = figure.bounds
    return "-" if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
