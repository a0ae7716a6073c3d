"""What is left of a run, done and saved chunk by chunk, until a signal ends it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from emobatch.errors import Interrupted
from emobatch.scoring.parts import Parts
from emobatch.scoring.progress import Progress
from emobatch.scoring.work import Chunk

log = logging.getLogger(__name__)


def save_chunks(
    saved: Parts,
    firsts: range,
    chunks: Callable[[Sequence[int]], Iterable[Chunk]],
    progress: Progress,
    *,
    once: Sequence[str] = (),
) -> None:
    """Do what no earlier run has saved, and save it.

    Args:
        saved: what is saved; gets the rest.
        firsts: number of each chunk's first row, up to the number of all rows.
        chunks: does those chunks that begin with the rows named, in any order.
        progress: told how far it is.
        once: options with which the same command would not go on from what is saved.

    Raises:
        Interrupted: if a signal came; says how much is saved.
        EmobatchError: if a chunk can't be done or saved.
    """
    rows, done = firsts.stop, saved.rows_done()
    todo = [first for first in firsts if not saved.has(first)]
    if done:
        log.info("note: %d of %d rows are saved in %s", done, rows, saved.folder)
    progress.start(rows, done)
    try:
        for chunk in chunks(todo) if todo else ():
            saved.add(chunk.first, chunk.frame)
    except KeyboardInterrupt as signal:
        # While Polars is at work it takes SIGINT for itself, and raises one without a message.
        how = f" without {' and '.join(once)}" if once else ""
        raise Interrupted(
            f"{str(signal) or 'interrupted by SIGINT'}; {saved.rows_done()} of {rows} rows are "
            f"saved in {saved.folder}, the same command{how} goes on from there"
        ) from signal
