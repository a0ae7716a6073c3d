"""`emobatch doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.echo import say, say_json
from emobatch.cli.options.beside import embedding_options
from emobatch.cli.options.devices import device_options
from emobatch.cli.options.models import (
    branch_options,
    language_option,
    model_options,
    offline_option,
    task_options,
)
from emobatch.cli.options.results import json_option


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Table that the run would write."
)
@task_options
@model_options
@embedding_options
@device_options
@language_option
@branch_options
@offline_option
@json_option
def doctor(output: Path | None, as_json: bool, **choice: Any) -> None:
    """Check on this machine all that `score` with these options would need.

    Cores, memory, folders, decoders, device, precision, and each model: found, loaded, its labels
    mapped, and made to score. Prints for each what was found, or what is wrong and how to mend it.
    Looks for models on this machine only. Ends with status 1 if a check fails.
    """
    from dataclasses import asdict

    from emobatch.doctor import examine, refuse_failures
    from emobatch.models.choice import Choice

    findings = []
    for finding in examine(Choice(**choice), output):
        findings.append(finding)
        if not as_json:
            say(f"{'pass' if finding.passed else 'FAIL'}  {finding.name}: {finding.says}")
    if as_json:
        checks = [asdict(finding) for finding in findings]
        say_json({"checks": checks})
    refuse_failures(findings)
