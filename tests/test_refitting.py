from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from reference import best_pair
from samples import rule, score_rows

from emobatch.evaluation.bootstrap import Units
from emobatch.fusion.selection.assessment import assess, warnings
from emobatch.fusion.selection.detection import Detection, grids
from emobatch.fusion.selection.fitting import fit
from emobatch.fusion.selection.refitting import ClassRows, equal_pairs, refits
from emobatch.fusion.selection.rules import DetectionFigures, Rules
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR

ROWS = 120
DRAWN = Units("row", np.arange(ROWS), ROWS)


def rows_of_class(digits: int = 15) -> ClassRows:
    rng = np.random.default_rng(3)
    columns = rng.uniform(0, 1.4, ROWS).round(digits), rng.uniform(0, 0.6, ROWS).round(digits)
    wrong = rng.random(ROWS) < 0.4
    own = np.flatnonzero(rng.random(ROWS) < 0.7)
    return ClassRows(*columns, wrong, own, own[wrong[own]])


# Of few different values, many lie exactly on a threshold.
@pytest.mark.parametrize("digits", [15, 1])
def test_a_refit_is_what_fitting_the_resampled_rows_gives(digits: int) -> None:
    part = rows_of_class(digits)
    generator = np.random.default_rng(0)
    for refit in refits(part, DRAWN, 3):
        draws = generator.integers(0, ROWS, ROWS)
        taken, sample = draws[np.isin(draws, part.own)], draws[np.isin(draws, part.sample)]
        tried = grids(part.entropy[sample], part.varentropy[sample])
        assert tried is not None
        wanted = best_pair(part.entropy[taken], part.varentropy[taken], part.wrong[taken], *tried)
        assert wanted is not None
        assert refit.found == Detection(*wanted)
        left = [row for row in part.own if row not in draws]
        flagged = [
            row
            for row in left
            if part.entropy[row] >= wanted[0] and part.varentropy[row] <= wanted[1]
        ]
        assert refit.flagged == len(flagged)
        assert refit.detected == part.wrong[flagged].sum()


def test_refits_are_the_same_every_time() -> None:
    assert refits(rows_of_class(), DRAWN, 5) == refits(rows_of_class(), DRAWN, 5)


def test_speakers_are_drawn_whole() -> None:
    found = refits(rows_of_class(), Units("speaker", np.arange(ROWS) % 2, 2), 20)
    # Of two speakers a resample has both, or one of them twice.
    assert len({refit.found for refit in found}) == 3
    assert any(refit.flagged == 0 for refit in found)


def test_resamples_with_too_few_rows_do_not_count() -> None:
    part = rows_of_class()
    five = ClassRows(part.entropy, part.varentropy, part.wrong, part.own, part.sample[:5])
    assert 0 < len(refits(five, DRAWN, 40)) < 40


def labelled(count: int = 200) -> pl.DataFrame:
    return with_uncertainty(score_rows(count).lazy(), FOUR).collect()


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = labelled()
    rules = fit(rows, FOUR)
    assert assess(rows.reverse(), rules, FOUR, resamples=10) == assess(
        rows, rules, FOUR, resamples=10
    )


def test_a_class_that_was_not_fitted_stays_as_it_is() -> None:
    rows = labelled()[:20]
    rules = fit(rows, FOUR)
    unfitted = [name for name, rule in rules.classes.items() if rule.reason]
    assert unfitted
    assessed = assess(rows, rules, FOUR, resamples=5)[0].classes
    assert [assessed[name] for name in unfitted] == [rules.classes[name] for name in unfitted]


def test_a_pair_that_flags_no_row_is_as_good_as_none() -> None:
    one, wrong = np.array([1.0]), np.array([False])
    found = equal_pairs(one, one, wrong, grid_e=np.array([0.5, 2.0]), grid_v=one)
    assert found is not None
    assert (found.equal_pairs, found.equal_entropy) == (1, (0.5, 0.5))


def test_fewer_than_twenty_flagged_rows_are_too_few() -> None:
    classes = {
        name: rule(1.0, 0.5, figures=DetectionFigures(50.0, flagged, 9))
        for name, flagged in (("sad", 19), ("happy", 20))
    }
    assert warnings(Rules(classes)) == ["sad: only 19 rows are flagged, too few to choose by"]


@pytest.mark.parametrize("resamples", [0, 4])
def test_what_was_resampled_is_said(resamples: int) -> None:
    rows = labelled()
    said = assess(rows, fit(rows, FOUR), FOUR, resamples=resamples)[1]
    assert (said and said["resamples"]) == (resamples or None)
