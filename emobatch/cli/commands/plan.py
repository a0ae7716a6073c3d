"""`emobatch plan`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from emobatch.cli.arguments import OneManifest, reading_of
from emobatch.cli.commands.score import read_gate
from emobatch.cli.commands.score import score as scoring
from emobatch.cli.options.results import json_option
from emobatch.storage.address import Address, Place

# What of the options of `score` a plan has no use for: it says where jobs write, and what they do
# with what is there.
NOT_PLANNED = (
    *("output", "engine", "shard", "restart", "retry_errors", "max_error_rate"),
    *("quiet", "verbose", "log_file"),
)
# What is said of a manifest that isn't true of the one that a plan writes.
ABOUT_MANIFEST = (
    *("root", "form", "pattern", "segments", "cut_by"),
    *("path_column", "transcript_column", "speaker_column"),
)
SCHEDULERS = {
    "slurm": "Print a script for sbatch: an array of jobs, a shard each.",
    "kubernetes": "Print an Indexed Job for kubectl apply -f.",
    "aws-batch": "Print an array job for aws batch submit-job --cli-input-json.",
}
SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


class WallTime(click.ParamType[float]):
    """A duration: ``90m``, ``4h``, ``1d``, or as Slurm writes it, ``HH:MM:SS``."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it.

        Args:
            value: what was typed.
            param: the option.
            ctx: of the command.

        Returns:
            Seconds.
        """
        if found := re.fullmatch(r"(\d+(?:\.\d+)?) *(s|m|min|h|d)", str(value).strip()):
            seconds = float(found[1]) * SECONDS[found[2]]
        elif found := re.fullmatch(r"(\d+):(\d\d):(\d\d)", str(value).strip()):
            seconds = int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3])
        else:
            self.fail(f"{value!r}: give a time as in 90m, 4h, 1d or 04:00:00", param, ctx)
        if not seconds:
            self.fail(f"{value!r}: give more than no time", param, ctx)
        return seconds


@click.command(cls=OneManifest)
@click.argument("manifest")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Manifest to write, with a column duration: shards are balanced by it.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    metavar="ROWS",
    help="Rows to score, to see what all would take; 0 for none. Default: 128, or 512 on a GPU, "
    "and more where these take less than 10 seconds.",
)
@click.option("--no-sample", is_flag=True, help="Score nothing; the same as --sample 0.")
@click.option("--shards", type=click.IntRange(min=1), metavar="N", help="Plan for N shards.")
@click.option(
    "--wall-time",
    type=WallTime(),
    metavar="TIME",
    help="Plan for shards that are done in TIME, with some to spare.  [default: 4h]",
)
@json_option
def plan(
    manifest: str,
    output: Path | None,
    sample: int | None,
    no_sample: bool,
    shards: int | None,
    wall_time: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say how much MANIFEST is, how long scoring it would take here, and in how many shards.

    Reads the headers of its files, then scores a sample on this machine with the models and
    options that `score` would have. Says what all would take: time with and without a gate,
    memory, disk, and shards. --slurm, --kubernetes and --aws-batch print what their scheduler
    takes, and nothing else.
    """
    wanted = [name for name in SCHEDULERS if options.pop(name.replace("-", "_"))]
    if len(wanted) + as_json > 1:
        raise click.UsageError("give one of --json, --slurm, --kubernetes and --aws-batch")
    if wanted and manifest == "-" and output is None:
        raise click.UsageError("jobs can't read standard input; write the manifest with -o FILE")
    from dataclasses import fields

    from emobatch.cli.echo import say_json
    from emobatch.cli.views.plan import brief, show_plan
    from emobatch.models.choice import Choice
    from emobatch.planning.plan import plan as run

    of_choice = {field.name for field in fields(Choice)}
    gate: Path | None = options["gate"]
    planned = run(
        manifest,
        Choice(**{name: value for name, value in options.items() if name in of_choice}),
        target=output,
        how=reading_of(options),
        gate=None if gate is None else read_gate(gate),
        sample_rows=0 if no_sample else sample,
        shards=shards,
        wall=wall_time,
    )
    if as_json:
        say_json(planned.document())
    elif wanted:
        click.echo(planned.script(wanted[0], _command(manifest, output, planned.root)), nl=False)
        click.echo(f"note: {brief(planned)}", err=True)
    else:
        show_plan(planned)


def _command(manifest: str, output: Path | None, root: Place) -> list[str]:
    # `score` with what was given here; the manifest with durations, where there is one.
    context = click.get_current_context()
    command = ["emobatch", "score", manifest if output is None else str(output)]
    if output is not None and (
        isinstance(root, Address) or output.resolve().parent != root.resolve()
    ):
        command.append(f"--root={root}")
    for option in scoring.params:
        name = str(option.name)
        if not isinstance(option, click.Option) or name in NOT_PLANNED:
            continue
        if output is not None and name in ABOUT_MANIFEST:
            continue
        if context.get_parameter_source(name) is not click.core.ParameterSource.COMMANDLINE:
            continue
        spelled = next(each for each in option.opts if each.startswith("--"))
        value = context.params[name]
        if option.is_flag:
            command.append(spelled)
        else:
            command += [f"{spelled}={each}" for each in (value if option.multiple else [value])]
    if "--offline" not in command:
        command.append("--offline")  # models are fetched once, before the jobs
    return command


plan.params[-1:-1] = [
    option
    for option in scoring.params
    if isinstance(option, click.Option) and option.name not in NOT_PLANNED
]
plan.params.extend(
    click.Option([f"--{name}"], is_flag=True, help=text) for name, text in SCHEDULERS.items()
)
