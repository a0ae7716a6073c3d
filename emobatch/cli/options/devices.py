"""Options of where models run, and of who runs them."""

from __future__ import annotations

from collections.abc import Callable

import click

from emobatch.cli.options.together import Command, together
from emobatch.models.names import AUTO, DEVICES, PRECISIONS


def _devices(default: str | None) -> tuple[Callable[[Command], Command], ...]:
    said = "" if default else "  [default: the table's]"
    return (
        click.option(
            "--device",
            type=click.Choice([AUTO, *DEVICES]),
            default=default,
            show_default=True,
            help=f"Where models run; in half precision on a GPU.{said}",
        ),
        click.option(
            "--precision",
            type=click.Choice([*PRECISIONS]),
            default=default,
            show_default=True,
            help="Of all models; int8 is for Whisper alone. auto: half on a GPU, single on the "
            f"CPU.{said}",
        ),
    )


device_options = together(*_devices(AUTO))
table_device_options = together(*_devices(None))
worker_options = together(
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Processes that score, each with models of its own.  [default: as many as fit]",
    ),
    click.option(
        "--cpus-per-worker",
        type=click.FloatRange(min=0, min_open=True),
        help="Cores that each of them takes, for decoding too.  [default: 1]",
    ),
    click.option(
        "--gpus-per-worker",
        type=click.FloatRange(min=0),
        help="GPUs that each of them takes; 0.5 has two share one.  [default: 1 with --device "
        "cuda, else 0]",
    ),
    click.option(
        "--address",
        metavar="HOST:PORT",
        help="Ray cluster.  [default: RAY_ADDRESS, else the one on this machine, else a new one]",
    ),
)
