from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobatch.evaluation.paired_test import mcnemar


def tossed(better: int, worse: int) -> Fraction:
    """The chance that a fair coin lands at least as unevenly."""
    tosses = better + worse
    heads = range(tosses + 1)
    uneven = abs(better - worse)
    ways = sum(comb(tosses, count) for count in heads if abs(tosses - 2 * count) >= uneven)
    return Fraction(ways, 2**tosses)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_p_is_that_of_tossing_a_coin(pairs: list[tuple[bool, bool]]) -> None:
    before, after = np.array(pairs, dtype=bool).T
    better, worse = pairs.count((False, True)), pairs.count((True, False))
    found = mcnemar(before, after)
    assert (found["better"], found["worse"]) == (better, worse)
    assert found["p"] == pytest.approx(float(tossed(better, worse)))


def test_rows_on_which_both_agree_say_nothing() -> None:
    assert mcnemar(np.ones(9, dtype=bool), np.ones(9, dtype=bool))["p"] == 1
