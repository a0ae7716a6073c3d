"""`emobatch demo`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from emobatch.cli.echo import say

NEXT = """\
Next, on your own speech: a CSV with a column `path`, and a column `label` in some of the rows.

  emobatch score manifest.csv -o scores.parquet
  emobatch calibrate scores.parquet -o thresholds.toml
  emobatch apply scores.parquet -t thresholds.toml -o final.csv
  emobatch evaluate final.csv
  emobatch report final.csv -t thresholds.toml -o report.html

This takes the published models, which the first run fetches. `emobatch score --help` names others.
"""


@click.command()
@click.argument("folder", default="emobatch-demo", type=click.Path(path_type=Path, file_okay=False))
@click.option("--clips", default=600, show_default=True, type=click.IntRange(min=300))
@click.option("--seed", default=0, show_default=True, help="Another seed gives other clips.")
@click.pass_context
def demo(context: click.Context, folder: Path, clips: int, seed: int) -> None:
    """Show the whole job on synthetic speech and toy models, in FOLDER.

    Speaks clips with espeak-ng, leaves every third without a label, then scores, calibrates,
    applies, evaluates and reports, showing each command. Needs no network. Run again with the same
    options, it goes on from what is there.
    """
    from emobatch.cli.console import show_changes
    from emobatch.demo import walkthrough

    manifest = walkthrough.prepare(folder, clips, seed)
    say(f"clips and their manifest are in {manifest}")
    for step in walkthrough.steps(folder):
        click.echo()
        say(f"$ emobatch {shlex.join(step.arguments)}")
        if step.is_done:
            say(f"{step.makes} is there")
            continue
        root = context.find_root().command
        # As the command's own: what it says of -q, -v and --log-file goes for the steps.
        root.main(step.arguments, "emobatch", standalone_mode=False, parent=context)
    show_changes(walkthrough.changed_rows(folder, 6))
    click.echo(f"\n{NEXT}", nl=False)
