"""`emobatch models`."""

from __future__ import annotations

from typing import Any

import click

from emobatch.cli.echo import say_json
from emobatch.cli.options.models import branch_options, model_options, offline_option
from emobatch.cli.options.results import json_option


@click.command()
@model_options
@branch_options
@offline_option
@click.option("--fetch", is_flag=True, help="Fetch from the hub what is not on this machine.")
@json_option
def models(fetch: bool, as_json: bool, **names: Any) -> None:
    """List the models that `score` would need, and whether they are on this machine.

    Takes the model options of `score`. Says of each model where it is, its revision, and size and
    digest of its weights. Asks the hub nothing unless told to --fetch, which brings the files that
    a run needs and no others. Ends with status 1 if a model is missing.
    """
    if fetch and names["offline"]:
        raise click.UsageError("--fetch asks the hub, which --offline forbids; give one of them")
    from emobatch.cli import console
    from emobatch.models.choice import Choice
    from emobatch.models.survey import missing, survey

    choice = Choice(**names)
    listed = survey(choice, fetch=fetch)
    if as_json:
        say_json(listed)
    else:
        console.show_models(listed)
    if missing(listed):
        raise choice.missing(missing(listed))
