"""Whether a run's table is there already: as it was written, and this run's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import ResumeError
from emobatch.manifests.manifest import Manifest
from emobatch.scoring.folder import LOCK_FILE, HeldFolder
from emobatch.scoring.other_run import refuse_other
from emobatch.scoring.parts import Parts
from emobatch.tables import content, reading, stored
from emobatch.tables.content import CONTENT

log = logging.getLogger(__name__)


def is_whole(target: Path, run: Mapping[str, Any], ids: Mapping[str, Any], saved: Parts) -> bool:
    """Whether a run's table is there already.

    Args:
        target: the table.
        run: what it would be made with.
        ids: of the manifest, see :func:`emobatch.tables.content.describe`.
        saved: chunks of it.

    Returns:
        False where it is still to be made.

    Raises:
        ResumeError: if there is a table that isn't this run's, or was changed.
    """
    # A run that was killed as it ended, or began with --restart, left its chunks: they go first.
    if not target.exists() or (saved.rows_done() and not saved.is_retry):
        return False
    refuse_changed(target, run, ids)
    return True


def refuse_changed(target: Path, run: Mapping[str, Any], ids: Mapping[str, Any]) -> None:
    """Refuse a table that isn't a run's, or that was changed since.

    Args:
        target: the table.
        run: what it would be made with, or part of that.
        ids: of the manifest.

    Raises:
        ResumeError: says what is wrong.
    """
    remedy = "name another -o, or replace it with --restart"
    if stored.was_replaced(target):
        raise ResumeError(f"{target}: was changed since it was written; {remedy}")
    known = stored.metadata(target)
    if "manifest" not in known:
        raise ResumeError(f"{target}: is there, and doesn't say what it was made with; {remedy}")
    refuse_other(target, known, run)
    if difference := _difference(target, known, ids):
        raise ResumeError(f"{target}: was changed since it was written: {difference}; {remedy}")


def is_surely_whole(target: Path, run: Mapping[str, Any], rows: Manifest) -> bool:
    """Whether a table is whole, as far as can be said without loading models.

    Args:
        target: the table.
        run: what is known of a run before its models and its device are, see
            :func:`emobatch.scoring.made_with.chosen`.
        rows: the manifest.

    Returns:
        True where nothing is left to do, which is noted.

    Raises:
        ResumeError: if there is a table that isn't this run's, or was changed.
    """
    if not target.exists() or target.with_name(target.name + ".parts").exists():
        return False
    # What only the models and the device could say is taken to be as it was.
    wanted = {**_laid_over(run, stored.metadata(target)), "software": run["software"]}
    refuse_changed(target, wanted, content.describe(rows.rows, [], ["id"]))
    failed = reading.scan(str(target)).filter(pl.col("status") == "error").head(1)
    hint = "" if failed.collect().is_empty() else "; --retry-errors scores the failed rows again"
    log.warning("note: %s is whole, nothing to do%s", target, hint)
    return True


def refuse_held(target: Path) -> None:
    """Refuse a table that another run is writing, before anything slow begins.

    Args:
        target: the table.

    Raises:
        ResumeError: if its work is locked.
    """
    folder = target.with_name(target.name + ".parts")
    if (folder / LOCK_FILE).is_file() and not (folder / LOCK_FILE).is_symlink():
        HeldFolder.take(folder, lambda found: None).release()


def _laid_over(values: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(known)
    for name, value in values.items():
        before = known.get(name)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        laid[name] = _laid_over(value, before) if both else value  # type: ignore[arg-type]
    return laid


def _difference(target: Path, known: Mapping[str, Any], ids: Mapping[str, Any]) -> str | None:
    if "thresholds" in known:
        return "it is a final table"
    rows = reading.scan(str(target))
    with reading.explained(str(target)):
        if "id" not in rows.collect_schema():
            return "without id"
        if not content.same_ids(content.describe(rows, [], ["id"]), ids):
            return "its rows aren't the manifest's, in order"
    # Tables of before say no more of what they hold.
    return content.changed(str(target), known[CONTENT]) if CONTENT in known else None
