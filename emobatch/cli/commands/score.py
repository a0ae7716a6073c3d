"""`emobatch score`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emobatch.cli.arguments import OneManifest, cutting_of
from emobatch.cli.beside_options import attribute_range_option, embedding_options
from emobatch.cli.options import (
    branch_options,
    column_options,
    confine_option,
    cutting_options,
    device_options,
    language_option,
    model_options,
    offline_option,
    restart_option,
    source_options,
    task_options,
    transcript_language_option,
    worker_options,
)
from emobatch.cli.remote import access_of, place_option, remote_options, table_option
from emobatch.models.names import (
    ASR_CONTEXTS,
    CLEANING_STEPS,
    DEMO,
    FULL_CONTEXT,
    MOST_ERRORS,
    MOST_SECONDS,
)
from emobatch.scoring.runners.registry import DEFAULT, RUNNERS

if TYPE_CHECKING:
    from emobatch.scoring.gate import Gate
    from emobatch.storage.address import Place

TOYS = "note: the demo's models are toys, trained on synthetic speech; their scores mean nothing"


@click.command(cls=OneManifest)
@click.argument("manifest")
@table_option
@place_option
@source_options
@remote_options
@cutting_options
@column_options
@task_options
@model_options
@attribute_range_option
@embedding_options
@device_options
@language_option
@transcript_language_option
@branch_options
@click.option(
    "--beam-size",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Beams of the recogniser; 1 is greedy.",
)
@click.option(
    "--asr-context",
    type=click.Choice(ASR_CONTEXTS),
    default=FULL_CONTEXT,
    show_default=True,
    help="Audio that Whisper's encoder is given: the 30 s it was trained on, or as much as the "
    "clip needs, rounded up to 5 s: faster, and can change transcripts.",
)
@click.option(
    "--clean",
    default=",".join(CLEANING_STEPS),
    show_default=True,
    metavar="STEPS",
    help="Steps that transcripts go through, in this order; none for no step.",
)
@click.option(
    "--prosody",
    is_flag=True,
    help="Measure pitch, loudness, speaking rate and pauses of each clip.",
)
@click.option(
    "--batch-seconds",
    type=float,
    metavar="SECONDS",
    help="Padded audio to a batch.  [default: by the device]",
)
@click.option(
    "--gate",
    type=click.Path(path_type=Path),
    metavar="THRESHOLDS",
    help="Transcribe only rows that these thresholds flag and whose emotion the text branch "
    "could change; faster.",
)
@click.option(
    "--engine",
    type=click.Choice([*RUNNERS]),
    default=DEFAULT,
    show_default=True,
    help="Where clips are scored: local is this machine, ray a Ray cluster.",
)
@worker_options
@click.option(
    "--shard",
    metavar="I/N",
    help="Score only the Ith of N parts of the manifest, I from 0; `merge` joins their tables.",
)
@click.option(
    "--decode-timeout",
    type=float,
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Let a row fail if nothing more can be read of its file for so long.",
)
@click.option(
    "--max-seconds",
    type=float,
    default=MOST_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Let a row fail if more audio than this (12 hours) has to be decoded of its file.",
)
@confine_option
@offline_option
@restart_option
@click.option(
    "--retry-errors", is_flag=True, help="Score rows again that failed in an earlier run."
)
@click.option(
    "--max-error-rate",
    type=click.FloatRange(0, 1),
    default=MOST_ERRORS,
    show_default=True,
    metavar="SHARE",
    help="End with status 3 if more than this share of rows failed; the table is written.",
)
def score(
    manifest: str,
    output: Place | None,
    root: Place | None,
    form: str | None,
    pattern: str | None,
    segments: Path | None,
    cut_by: str | None,
    path_column: str | None,
    transcript_column: str | None,
    speaker_column: str | None,
    label_column: str | None,
    gate: Path | None,
    engine: str,
    workers: int | None,
    cpus_per_worker: float | None,
    gpus_per_worker: float | None,
    address: str | None,
    confine: bool,
    shard: str | None,
    restart: bool,
    retry_errors: bool,
    max_error_rate: float,
    **choice: Any,
) -> None:
    """Score every clip of MANIFEST with the speech and the text branch.

    MANIFEST is CSV, TSV, Parquet or JSON Lines with a column `path` and any of id, start, end,
    label, transcript, language; `-` is CSV on standard input. It may also be a folder of audio, a
    file, a tar archive, a pattern in quotes, the address of any of these (https, s3, gs, hf), or
    what `emobatch manifest` reads. Writes a score table with one row
    for each of its rows, in order. With -o, work is saved as it goes, and an interrupted run goes
    on where it was when the same command is given again.
    """
    if DEMO in (choice[name] for name in ("models", "speech_model", "asr_model", "text_model")):
        import logging  # help has no need of it

        logging.getLogger(__name__).info(TOYS)
    from emobatch.cli.progress import Bar
    from emobatch.manifests.columns import ManifestColumns
    from emobatch.manifests.shards import Shard
    from emobatch.models.choice import Choice
    from emobatch.scoring.elsewhere import here
    from emobatch.scoring.runners.runner import Workers
    from emobatch.scoring.score import score as run

    access = access_of(choice)
    chosen = Choice(**choice)
    with here(output) as target, Bar() as progress:
        run(
            manifest,
            target,
            chosen,
            root=root,
            form=form,
            pattern=pattern,
            columns=ManifestColumns(path_column, transcript_column, speaker_column, label_column),
            cutting=cutting_of(segments, cut_by),
            confine=confine,
            access=access,
            shard=None if shard is None else Shard.parse(shard),
            gate=None if gate is None else read_gate(gate),
            engine=engine,
            workers=Workers(workers, cpus_per_worker, gpus_per_worker, address),
            restart=restart,
            retry_errors=retry_errors,
            max_error_rate=max_error_rate,
            progress=progress,
        )


def read_gate(path: Path) -> Gate:
    """Read the value of ``--gate``.

    Args:
        path: thresholds.

    Returns:
        The gate.
    """
    from emobatch.fusion import gate

    return gate.read_gate(path)
