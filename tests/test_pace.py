"""The estimate after the first minute, by a clock that the test drives."""

from __future__ import annotations

import logging

import pytest

from emobatch.scoring.pace import Pace
from emobatch.scoring.progress import Silent


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notes(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "emobatch")
    return caplog


def test_it_is_said_once_after_a_minute_of_scoring(
    clock: Clock, notes: pytest.LogCaptureFixture
) -> None:
    pace = Pace(Silent(), clock)
    pace.start(1200, done=200)
    clock.now += 300  # models that take long to load say nothing of the rows
    pace.begin()
    clock.now += 59
    pace.advance(rows=50, seconds=590)
    assert notes.messages == []
    clock.now += 21
    pace.advance(rows=50, seconds=210)
    # 100 of 1000 rows in 80 s: 900 more take 720 s.
    assert notes.messages == [
        "note: 100 of 1000 rows in 1.3 min, 10.0 times faster than real time; about 12 min left"
    ]
    clock.now += 600
    pace.advance(rows=500, seconds=100)
    assert len(notes.messages) == 1


def test_without_a_row_it_waits_for_one_and_after_the_last_it_says_nothing(
    clock: Clock, notes: pytest.LogCaptureFixture
) -> None:
    pace = Pace(Silent(), clock)
    pace.start(2)
    pace.begin()
    clock.now += 100
    pace.advance(seconds=30)
    assert notes.messages == []
    pace.advance(rows=1)
    assert notes.messages == [
        "note: 1 of 2 rows in 1.7 min, 3.3 times slower than real time; about 1.7 min left"
    ]
    other = Pace(Silent(), clock)
    other.start(1)
    other.begin()
    clock.now += 100
    other.advance(rows=1, seconds=5)
    assert len(notes.messages) == 1


def test_where_nothing_was_scored_there_is_no_speed(clock: Clock) -> None:
    assert Pace(Silent(), clock).speed() == ""
