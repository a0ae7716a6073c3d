"""`emobatch manifest`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emobatch.cli.arguments import reading_of
from emobatch.cli.options.remote import place_option, remote_options
from emobatch.cli.options.results import json_option, output_option
from emobatch.cli.options.sources import column_options, cutting_options, source_options
from emobatch.cli.options.tables import label_map_option
from emobatch.wording import counted

if TYPE_CHECKING:
    from emobatch.manifests.convert import Converted
    from emobatch.manifests.corpora.build import Built

# Names that a line lists before it says how many more there are.
NAMED = 5


@click.command()
@click.argument("source", nargs=-1, metavar="SOURCE | CORPUS DIR")
@click.option("--list", "listed", is_flag=True, help="List the corpora that are known, and end.")
@source_options
@cutting_options
@place_option
@column_options
@remote_options
@click.option(
    "--classes",
    metavar="CLASSES",
    help="Keep rows of these classes alone, under their names: four, eight, or names separated by "
    "commas; the labels as they were stand in given_label.",
)
@label_map_option
@json_option
@output_option
def manifest(
    source: tuple[str, ...], listed: bool, as_json: bool, output: Path | None, **options: Any
) -> None:
    """Make a manifest of SOURCE, or of CORPUS in the folder DIR as its owners ship it.

    SOURCE is what `score` takes: a table, a folder of audio, a pattern in quotes, a file, a tar
    archive, the address of one of these, or a data set of Kaldi, NeMo, audformat, audiofolder,
    EmoBox or lhotse. Standard error says how many rows each label and speaker has, which files are
    missing or unknown, and what differs from the counts that a corpus's owners publish.
    """
    from emobatch.manifests.convert import convert

    if listed:
        _list(as_json)
        return
    corpus, place = _parsed(source)
    how = reading_of(options)
    if corpus is not None and any((how.root, how.form, how.pattern, how.cutting)):
        raise click.UsageError(
            "--root, --format, --glob, --segments and --segment are of a SOURCE, not of a CORPUS"
        )
    _show(convert(place, output, corpus=corpus, how=how, **options))


def _parsed(source: tuple[str, ...]) -> tuple[str | None, str]:
    from emobatch.manifests.corpora.registry import CORPORA

    if len(source) == 1 and not (source[0] in CORPORA and not Path(source[0]).exists()):
        return None, source[0]
    if len(source) == 2:
        CORPORA[source[0]]  # names the nearest if there is none of that name
        return source[0], source[1]
    if len(source) == 1:
        raise click.UsageError(f"say where {source[0]} is: emobatch manifest {source[0]} DIR")
    raise click.UsageError(
        "give one SOURCE, a pattern of files in quotes, or the name of a CORPUS and its folder; "
        "--list lists corpora"
    )


def _list(as_json: bool) -> None:
    from dataclasses import asdict

    from emobatch.cli.echo import say, say_json
    from emobatch.manifests.corpora.facts import all_facts

    facts = all_facts()
    if as_json:
        say_json({name: asdict(found) for name, found in facts.items()})
        return
    for name, found in facts.items():
        say(f"{name}: {found.title}")
        say(f"  {', '.join(found.languages)}; {found.size}; {found.licence or 'see its home page'}")
        say(f"  {found.home}")
        say(f"  {found.citation}")


def _show(done: Converted) -> None:
    say = logging.getLogger(__name__).info
    say(counted(done.rows, "row"))
    for what, counts in (("label", done.labels), ("speaker", done.speakers)):
        if counts:
            few = counts if what == "label" else counts[:NAMED]
            more = f", and {len(counts) - len(few)} more" if len(few) < len(counts) else ""
            listed = ", ".join(f"{name or 'none'} {count}" for name, count in few)
            say("by %s: %s%s", what, listed, more)
    if done.corpus is not None:
        _show_corpus(done.corpus)


def _show_corpus(built: Built) -> None:
    say = logging.getLogger(__name__).info
    for names, what in (
        (built.missing, "rows left out whose audio is missing"),
        (built.unknown, "audio files left out that have no label"),
        (built.doubled, "audio files left out that are there twice"),
    ):
        if names:
            more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
            say("%d %s: %s%s", len(names), what, ", ".join(names[:NAMED]), more)
    if built.facts.rows is None:
        say("its owners' counts differ by release and aren't checked")
    elif built.differences:
        for line in built.differences:
            say("differs: %s", line)
        say("published counts are of %s", built.facts.source)
    else:
        say("as published (%s)", built.facts.source)
