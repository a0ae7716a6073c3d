"""`emobatch crossval`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.echo import say_json
from emobatch.cli.options.fitting import fit_options
from emobatch.cli.options.results import json_option
from emobatch.cli.options.tables import (
    label_column_option,
    label_map_option,
    scores_argument,
    sentiment_map_option,
    trained_on_option,
    where_option,
)
from emobatch.cli.parts import Counts, Part
from emobatch.fusion.methods import DEFAULT, METHODS


@click.command()
@scores_argument
@click.option(
    "--by",
    metavar="COLUMN",
    help="Column of folds.  [default: fold; without one, each of several files is a fold]",
)
@click.option(
    "--fit-on",
    type=click.Choice(["train+val", "val", "train"]),
    help="Splits to fit on; the speech model did not see val.  [default: train+val]",
)
@where_option
@click.option(
    "--method",
    "methods",
    type=Part(METHODS, several=True),
    default=DEFAULT,
    show_default=True,
    help="Methods to fit; each is shown with those that it is compared with.",
)
@fit_options
@sentiment_map_option
@json_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write: .json; a page, .html; or a row for each fold and method as .csv, .tsv, "
    ".parquet or .jsonl.",
)
@click.option(
    "--thresholds-out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write each fold's thresholds file there.",
)
@click.option(
    "--control",
    is_flag=True,
    help="Show what methods gain with text shuffled among the test rows, which chance explains.",
)
@click.option(
    "--labelled",
    type=Counts(),
    metavar="N,…",
    default=(),
    help="Show what so many labelled rows give by method, in 20 draws of those that are fitted on.",
)
@label_column_option
@label_map_option
@trained_on_option
def crossval(scores: tuple[str, ...], as_json: bool, output: Path | None, **options: Any) -> None:
    """Fit methods in each fold of SCORES and measure them on its test rows.

    SCORES are score tables or globs of them; without any, CSV on standard input. A column `split`
    says what each fold fits on and tests; without one, each fold in turn tests and the others are
    fitted on. Shows UA, WA and macro F1 before and after by fold, then their means by method;
    selection is compared with the speech branch alone, and with flagging by either measure alone.
    """
    from emobatch.cli.views import crossval, crossval_attributes
    from emobatch.crossval.attributes import AttributeValidation
    from emobatch.crossval.crossval import crossval as run
    from emobatch.tables import writing

    pages = (".html", ".htm")
    writing.check_target(output, (*writing.MEASURED_EXTENSIONS, *pages), scores)
    found = run(scores, **options)
    if output is not None and output.suffix.lower() in pages:
        from emobatch.reporting import crossval_page

        crossval_page.write(found, scores, output)
    elif output is not None:
        writing.write_figures(output, found.as_dict(), found.table())
    elif as_json:
        say_json(found.as_dict())
    elif isinstance(found, AttributeValidation):
        crossval_attributes.show(found)
    else:
        crossval.show_crossval(found)
