"""Options of what a row may take, and of how many may fail."""

from __future__ import annotations

import click

from emobatch.models.names import MOST_ERRORS

decode_timeout_option = click.option(
    "--decode-timeout",
    type=float,
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Let a row fail if nothing more can be read of its file for so long.",
)
max_error_rate_option = click.option(
    "--max-error-rate",
    type=click.FloatRange(0, 1),
    default=MOST_ERRORS,
    show_default=True,
    metavar="SHARE",
    help="End with status 3 if more than this share of rows failed; the table is written.",
)
