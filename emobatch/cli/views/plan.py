"""What `plan` found out, on the terminal."""

from __future__ import annotations

import click
from rich.filesize import decimal

from emobatch.cli.echo import say
from emobatch.planning import lengths
from emobatch.planning.estimate import Estimate
from emobatch.planning.lengths import Lengths, Span
from emobatch.planning.plan import Planned
from emobatch.wording import counted, lasting

# Characters of the longest bar, and files that are named.
WIDTH = 30
NAMED = 10


def show_plan(planned: Planned) -> None:
    """Print to standard output what was found out.

    Args:
        planned: all of it.
    """
    known = planned.lengths.seconds.drop_nulls()
    how = lengths.summary(planned.lengths)
    say(f"{counted(planned.rows, 'row')}, {lasting(float(known.sum()))} of audio, {how}")
    _show_unreadable(planned.lengths)
    click.echo()
    _show_spans(planned.lengths.spans())
    if planned.estimate is not None:
        click.echo()
        _show_estimate(planned, planned.estimate)
    if planned.shards is not None:
        click.echo()
        say(_shards(planned))


def brief(planned: Planned) -> str:
    """Say the most important of it.

    Args:
        planned: all of it.

    Returns:
        One line.
    """
    known = planned.lengths.seconds.drop_nulls()
    said = f"{counted(planned.rows, 'row')}, {lasting(float(known.sum()))} of audio; "
    if planned.estimate is not None:
        said += f"{lasting(planned.estimate.scoring)} to score here; "
    return said + _shards(planned)


def _shards(planned: Planned) -> str:
    said = counted(planned.shards or 0, "shard")
    if planned.estimate is not None and planned.shard_seconds is not None:
        longest, loading = lasting(planned.shard_seconds), lasting(planned.estimate.loading)
        said += f" of {longest} at most, {loading} of it for models"
    if planned.wall is not None:
        said += f"; {lasting(planned.wall)} of wall time each"
    return said


def _show_unreadable(found: Lengths) -> None:
    for path, why in found.unreadable[:NAMED]:
        say(f"  {path}: {why}")
    if (more := len(found.unreadable) - NAMED) > 0:
        say(f"  and {more} more")


def _show_spans(spans: list[Span]) -> None:
    most = max((span.rows for span in spans), default=1)
    say(f"{'seconds':>12} {'rows':>10} {'audio':>8}")
    for span in spans:
        name = f"{span.low:g} to {span.high:g}" if span.high else f"from {span.low:g}"
        bar = "#" * max(1, round(WIDTH * span.rows / most))
        say(f"{name:>12} {span.rows:>10} {lasting(span.seconds):>8} {bar}")


def _show_estimate(planned: Planned, estimate: Estimate) -> None:
    sample = planned.sample
    if sample is None:
        return
    cores = counted(planned.cores, "core")
    failed = f", {sample.failed} failed" if sample.failed else ""
    say(
        f"a sample of {counted(sample.rows, 'row')} on {planned.device}, {cores}: "
        f"{lasting(sample.speech + sample.text)}{failed}; "
        f"{lasting(sample.loading)} before that, to load models"
    )
    lines = {
        "speech branch": lasting(estimate.speech),
        "text branch": lasting(estimate.text),
        "both": lasting(estimate.ungated),
    }
    if estimate.gated is not None and estimate.asked is not None:
        lines["with the gate"] = (
            f"{lasting(estimate.gated)}, with {100 * estimate.asked:.0f} % of the text branch"
        )
    lines["memory"] = decimal(estimate.memory)
    disk = estimate.table + estimate.parts
    lines["disk"] = (
        f"{decimal(disk)}: a Parquet table of {decimal(estimate.table)}, and what is saved before"
    )
    say("all rows, by that:")
    for name, text in lines.items():
        say(f"  {name:<14} {text}")
