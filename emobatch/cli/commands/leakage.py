"""`emobatch leakage`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.echo import say_json
from emobatch.cli.options.results import json_option
from emobatch.cli.options.sources import form_option, root_option


@click.command()
@click.argument("manifest")
@form_option
@click.option(
    "--split-column", default="split", show_default=True, metavar="COLUMN", help="train, val, test."
)
@click.option(
    "--fold-column",
    metavar="COLUMN",
    help="Look at each of its values apart.  [default: fold, where there is one]",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="COLUMN",
    help="Whose values to look for; repeatable.  [default: speaker, script, dialogue, session, "
    "path, where present]",
)
@click.option(
    "--against",
    type=click.Choice(["train", "val", "train+val"]),
    default="train",
    show_default=True,
    help="What test may share nothing with.",
)
@click.option(
    "--min-words",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Shorter transcripts don't count.",
)
@click.option(
    "--similarity",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.9,
    show_default=True,
    help="Transcripts this alike are near duplicates: cosine of counts of four letters in a row.",
)
@click.option("--audio", is_flag=True, help="Compare the content of the audio files by SHA-256.")
@root_option
@click.option("--strict", is_flag=True, help="End with status 1 if anything is shared.")
@json_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write, a row for each thing shared, or JSON; its extension names the format.",
)
def leakage(
    manifest: str, strict: bool, as_json: bool, output: Path | None, **options: Any
) -> None:
    """List what the test rows of MANIFEST share with its training rows.

    MANIFEST is any table with a column of splits, or what `emobatch manifest` reads; `-` is CSV on
    standard input. Looks for shared speakers, scripts, dialogues, sessions and files, for equal
    and nearly equal transcripts (columns `reference`, `transcript`) and, with --audio, for files of
    equal content.
    """
    from emobatch.cli.views import crossval
    from emobatch.splits.audit import audit
    from emobatch.tables import writing

    writing.check_target(output, writing.MEASURED_EXTENSIONS, [manifest])
    found = audit(manifest, **options)
    if output is not None:
        writing.write_figures(output, found.as_dict(), found.shared)
    elif as_json:
        say_json(found.as_dict())
    else:
        crossval.show_leakage(found)
    if strict:
        found.refuse()
