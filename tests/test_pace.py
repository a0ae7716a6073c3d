"""What a run says of its speed, by a clock that the test drives."""

from __future__ import annotations

import logging
import sys

import pytest

from emobatch.cli.progress import Bar
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


class Unseen(Silent):
    is_shown = False


def test_where_nobody_sees_a_bar_it_is_said_each_minute(
    clock: Clock, notes: pytest.LogCaptureFixture
) -> None:
    pace = Pace(Unseen(), clock)
    pace.start(1000)
    pace.begin()
    for seconds, rows, errors in (
        *((30, 50, 0), (31, 50, 0), (55, 100, 2)),  # 30, 61, 116 s
        *((6, 0, 0), (1, 50, 0)),  # 122, 123 s: once in the third minute
        *((200, 50, 1), (37, 100, 0), (60, 600, 0)),  # 323, 360, 420 s: a long batch, and the end
    ):
        clock.now += seconds
        pace.advance(rows=rows, errors=errors, seconds=10.0 * rows)
    assert notes.messages == [
        "note: 100 of 1000 rows in 1.0 min, 16.4 times faster than real time; about 9.2 min left",
        "note: 200 of 1000 rows in 2.0 min, 2 failed, 16.4 times faster than real time; "
        "about 8.1 min left",
        "note: 300 of 1000 rows in 5.4 min, 3 failed, 9.3 times faster than real time; "
        "about 13 min left",
        "note: 400 of 1000 rows in 6.0 min, 3 failed, 11.1 times faster than real time; "
        "about 9.0 min left",
    ]


def test_a_bar_says_whether_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        assert Bar().is_shown is terminal
    assert Pace(Unseen()).is_shown is False


def test_where_nothing_was_scored_there_is_no_speed(clock: Clock) -> None:
    assert Pace(Silent(), clock).speed() == ""
