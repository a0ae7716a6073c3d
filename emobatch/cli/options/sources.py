"""Options of manifests, and of what else is read as one."""

from __future__ import annotations

from pathlib import Path

import click

from emobatch.cli.options.together import together
from emobatch.manifests.readers.registry import READERS

root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder that paths are relative to. Default: the manifest's own.",
)
form_option = click.option(
    "--format",
    "form",
    type=click.Choice([*READERS]),
    help="What it is read as, whatever it looks like.",
)
source_options = together(
    form_option,
    click.option(
        "--glob",
        "pattern",
        metavar="PATTERN",
        help="Of a folder, take the files of this pattern, as '**/*.wav'; a row for each.",
    ),
)
cutting_options = together(
    click.option(
        "--segments",
        type=click.Path(path_type=Path),
        metavar="FILE|FOLDER",
        help="Cut recordings into the segments of these files: RTTM, SRT, CTM, TextGrid, or "
        "WhisperX's JSON.",
    ),
    click.option(
        "--segment",
        "cut_by",
        type=click.Choice(["vad"]),
        help="Cut recordings into utterances of up to 30 s, by voice activity.",
    ),
)
path_column_option = click.option(
    "--path-column", metavar="COLUMN", help="Column of the audio files.  [default: path]"
)
transcript_column_option = click.option(
    "--transcript-column",
    metavar="COLUMN",
    help="Column of what is said.  [default: transcript, where there is one]",
)
speaker_column_option = click.option(
    "--speaker-column",
    metavar="COLUMN",
    help="Column of who speaks.  [default: speaker, where there is one]",
)
column_options = together(
    path_column_option,
    transcript_column_option,
    speaker_column_option,
    click.option(
        "--label-column",
        metavar="COLUMN",
        help="Column that later commands read labels from; it stays as it is.  [default: label]",
    ),
)
confine_option = click.option(
    "--confine", is_flag=True, help="Let rows fail whose files are outside --root, links followed."
)
