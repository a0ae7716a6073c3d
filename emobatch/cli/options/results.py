"""Options of what a command writes."""

from __future__ import annotations

from pathlib import Path

import click

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write; its extension names the format. Without it, standard output.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
restart_option = click.option(
    "--restart", is_flag=True, help="Throw away what an earlier run has saved or finished."
)
