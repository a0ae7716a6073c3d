"""The recogniser against one clip at a time: `python tests/benchmarks/recogniser.py`.

whisper-small's architecture with random weights transcribes clips that last as long as clips of
IEMOCAP, 24 new tokens at most. Rivals: R1, transformers in single precision, one
clip at a time (`generate` itself, without the pipeline's own cost); R3, faster-whisper in int8, one
clip at a time.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
import torch
from architectures import MOST_NEW_TOKENS, PROMPT_TOKENS, save_whisper_small
from clips import compare, spoken_clips
from faster_whisper import WhisperModel
from rich.console import Console
from rich.table import Table
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

from emobatch.models import devices, whisper
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.whisper import Whisper
from emobatch.scoring import batches


def transformers_alone(folder: Path, clips: list[np.ndarray]) -> list[str]:
    model = WhisperForConditionalGeneration.from_pretrained(folder).eval()
    extractor = WhisperFeatureExtractor.from_pretrained(folder)
    start = model.config.decoder_start_token_id
    prompt = torch.tensor([[start, start + 9]])
    with torch.inference_mode():
        for clip in clips:
            features = extractor(clip, sampling_rate=16_000, return_tensors="pt").input_features
            model.generate(
                features,
                decoder_input_ids=prompt,
                max_length=None,
                max_new_tokens=MOST_NEW_TOKENS,
                num_beams=1,
            )
    return []


def faster_whisper_alone(model: WhisperModel, clips: list[np.ndarray]) -> list[str]:
    found = []
    for clip in clips:
        segments, _ = model.transcribe(
            clip, language="en", beam_size=1, temperature=0.0, without_timestamps=True,
            condition_on_previous_text=False, max_new_tokens=MOST_NEW_TOKENS,
        )  # fmt: skip
        found.append("".join(segment.text for segment in segments))
    return found


def ours(model: Whisper, device: devices.Device, clips: list[np.ndarray]) -> list[str]:
    passages = batches.run(
        model.transcribe, clips, lambda clip: model.padded_seconds(len(clip) / 16_000),
        device.batch_seconds, ThreadPoolExecutor(device.workers),
    )  # fmt: skip
    return ["".join(each.text for each in clip) for clip in passages]


@click.command()
@click.option("--clips", default=60, show_default=True)
@click.option("--runs", default=3, show_default=True, help="Of which the medians are shown.")
def main(clips: int, runs: int) -> None:
    """Print clips per second, and how many transcripts equal those of R3."""
    # Random weights have no reason to stop: all systems are held to as many tokens.
    whisper.MOST_TOKENS = PROMPT_TOKENS + MOST_NEW_TOKENS
    sounds = [clip[: 30 * 16_000] for clip in spoken_clips(clips)]
    device = devices.choose("cpu", "int8")
    with tempfile.TemporaryDirectory() as name:
        folder = save_whisper_small(Path(name) / "small")
        checkpoint = Checkpoint("small", folder, None, "--asr-model")
        rival = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)
        full, fit = (Whisper(checkpoint, device, fit_context=short) for short in (False, True))
        systems = {
            "R1: transformers, fp32": lambda: transformers_alone(
                folder.with_name("small-transformers"), sounds
            ),
            "R3: faster-whisper, int8": lambda: faster_whisper_alone(rival, sounds),
            "emobatch, int8": lambda: ours(full, device, sounds),
            "emobatch, int8, --asr-context fit": lambda: ours(fit, device, sounds),
        }
        seconds, texts = compare(systems, runs)
    wanted = texts["R3: faster-whisper, int8"]
    table = Table("system", "clips per second", "against R1", "against R3", "transcripts as R3")
    table.title = f"{clips} clips, {sum(map(len, sounds)) / 16_000:.0f} s of speech"
    for name, median in seconds.items():
        equal = sum(a == b for a, b in zip(texts[name], wanted, strict=False))
        table.add_row(
            name,
            f"{clips / median:.2f}",
            f"{seconds['R1: transformers, fp32'] / median:.2f} x",
            f"{seconds['R3: faster-whisper, int8'] / median:.2f} x",
            f"{equal} of {clips}" if texts[name] else "-",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
