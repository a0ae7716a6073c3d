"""`emobatch evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from emobatch.commands.options import label_column_option, label_map_option, where_option


@click.command()
@click.argument("final", nargs=-1, metavar="[FINAL]...")
@where_option
@click.option("--by", metavar="COLUMN", help="Measure each value of this column as well.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, figures in percent.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="JSON file to write (.json).")
@label_column_option
@label_map_option
def evaluate(final: tuple[str, ...], as_json: bool, output: Path | None, **options: Any) -> None:
    """Measure labelled rows of FINAL: UA, WA and macro F1, before and after fusion.

    FINAL are tables that `apply` or `score` wrote, or globs of them; without any, CSV on standard
    input. Rows without a label don't count.
    """
    from emobatch import console, outputs
    from emobatch.evaluate import evaluate as run

    outputs.check_target(output, [".json"])
    result = run(final, **options)
    text = json.dumps(result, ensure_ascii=False)
    if output is not None:
        outputs.write_text(output, text + "\n")
    elif as_json:
        click.echo(text)
    else:
        console.show_metrics(result)
