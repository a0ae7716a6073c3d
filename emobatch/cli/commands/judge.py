"""`emobatch judge`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.options.models import offline_option
from emobatch.cli.options.tables import where_option
from emobatch.judging.names import ALL, LEAST_CONFIDENCE, ONLY
from emobatch.models.names import MOST_ERRORS


@click.command()
@click.argument("finals", nargs=-1, metavar="[FINAL]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Judged table to write; answers are kept beside it, in TABLE.parts.",
)
@where_option
@click.option("--model", required=True, metavar="NAME", help="Language model, as the server says.")
@click.option(
    "--endpoint",
    metavar="URL",
    help="OpenAI-compatible server, as http://localhost:8000/v1; a key is read from "
    "EMOBATCH_API_KEY or OPENAI_API_KEY.",
)
@click.option(
    "--only",
    type=click.Choice(ONLY),
    default=ALL,
    show_default=True,
    help="Rows to ask about: flagged by the method, those that the branches disagree on, or the "
    "least confident.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Of rows, that --only unsure asks about.",
)
@click.option(
    "--confidence",
    "least",
    type=click.FloatRange(0, 1),
    default=LEAST_CONFIDENCE,
    show_default=True,
    help="From which the judge's emotion is taken.",
)
@click.option(
    "--context",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Turns of the dialogue to show before and after a row.",
)
@click.option(
    "--prompt",
    type=click.Path(path_type=Path),
    help="Jinja template in place of the one that comes with emobatch.",
)
@click.option(
    "--temperature", type=click.FloatRange(0, 2), default=0.3, show_default=True, help="Of answers."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of answers.")
@click.option(
    "--answer-tokens",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    help="That an answer may have.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1, max=1000),
    default=8,
    show_default=True,
    help="Requests at a time.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="To wait for an answer.",
)
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="Of a request that the server puts off (408, 409, 429, 5xx) or that was lost.",
)
@click.option("--max-requests", "most_requests", type=click.IntRange(min=0), help="In this run.")
@click.option(
    "--max-tokens",
    "most_tokens",
    type=click.IntRange(min=0),
    help="Of prompts and answers in this run; no request is begun beyond.",
)
@click.option(
    "--max-error-rate",
    type=click.FloatRange(0, 1),
    default=MOST_ERRORS,
    show_default=True,
    metavar="SHARE",
    help="End with status 3 if more than this share of the rows asked about failed.",
)
@click.option("--dry-run", is_flag=True, help="Print the first prompts, and ask nothing.")
@click.option(
    "--batch-out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the requests as JSON Lines for the OpenAI Batch API, and ask nothing.",
)
@click.option(
    "--batch-in",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take the answers from what the Batch API wrote.",
)
@offline_option
def judge(
    finals: tuple[str, ...],
    output: Path | None,
    where: str | None,
    max_error_rate: float,
    dry_run: bool,
    batch_out: Path | None,
    batch_in: Path | None,
    **options: Any,
) -> None:
    """Let a language model review the emotions of FINAL.

    FINAL are final tables or globs of them; without any, CSV on standard input. Writes their
    columns, with the judge's emotion where it is confident enough, and judge_emotion,
    judge_confidence, judge_reason and judge_status. An answer that is kept is never asked for
    again: an interrupted run goes on, and another --confidence costs no request.
    """
    from emobatch.judging import judge as judging
    from emobatch.judging.review import Review

    review = Review(**options)
    if dry_run:
        from emobatch.cli.echo import say

        for question in judging.dry_run(finals, review, where=where):
            for message in question.messages:
                say(f"[{message['role']}]")
                for line in message["content"].splitlines():
                    say(line)
        return
    if batch_out is not None:
        judging.write_batch(finals, batch_out, review, where=where)
        return
    if output is None:
        raise click.UsageError("Missing option '-o': answers are kept beside the table.")
    from emobatch.cli.judging_bar import JudgingBar

    with JudgingBar() as progress:
        judging.judge(
            finals,
            output,
            review,
            where=where,
            batch_in=batch_in,
            max_error_rate=max_error_rate,
            progress=progress,
        )
