"""The recogniser against `faster_whisper.WhisperModel.transcribe` on each clip alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soxr
from checkpoints import TEXT, save_whisper
from espeak import RATE, VOICES, speak
from faster_whisper import WhisperModel

from emobatch.errors import CheckpointError, DeviceError
from emobatch.models import checkpoints, devices
from emobatch.models import whisper as transcription
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.embedding import Embedding
from emobatch.models.whisper import Passage, Whisper


@cache
def clips() -> list[np.ndarray]:
    spoken = [
        soxr.resample(speak(text, voice) / np.float32(32768), RATE, 16_000)
        for text, voice in zip(TEXT, VOICES[::-1], strict=False)
    ]
    generator = np.random.default_rng(5)
    noise = (generator.standard_normal(480_000) * 0.1).astype(np.float32)
    return [*spoken, noise[:400], noise[:8_000], noise, np.tile(spoken[0], 7)[:480_000]]


def recogniser(folder: Path, language: str = "en", beam_size: int = 1) -> Whisper:
    return Whisper(
        Checkpoint(str(folder), folder, None, "--asr-model"),
        devices.choose("cpu"),
        language=language,
        beam_size=beam_size,
    )


def reference(
    model: WhisperModel, clip: np.ndarray, language: str | None, beam_size: int
) -> list[Passage]:
    segments, info = model.transcribe(
        clip,
        language=language,
        beam_size=beam_size,
        temperature=0.0,
        without_timestamps=True,
        condition_on_previous_text=False,
    )
    return [
        Passage(
            each.text, each.end - each.start, each.avg_logprob, each.no_speech_prob, info.language
        )
        for each in segments
    ]


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_whisper(tmp_path_factory.mktemp("whisper") / "multilingual", multilingual=True)


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize("language", ["en", "de", "auto"])
def test_a_batch_reads_as_each_clip_alone(
    multilingual: Path, language: str, beam_size: int
) -> None:
    batch = recogniser(multilingual, language, beam_size).transcribe(clips())
    asked = None if language == "auto" else language
    model = WhisperModel(str(multilingual), device="cpu")
    for clip, passages in zip(clips(), batch, strict=True):
        wanted = reference(model, clip, asked, beam_size)
        heard = [passage for passage in passages if passage.text.strip()]
        assert [p.text for p in heard] == [p.text for p in wanted]
        assert [p.language for p in heard] == [p.language for p in wanted]
        np.testing.assert_allclose(
            [(p.logprob, p.no_speech) for p in heard],
            [(p.logprob, p.no_speech) for p in wanted],
            atol=1e-4,
        )
    texts = {passage.text for passages in batch for passage in passages}
    assert len(texts) > 2, "the transcripts must differ for this to show anything"


def test_an_english_model_has_nothing_to_detect(models: dict[str, Path]) -> None:
    detecting = recogniser(models["asr"], "auto").transcribe(clips()[:2])
    assert detecting == recogniser(models["asr"], "en").transcribe(clips()[:2])


def test_silence_has_no_transcript_by_whispers_rule(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = recogniser(models["asr"]).transcribe(clips()[:1])[0][0]
    assert spoken.text and spoken.logprob < transcription.SILENCE_LOGPROB
    # The random checkpoint is never sure of silence; the rule is what is tested.
    monkeypatch.setattr(transcription, "NO_SPEECH_PROBABILITY", spoken.no_speech / 2)
    assert recogniser(models["asr"]).transcribe(clips()[:1])[0][0].text == ""
    monkeypatch.setattr(transcription, "SILENCE_LOGPROB", spoken.logprob - 1)
    assert recogniser(models["asr"]).transcribe(clips()[:1])[0][0].text == spoken.text


def test_a_language_that_the_model_lacks_is_refused(models: dict[str, Path]) -> None:
    with pytest.raises(CheckpointError, match=r"'xx'.*--language auto"):
        recogniser(models["asr"], "xx")


def test_a_whisper_in_the_format_of_transformers_is_refused(models: dict[str, Path]) -> None:
    source = models["asr"].with_name("asr-transformers")
    with pytest.raises(CheckpointError, match="ct2-transformers-converter"):
        checkpoints.find(str(source), "asr")


def test_a_missing_cublas_says_what_to_install(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ears = recogniser(models["asr"])

    class Broken:
        is_multilingual = True

        def encode(self, features: object) -> None:
            raise RuntimeError("Library libcublas.so.12 is not found or cannot be loaded")

    monkeypatch.setattr(ears._whisper, "model", Broken())
    with pytest.raises(DeviceError, match=r"libcublas\.so\.12.*nvidia-cublas-cu12.*--device cpu"):
        ears.transcribe(clips()[:1])


def test_a_context_that_fits_depends_on_the_clip_alone(models: dict[str, Path]) -> None:
    fit = Whisper(
        Checkpoint(str(models["asr"]), models["asr"], None, "--asr-model"),
        devices.choose("cpu"),
        fit_context=True,
    )
    assert [fit.padded_seconds(seconds) for seconds in (0.5, 5.0, 5.1, 29.0, 30.0)] == [
        5.0, 5.0, 10.0, 30.0, 30.0,
    ]  # fmt: skip
    batch = fit.transcribe(clips())
    for clip, passages in zip(clips(), batch, strict=True):
        (alone,) = fit.transcribe([clip])
        assert [p.text for p in alone] == [p.text for p in passages]
    full = recogniser(models["asr"]).transcribe(clips())
    # Thirty seconds of noise, and nearly as much of speech, have the full context either way.
    for one, other in zip(batch[-2:], full[-2:], strict=True):
        assert [p.text for p in one] == [p.text for p in other]
        assert [p.logprob for p in one] == pytest.approx([p.logprob for p in other], abs=1e-4)
    assert batch[0] != full[0]


def test_each_window_is_decoded_in_the_language_detected_in_it(
    multilingual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears = recogniser(multilingual, "auto")
    model = ears._whisper.model
    asked: list[list[int]] = []

    class Detecting:
        def __getattr__(self, name: str) -> object:
            return getattr(model, name)

        def detect_language(self, encoded: object) -> list[list[tuple[str, float]]]:
            return [[("<|de|>", 0.9), ("<|en|>", 0.1)], [("<|fr|>", 0.8)], [("<|de|>", 0.7)]]

        def generate(self, encoded: object, prompts: list[list[int]], **options: object) -> object:
            asked.extend(prompts)
            assert options["suppress_blank"] and options["beam_size"] == 1
            return model.generate(encoded, prompts, **options)

    monkeypatch.setattr(ears._whisper, "model", Detecting())
    passages = [each for (each,) in ears.transcribe(clips()[:3])]
    assert [passage.language for passage in passages] == ["de", "fr", "de"]
    token = ears._whisper.hf_tokenizer.token_to_id
    codes = [token(f"<|{code}|>") for code in ("de", "fr", "de")]
    assert [code in prompt for code, prompt in zip(codes, asked, strict=True)] == [True] * 3
    assert asked[0] == asked[2] != asked[1]


@pytest.mark.parametrize(
    ("no_speech", "logprob", "silent"),
    [(0.61, -1.01, True), (0.59, -1.01, False), (0.61, -0.99, False), (0.95, -2.5, True)],
)
def test_silence_is_what_whispers_authors_took_for_it(
    models: dict[str, Path], no_speech: float, logprob: float, silent: bool
) -> None:
    ears = recogniser(models["asr"])
    tokens = ears._whisper.hf_tokenizer.encode(" hello there", add_special_tokens=False).ids
    # CTranslate2's mean leaves out the end's token, which Whisper's own counts.
    score = logprob * (len(tokens) + 1) / len(tokens)
    result = SimpleNamespace(sequences_ids=[tokens], scores=[score], no_speech_prob=no_speech)
    window = np.zeros((80, 200), np.float32)
    passage = ears._passage(result, ears._tokenizer("en"), window, "en")
    assert (passage.text == "") == silent
    assert (passage.logprob, passage.no_speech) == (pytest.approx(logprob), no_speech)
    assert passage.seconds == pytest.approx(2.0)


@pytest.mark.parametrize("fit_context", [False, True])
def test_a_clip_of_several_windows_is_read_in_order(
    models: dict[str, Path], fit_context: bool
) -> None:
    folder = models["asr"]
    ears = Whisper(
        Checkpoint(str(folder), folder, None, "--asr-model"),
        devices.choose("cpu"),
        fit_context=fit_context,
    )
    long = np.concatenate([np.resize(clips()[-1], 480_000), clips()[1]])
    (passages,) = ears.transcribe([long])
    assert [round(passage.seconds) for passage in passages] == [30, round(len(long) / 16_000) - 30]
    assert ears.padded_seconds(30.0) == 30.0
    assert ears.padded_seconds(32.0) == (35.0 if fit_context else 60.0)


def test_a_gpu_that_fails_is_named_with_what_to_do(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ears = recogniser(models["asr"])

    class Broken:
        is_multilingual = True

        def __init__(self, says: str) -> None:
            self.says = says

        def encode(self, features: object) -> None:
            raise RuntimeError(self.says)

    monkeypatch.setattr(ears._whisper, "model", Broken("CUDA failed with error invalid argument"))
    with pytest.raises(DeviceError, match=r"CUDA failed.*; use --device cpu"):
        ears.transcribe(clips()[:1])
    # What is too large for its memory goes on in halves.
    monkeypatch.setattr(ears._whisper, "model", Broken("CUDA failed with error out of memory"))
    with pytest.raises(RuntimeError, match="out of memory"):
        ears.transcribe(clips()[:1])


def test_states_of_the_encoder_are_pooled_over_a_clips_own_frames(multilingual: Path) -> None:
    checkpoint = Checkpoint(str(multilingual), multilingual, None, "--asr-model")
    size = checkpoint.states()
    whisper = Whisper(checkpoint, devices.choose("cpu"), embedding=Embedding(None, True, size))
    model = WhisperModel(str(multilingual), device="cpu", compute_type="default")
    chosen = clips()[:4]
    for clip, (passage,) in zip(chosen, whisper.transcribe(chosen), strict=True):
        frames = model.feature_extractor(clip)[:, :-1]
        padded = np.pad(frames, ((0, 0), (0, 3_000 - frames.shape[1])))
        states = np.array(model.encode(padded))[0, : -(-frames.shape[1] // 2)]
        wanted = np.hstack([states.mean(axis=0), states.std(axis=0)])
        assert passage.states is not None and passage.states.shape == (2 * size,)
        np.testing.assert_allclose(passage.states, wanted, atol=1e-5)
