"""`emobatch evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.echo import say_json
from emobatch.cli.options.results import json_option
from emobatch.cli.options.tables import (
    label_column_option,
    label_map_option,
    sentiment_map_option,
    table_classes_option,
    trained_on_option,
    where_option,
)


@click.command()
@click.argument("final", nargs=-1, metavar="[FINAL]...")
@where_option
@click.option("--by", metavar="COLUMN", help="Measure each value of this column as well.")
@json_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write: .json, or a row for each figure as .csv, .tsv, .parquet or .jsonl.",
)
@click.option(
    "--bootstrap",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Resamples for 95 % intervals, of speakers where the table has them; 0 for none.",
)
@click.option(
    "--wer-normalisation",
    type=click.Choice(["words", "none", "whisper"]),
    default="words",
    show_default=True,
    help="Before a word error rate is taken: words removes case, punctuation and symbols, none "
    "case alone; whisper is Whisper's English normaliser.",
)
@table_classes_option
@label_column_option
@label_map_option
@trained_on_option
@sentiment_map_option
def evaluate(final: tuple[str, ...], as_json: bool, output: Path | None, **options: Any) -> None:
    """Measure labelled rows of FINAL: UA, WA and macro F1, before and after fusion.

    Then figures of each class, confusion matrices, changes, and how sure all that is.

    FINAL are tables that `apply` or `score` wrote, or globs of them; without any, CSV on standard
    input. Rows without a label don't count. Transcripts need none: a table with columns reference
    and transcript alone gives the word error rate.
    """
    from emobatch.cli.views import evaluation as evaluation_view
    from emobatch.evaluation import table as evaluation_table
    from emobatch.evaluation.document import document
    from emobatch.evaluation.evaluate import evaluate as run
    from emobatch.tables import writing

    writing.check_target(output, writing.MEASURED_EXTENSIONS, final)
    evaluation = run(final, **options)
    if output is not None:
        evaluation_table.write(evaluation, output, {"tables": final, "where": options["where"]})
    elif as_json:
        say_json(document(evaluation))
    else:
        evaluation_view.show_evaluation(evaluation)
