"""The whole of `score` against transformers one file at a time: `python tests/benchmarks/score.py`.

wav2vec2-base, whisper-small (24 new tokens at most) and XLM-RoBERTa-base, all with random weights,
score files that last as long as clips of IEMOCAP. The rival, R1: transformers, one file at a time
through all three models in single precision on all cores, Whisper by `generate` itself without the
pipeline's own cost. Ours: the path from the manifest to the rows of the table, Whisper in int8;
models are loaded beforehand, as the rival's are. The floor: the very inputs that the models
were given, once more through their forward passes and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import polars as pl
import soundfile
import torch
from architectures import (
    MOST_NEW_TOKENS,
    PROMPT_TOKENS,
    save_wav2vec2_base,
    save_whisper_small,
    save_xlm_roberta_base,
)
from clips import compare, spoken_clips
from rich.console import Console
from rich.table import Table
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, pipeline

from emobatch.fusion.gate import read_gate
from emobatch.manifests import manifest
from emobatch.manifests.decoders import Decoders
from emobatch.models import devices, whisper
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring.gate import Gate
from emobatch.scoring.progress import Silent
from emobatch.scoring.recipe import Recipe, RowScorer
from emobatch.scoring.runners.threads import scored
from emobatch.scoring.work import Work
from emobatch.tasks.four import FOUR

RIVAL = "R1: transformers, one at a time"
FLOOR = "the forward passes of it alone"


def transformers_alone(folders: dict[str, Path], files: list[Path]) -> Callable[[], None]:
    hear = pipeline("audio-classification", str(folders["speech"]), top_k=None, device="cpu")
    feel = pipeline("text-classification", str(folders["text"]), top_k=None, device="cpu")
    source = folders["asr"].with_name("asr-transformers")
    whisper = WhisperForConditionalGeneration.from_pretrained(source).eval()
    extractor = WhisperFeatureExtractor.from_pretrained(source)
    start = whisper.config.decoder_start_token_id
    prompt = torch.tensor([[start, start + 9]])
    options = {"max_length": None, "max_new_tokens": MOST_NEW_TOKENS, "num_beams": 1}

    def run() -> None:
        with torch.inference_mode():
            for file in files:
                samples, rate = soundfile.read(file, dtype="float32")
                hear({"raw": samples, "sampling_rate": rate})
                features = extractor(samples, sampling_rate=rate, return_tensors="pt")
                whisper.generate(features.input_features, decoder_input_ids=prompt, **options)
                feel("what was said has as many words as twenty-four tokens of a transcript hold")

    return run


def loaded(
    folders: dict[str, Path], source: Path, gate: Gate | None = None
) -> tuple[Work, RowScorer]:
    """Work on a manifest, and its models."""
    choice = Choice(
        **{f"{branch}_model": str(path) for branch, path in folders.items()},
        device="cpu", precision="int8",
    )  # fmt: skip
    plan = Plan.of(choice, choice.find_checkpoints())
    device = devices.choose("cpu", "int8")
    rows = manifest.read(str(source))
    recipe = Recipe(plan, device, gate, rows.root)
    decoders = Decoders(devices.available_cores())
    return Work(rows, recipe, Silent(), decoders), recipe.open(decoders)


def ours(work: Work, scorer: RowScorer) -> Callable[[], pl.DataFrame]:
    def run() -> pl.DataFrame:
        torch.set_num_threads(1)
        return pl.concat(chunk.frame for chunk in scored(work, scorer, work.firsts))

    return run


def record(scorer: RowScorer) -> list[Callable[[], Any]]:
    """Note each forward pass from now on, so that it can be done again."""
    passes: list[Callable[[], Any]] = []
    models = {stage: model.score.__self__ for stage, model in scorer.loaded.models.items()}
    encoder, hearing = models["speech"]._encoder, models["speech"]._classifier
    judging, recogniser = models["sentiment"]._classifier, models["transcription"]
    hear, feel = hearing.logits, judging.logits
    whisper = recogniser._whisper.model

    def heard(inputs: Any) -> Any:
        lengths = list(encoder.batch.lengths)

        def again() -> None:
            encoder.batch.lengths = lengths
            hear(inputs)

        passes.append(torch.inference_mode()(again))
        return hear(inputs)

    def felt(inputs: Any) -> Any:
        passes.append(torch.inference_mode()(lambda: feel(inputs)))
        return feel(inputs)

    def read(encoded: Any, prompts: Any, **options: Any) -> Any:
        features = encoded.features
        passes.append(lambda: whisper.generate(whisper.encode(features), prompts, **options))
        return whisper.generate(encoded.content, prompts, **options)

    hearing.logits, judging.logits = heard, felt
    recogniser._whisper.model = SimpleNamespace(
        encode=lambda given: SimpleNamespace(features=given, content=whisper.encode(given)),
        generate=read,
        is_multilingual=whisper.is_multilingual,
    )  # fmt: skip
    return passes


def replay(passes: Iterable[Callable[[], Any]], workers: int) -> Callable[[], None]:
    def run() -> None:
        torch.set_num_threads(1)
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(each) for each in passes]:
                done.result()

    return run


def write_gate(table: pl.DataFrame, share: float, target: Path) -> None:
    """Thresholds that flag this share of each predicted class."""
    lines = ["format = 1"]
    for name in FOUR.classes:
        entropy = table.filter(speech_emotion=name)["entropy"].quantile(1 - share, "higher")
        if entropy is not None:
            lines += [f"[thresholds.{name}]", f"entropy = {entropy!r}", "varentropy = 1000.0"]
    target.write_text("\n".join(lines))


def final_emotions(table: pl.DataFrame, gate: Path) -> pl.Series:
    scores, final = gate.with_name("scores.parquet"), gate.with_name("final.parquet")
    table.write_parquet(scores)
    command = ["apply", scores, "-t", gate, "-o", final]
    subprocess.run([sys.executable, "-m", "emobatch", *map(str, command)], check=True)
    return pl.read_parquet(final)["emotion"]


@click.command()
@click.option("--clips", default=60, show_default=True)
@click.option("--runs", default=3, show_default=True, help="Of which the medians are shown.")
def main(clips: int, runs: int) -> None:
    """Print clips per second, ungated and gated, beside the rival and the floor."""
    # Random weights have no reason to stop: all systems are held to as many tokens.
    whisper.MOST_TOKENS = PROMPT_TOKENS + MOST_NEW_TOKENS
    cores = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"{number}.wav" for number in range(clips)]
        for file, samples in zip(files, spoken_clips(clips), strict=True):
            soundfile.write(file, samples, 16_000)
        pl.DataFrame({"path": [file.name for file in files]}).write_csv(folder / "manifest.csv")
        folders = {
            "speech": save_wav2vec2_base(folder / "speech"),
            "asr": save_whisper_small(folder / "asr"),
            "text": save_xlm_roberta_base(folder / "text"),
        }
        source, gate = folder / "manifest.csv", folder / "gate.toml"
        work, scorer = loaded(folders, source)
        passes = record(scorer)
        full = ours(work, scorer)()
        again = list(passes)
        write_gate(full, 0.1, gate)
        systems = {
            RIVAL: transformers_alone(folders, files),
            "emobatch": ours(*loaded(folders, source)),
            "emobatch --gate": ours(*loaded(folders, source, read_gate(gate))),
            FLOOR: replay(again, work.recipe.device.workers),
        }
        torch.set_num_threads(cores)
        seconds, tables = compare(systems, runs)
        gated = tables["emobatch --gate"]
        transcribed = len(gated.filter(pl.col("transcript_source") != "gated"))
        final = [final_emotions(table, gate) for table in (tables["emobatch"], gated)]
    table = Table("system", "seconds", "clips per second", "against R1", "against ungated")
    seconds_of_speech = f"{full['duration'].sum():.0f} s of speech"
    table.title = f"{clips} clips, {seconds_of_speech}, {transcribed} of them transcribed"
    for name, median in seconds.items():
        table.add_row(
            name,
            f"{median:.1f}",
            f"{clips / median:.2f}",
            f"{seconds[RIVAL] / median:.2f} x",
            f"{seconds['emobatch'] / median:.2f} x",
        )
    console = Console(width=110)
    console.print(table)
    console.print(f"overhead over the forward passes: {seconds['emobatch'] / seconds[FLOOR]:.3f}")
    console.print(
        f"final emotions that the gate changes: {(final[0] != final[1]).sum()} of {clips}"
    )


if __name__ == "__main__":
    main()
