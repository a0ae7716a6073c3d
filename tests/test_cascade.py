"""The way of clips through the models, which here are functions that say what they were given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile
from toys import ToyGate

from emobatch.manifests import audio
from emobatch.manifests.clip import Clip
from emobatch.models.choice import Choice
from emobatch.models.whisper import Passage
from emobatch.scorers.loaded import Loaded
from emobatch.scorers.plan import Plan
from emobatch.scorers.scorer import Model
from emobatch.scoring.cascade import Cascade
from emobatch.scoring.progress import Tally
from emobatch.scoring.rows import to_frame
from emobatch.scoring.utterances import Utterance

DEMO = Choice(models="demo", device="cpu")
RATE = 16_000
# What the recogniser hears at a level; at any other it hears the level.
SAID = {0.3: (" l'été", "fr"), 0.4: ("", "en"), 0.8: (" it's", "en")}


def level_of(samples: np.ndarray) -> float:
    return round(float(np.abs(samples).max()), 1)


@dataclass
class Bench:
    """Models that note what they are asked, as levels of windows or as texts, batch by batch."""

    folder: Path
    asked: dict[str, list[list[Any]]] = field(default_factory=dict)
    fails: dict[str, Callable[[Any], bool]] = field(default_factory=dict)
    progress: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def model(self, stage: str, answer: Callable[[Any], Any], padded: Any = float) -> Model:
        def score(batch: list[Any]) -> list[Any]:
            given = [each if isinstance(each, str) else level_of(each) for each in batch]
            self.asked.setdefault(stage, []).append(given)
            if any(self.fails.get(stage, lambda _: False)(each) for each in given):
                raise ValueError(f"can't\n  say {given[0]}")
            return [answer(each) for each in batch]

        return Model(score, padded)

    def loaded(self, **changes: Any) -> Loaded:
        models = {
            "speech": self.model("speech", speech_of),
            "transcription": self.model("transcription", passages_of, lambda seconds: 30.0),
            "sentiment": self.model("sentiment", lambda text: np.array([0.2, 0.3, 0.5])),
        }
        plan = Plan.of(DEMO, DEMO.find_checkpoints())
        loaded = Loaded(plan, models, ("contractions", "punctuation"), 600.0, 60.0, 1e6)
        return replace(loaded, **changes)

    def clip(self, *windows: tuple[float, float], transcript: str | None = None) -> Utterance:
        """A clip of so many seconds at a level, and so on."""
        levels = [np.full(round(seconds * RATE), level) for seconds, level in windows]
        file = self.folder / f"{len(list(self.folder.iterdir()))}.wav"
        soundfile.write(file, np.concatenate(levels), RATE, "FLOAT")
        return Utterance(Clip(file.name, file, None, None, transcript), file.stem)

    def score(
        self, *utterances: Utterance, gate: ToyGate | None = None, **changes: Any
    ) -> pl.DataFrame:
        loaded = self.loaded(**changes)
        tally = Tally(self)
        with ThreadPoolExecutor(1) as pool:
            Cascade(loaded, gate, pool).score([*utterances], tally)
        tally.finished(utterances)
        return to_frame(utterances, loaded.plan)

    def start(self, rows: int, done: int = 0) -> None: ...

    def begin(self) -> None: ...

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        self.progress.append(rows)
        self.seconds += seconds


def speech_of(samples: np.ndarray) -> np.ndarray:
    level = level_of(samples)
    return np.array([level, 1 - level, 0.0, 0.0])


def passages_of(samples: np.ndarray) -> list[Passage]:
    level = level_of(samples)
    text, language = SAID.get(level, (f" {level}", "en"))
    logprob = -np.inf if level == 0.9 else -level
    return [Passage(text, len(samples) / RATE, logprob, level / 2, language)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Says how many seconds of audio are held to be sorted."""
    name = "emobatch.scoring.cascade.LOOK_AHEAD_SECONDS"
    return lambda seconds: monkeypatch.setattr(name, seconds)


@pytest.mark.parametrize("look_ahead", [600.0, 20.0])
def test_windows_of_a_clip_count_by_their_duration(
    bench: Bench, held: Callable[[float], None], look_ahead: float
) -> None:
    held(look_ahead)
    long, short = bench.clip((30, 0.2), (10, 0.6)), bench.clip((1, 0.7))
    rows = bench.score(long, short)
    assert rows["duration"].to_list() == [40, 1]
    np.testing.assert_allclose(rows["speech_angry"], [0.3, 0.7])
    np.testing.assert_allclose(rows["asr_logprob"], [-0.3, -0.7], rtol=1e-6)
    np.testing.assert_allclose(rows["asr_no_speech"], [0.15, 0.35], rtol=1e-6)
    assert rows["transcript"].to_list() == ["0.2 0.6", "0.7"]
    assert rows["speech_emotion"].to_list() == ["happy", "angry"]
    assert min(bench.progress) >= 0 and sum(bench.progress) == 2
    assert bench.seconds == 41


@pytest.mark.parametrize("look_ahead", [600.0, 20.0])
def test_a_rest_too_short_for_a_model_is_left_out_of_what_it_says_alone(
    bench: Bench, held: Callable[[float], None], look_ahead: float
) -> None:
    held(look_ahead)
    models = bench.loaded().models
    models = {**models, "speech": replace(models["speech"], fewest=950)}
    clips = [bench.clip((30, 0.2), (count / RATE, 0.6)) for count in (949, 950)]
    clips += [bench.clip((count / RATE, 0.7)) for count in (949, 950)]
    rows = bench.score(*clips, models=models)
    assert rows["status"].to_list() == ["ok", "ok", "error", "ok"]
    mean = (30 * 0.2 + 950 / RATE * 0.6) / (30 + 950 / RATE)
    np.testing.assert_allclose(rows["speech_angry"][0, 1, 3], [0.2, mean, 0.7])
    assert rows["transcript"].to_list() == ["0.2 0.6", "0.2 0.6", None, "0.7"]
    assert rows["duration"][0] == 30 + 949 / RATE
    cause = "too short: 949 samples at 16 kHz, the speech model needs 950"
    assert rows["error"][2] == f"audio: {cause}: {clips[2].clip.path}"
    assert rows["duration"][2] is None


def test_a_mean_is_of_passages_that_have_the_figure(bench: Bench) -> None:
    """The mean log-probability of no tokens is no number."""
    rows = bench.score(bench.clip((30, 0.9), (10, 0.6)), bench.clip((1, 0.9)))
    assert rows["asr_logprob"].to_list() == [-0.6, None]


def test_a_clips_language_is_that_of_most_of_what_is_said(bench: Bench) -> None:
    rows = bench.score(bench.clip((30, 0.3), (10, 0.8)), bench.clip((30, 0.8), (10, 0.3)))
    assert rows["language"].to_list() == ["fr", "en"]
    assert rows["transcript"].to_list() == ["l'été it's", "it's l'été"]
    assert rows["cleaned_text"][0] == "l été it s", "in French nothing is left out"
    assert rows["cleaned_text"][1] == "it is lété"


def test_where_nothing_is_said_there_is_no_text(bench: Bench) -> None:
    silent, wordless = bench.clip((2, 0.0)), bench.clip((2, 0.4))
    given, spaces = bench.clip((2, 0.5), transcript="..."), bench.clip((2, -0.7))
    rows = bench.score(silent, wordless, given, spaces)
    assert bench.asked["transcription"] == [[0.4, 0.7]], "neither silence nor what is given"
    assert rows["transcript_source"].to_list() == ["none", "none", "manifest", "asr"]
    assert rows["transcript"].to_list() == [None, None, "...", "0.7"]
    assert rows["asr_logprob"].to_list() == [None, -0.4, None, -0.7]
    assert rows["cleaned_text"].to_list() == [None, None, "", "0 7"]
    assert bench.asked["sentiment"] == [["0 7"]]


def test_a_gate_is_asked_once_of_each_clip_when_all_of_it_is_heard(
    bench: Bench, held: Callable[[float], None]
) -> None:
    held(35.0)
    gate = ToyGate(lambda rows: rows["duration"] > 5)
    rows = bench.score(
        bench.clip((10, 0.5)), bench.clip((30, 0.2), (4, 0.7)), bench.clip((2, 0.6)), gate=gate
    )
    asked = pl.concat(gate.seen)
    assert asked["id"].to_list() == ["0", "1", "2"]
    assert asked["duration"].to_list() == [10, 34, 2]
    assert asked["speech_angry"][1] == pytest.approx((30 * 0.2 + 4 * 0.7) / 34)
    assert rows["transcript"].to_list() == ["0.5", "0.2 0.7", None]
    assert rows["transcript_source"].to_list() == ["asr", "asr", "gated"]
    assert len(gate.seen) == 2, "as soon as possible"
    assert min(bench.progress) >= 0 and sum(bench.progress) == 3
    assert bench.seconds == 46


def test_a_clip_longer_than_what_is_held_is_not_waited_for(
    bench: Bench, held: Callable[[float], None]
) -> None:
    held(25.0)
    gate = ToyGate(lambda rows: rows["duration"] < 0)
    rows = bench.score(bench.clip((30, 0.2), (4, 0.7)), bench.clip((2, 0.6)), gate=gate)
    assert rows["transcript"].to_list() == ["0.2 0.7", None]
    assert rows["transcript_source"].to_list() == ["asr", "gated"]


def test_a_failed_clip_is_not_asked_about_again(
    bench: Bench, held: Callable[[float], None]
) -> None:
    held(20.0)
    bench.fails["speech"] = lambda level: level == 0.2
    rows = bench.score(bench.clip((30, 0.2), (10, 0.6)), bench.clip((1, 0.7)))
    assert sorted(level for batch in bench.asked["speech"] for level in batch) == [0.2, 0.7]
    assert bench.asked["transcription"] == [[0.7]]
    assert rows["error"].to_list() == ["speech: can't say 0.2", None]
    kept = {"id", "status", "error"}
    assert {name for name in rows.columns if rows[name][0] is not None} == kept


def test_what_is_heard_of_a_clip_after_it_failed_is_not_transcribed(
    bench: Bench, held: Callable[[float], None]
) -> None:
    held(20.0)
    bench.fails["speech"] = lambda level: level == 0.6
    rows = bench.score(bench.clip((30, 0.2), (10, 0.6)), bench.clip((1, 0.7)))
    assert bench.asked["transcription"] == [[0.2], [0.7]]
    assert rows["transcript"].to_list() == [None, "0.7"]


def test_a_clip_that_hangs_costs_its_own_row(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, whole = bench.clip((1, 0.5)), bench.clip((1, 0.7))
    read, release = audio.read_windows, threading.Event()

    def read_or_hang(file: Path, *segment: Any) -> Iterator[np.ndarray]:
        if file == stuck.clip.file:
            release.wait(600)
        return read(file, *segment)

    monkeypatch.setattr(audio, "read_windows", read_or_hang)
    rows = bench.score(stuck, whole, decode_timeout=0.5)
    release.set()
    assert rows["error"][0] == "audio: nothing more could be read of it in 0.5 s: 0.wav"


def test_a_clip_that_breaks_in_its_middle_has_no_scores(
    bench: Bench, held: Callable[[float], None]
) -> None:
    held(20.0)
    broken = bench.clip((30, 0.2), (10, float("nan")))
    whole = bench.clip((1, 0.7))
    rows = bench.score(broken, whole)
    assert rows["error"].to_list() == ["audio: NaN or infinite samples: 0.wav", None]
    kept = {"id", "status", "error"}
    assert {name for name in rows.columns if rows[name][0] is not None} == kept
    assert rows["transcript"][1] == "0.7"
    assert min(bench.progress) >= 0 and sum(bench.progress) == 2


def test_a_failed_recogniser_costs_the_text_and_not_the_speech(bench: Bench) -> None:
    bench.fails["transcription"] = lambda level: level == 0.6
    rows = bench.score(bench.clip((30, 0.2), (10, 0.6)), bench.clip((1, 0.7)))
    assert rows["error"].to_list() == ["transcription: can't say 0.6", None]
    assert rows["speech_angry"][0] == pytest.approx(0.3)
    assert rows["transcript"].to_list() == [None, "0.7"]
    assert rows["cleaned_text"].to_list() == [None, "0 7"]
    assert bench.asked["sentiment"] == [["0 7"]]


def test_a_failure_without_words_has_its_kind(bench: Bench) -> None:
    def fail(batch: list[str]) -> list[np.ndarray]:
        raise KeyError

    models = {**bench.loaded().models, "sentiment": Model(fail)}
    rows = bench.score(bench.clip((1, 0.7)), models=models)
    assert rows["error"].to_list() == ["sentiment: KeyError"]


def test_a_batch_is_bounded_once_padded(bench: Bench) -> None:
    clips = [bench.clip((second, 0.5)) for second in (1, 2, 3)]
    bench.score(*clips, batch_seconds=60.0)
    assert [len(batch) for batch in bench.asked["speech"]] == [3]
    assert [len(batch) for batch in bench.asked["transcription"]] == [2, 1]
    bench.asked.clear()
    again = [bench.clip((second, 0.5)) for second in (1, 2, 3)]
    bench.score(*again, batch_seconds=6.0)
    assert [len(batch) for batch in bench.asked["speech"]] == [2, 1]


def test_texts_are_batched_by_words_and_those_without_spaces_by_letters(bench: Bench) -> None:
    texts = ["a b " * 600, "猫犬" * 6_000, "c " * 1_200, "短い"]
    clips = [bench.clip((1, 0.5), transcript=text) for text in texts]
    rows = bench.score(*clips, clean_steps=())
    assert rows["sentiment"].to_list() == ["positive"] * 4
    assert [len(batch) for batch in bench.asked["sentiment"]] == [1] * 4


def test_what_the_user_asked_for_is_what_is_loaded(tmp_path: Path) -> None:
    import torch

    from emobatch.models import devices
    from emobatch.scorers.loaded import load

    choice = Choice(models="demo", device="cpu", batch_seconds=7.0, decode_timeout=8.0,
                    max_seconds=9.0, clean="numbers", asr_context="fit")  # fmt: skip
    torch.set_num_threads(2)
    loaded = load(Plan.of(choice, choice.find_checkpoints()), devices.choose("cpu"))
    assert torch.get_num_threads() == 1, "sums taken in one order on any number of cores"
    assert (loaded.batch_seconds, loaded.decode_timeout, loaded.max_seconds) == (7.0, 8.0, 9.0)
    assert loaded.clean_steps == ("numbers",)
    # 5 s of context for half a second, and not Whisper's 30 s.
    assert loaded.models["transcription"].padded(0.5) == 5.0


@pytest.mark.parametrize(
    ("samples", "heard"),
    [
        (np.full(9, 0.0004), False),
        (np.full(9, 0.0006), True),
        (np.full(9, -0.0006), True),
        (np.eye(1, 9_000)[0] * 0.01, True),  # one click
    ],
)
def test_silence_is_what_never_leaves_the_last_bits(samples: np.ndarray, heard: bool) -> None:
    recogniser = Plan.of(DEMO, DEMO.find_checkpoints()).recogniser
    assert recogniser is not None
    assert recogniser.hears(samples.astype(np.float32)) == heard


def test_a_row_says_what_went_wrong_first(bench: Bench, held: Callable[[float], None]) -> None:
    held(20.0)
    bench.fails["speech"] = lambda level: level == 0.2
    rows = bench.score(bench.clip((30, 0.2), (10, float("nan"))))
    assert rows["error"].to_list() == ["speech: can't say 0.2"]
