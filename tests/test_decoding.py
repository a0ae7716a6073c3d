from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sounds import save, tone

from emobatch.manifests import audio
from emobatch.manifests.clip import Clip
from emobatch.scoring import decoding
from emobatch.scoring.decoding import decode
from emobatch.scoring.utterances import Utterance


def utterances(files: list[Path]) -> list[Utterance]:
    return [Utterance(Clip(file.name, file, None, None, None), file.name) for file in files]


def test_windows_come_in_order_however_long_files_take(tmp_path: Path) -> None:
    files = [save(tmp_path / f"{n}.wav", tone(seconds)) for n, seconds in enumerate((70, 1, 31, 2))]
    asked = utterances(files)
    found = [(window.utterance.id, round(window.seconds)) for window in decode(asked, 60)]
    assert found == [
        *[("0.wav", 30), ("0.wav", 30), ("0.wav", 10), ("1.wav", 1)],
        *[("2.wav", 30), ("2.wav", 1), ("3.wav", 2)],
    ]
    assert all(each.decoded and each.error is None for each in asked)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files called `stuck` give a window, and then nothing, as on a dead network file system."""
    release = threading.Event()
    read = audio.read_windows

    def read_or_hang(file: Path, *segment: float | None) -> Iterator[audio.Samples]:
        if file.stem.startswith("stuck"):
            yield np.zeros(8_000, np.float32)
            release.wait(600)
        yield from read(file, *segment)

    monkeypatch.setattr(audio, "read_windows", read_or_hang)
    yield
    release.set()


@pytest.mark.usefixtures("hanging")
def test_a_file_that_hangs_costs_its_own_row(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.wav", tone(1.0))
    stuck = [tmp_path / f"stuck{n}.wav" for n in range(decoding.FILES_AHEAD + 2)]
    asked = utterances([stuck[0], whole, *stuck[1:], whole])
    heard = [window.utterance.id for window in decode(asked, time_limit=0.5)]
    assert heard.count("whole.wav") == 2
    failed = [each for each in asked if each.error]
    assert len(failed) == len(stuck)
    assert failed[0].error == "audio: nothing more could be read of it in 0.5 s: stuck0.wav"
    assert failed[0].windows_left == 1
    assert all(each.decoded for each in asked)


def windows_without_end(
    monkeypatch: pytest.MonkeyPatch, begun: list[str], enough: int
) -> threading.Event:
    """Has files of any name hold more windows than anyone asks for; set once there are enough."""
    there = threading.Event()

    def read(file: Path, *segment: float | None) -> Iterator[audio.Samples]:
        for _ in range(10 * enough):
            begun.append(file.name)
            if len(begun) >= enough:
                there.set()
            yield np.zeros(8_000, np.float32)

    monkeypatch.setattr(audio, "read_windows", read)
    return there


def test_no_more_is_decoded_ahead_than_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    files = [tmp_path / str(number) for number in range(2 * decoding.FILES_AHEAD)]
    # Of each file that is ahead, and of the first: what waits, and one that finds no room.
    most = (decoding.FILES_AHEAD + 1) * (decoding.WINDOWS_AHEAD + 1) + 1
    too_many = windows_without_end(monkeypatch, begun, most + 1)
    windows = decode(utterances(files), 60)
    next(windows)
    assert not too_many.wait(0.2)
    assert len(set(begun)) <= decoding.FILES_AHEAD + 1
    windows.close()


def test_a_file_that_is_given_up_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release, gone = threading.Event(), threading.Event()

    def read(file: Path, *segment: float | None) -> Iterator[audio.Samples]:
        release.wait(30)
        try:
            for _ in range(3 + decoding.WINDOWS_AHEAD):
                yield np.zeros(8_000, np.float32)
        finally:
            gone.set()

    monkeypatch.setattr(audio, "read_windows", read)
    (asked,) = utterances([tmp_path / "stuck"])
    assert list(decode([asked], time_limit=0.05)) == [] and asked.error
    release.set()
    assert gone.wait(10), "its thread waits for somebody to take what it has read"


def test_threads_end_when_nobody_asks_any_more(tmp_path: Path) -> None:
    files = [save(tmp_path / f"{n}.flac", tone(300.0)) for n in range(2)]
    before = {*threading.enumerate()}
    windows = decode(utterances(files), 60)
    next(windows)
    begun = {*threading.enumerate()} - before
    assert begun
    windows.close()
    for thread in begun:
        thread.join(timeout=600)
    assert not any(thread.is_alive() for thread in begun)
