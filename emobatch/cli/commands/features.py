"""`emobatch features`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.arguments import OneManifest, reading_of
from emobatch.cli.options.limits import decode_timeout_option, max_error_rate_option
from emobatch.cli.options.results import output_option, restart_option
from emobatch.cli.options.sources import (
    cutting_options,
    path_column_option,
    root_option,
    source_options,
)
from emobatch.cli.parts import Part
from emobatch.features.registry import FEATURE_SETS


@click.command(cls=OneManifest)
@click.argument("manifest")
@output_option
@click.option(
    "--set",
    "sets",
    type=Part(FEATURE_SETS, several=True),
    required=True,
    help="Features to compute. egemaps and gemaps are openSMILE's, whose licence allows research "
    "and personal use alone; mfcc and handcrafted are librosa's.",
)
@root_option
@source_options
@cutting_options
@path_column_option
@decode_timeout_option
@click.option(
    "--max-seconds",
    type=float,
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Let a row fail if it has more audio than this: a clip is held in memory.",
)
@restart_option
@max_error_rate_option
def features(manifest: str, output: Path | None, sets: tuple[str, ...], **options: Any) -> None:
    """Add columns of acoustic features to MANIFEST, computed of the audio of each row.

    MANIFEST is what `score` takes. Writes its rows in order, with the columns SET_FEATURE; a row
    whose audio can't be read has none, and features_error says why. The table is a manifest again:
    `score --embeddings` carries the columns on, and `calibrate --method early --features SET` takes
    them. With -o, work is saved as it goes, and an interrupted run goes on where it was when the
    same command is given again.
    """
    from emobatch.cli.progress import Bar
    from emobatch.features.extract import Limits, extract

    limits = Limits(options["max_seconds"], options["decode_timeout"], options["max_error_rate"])
    with Bar("starting", "computing") as progress:
        extract(
            manifest,
            output,
            sets,
            how=reading_of(options),
            limits=limits,
            restart=options["restart"],
            progress=progress,
        )
