"""Score tables in object storage: a run works in a folder here, of which a copy is kept there."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emobatch.errors import EmobatchError, HeldError, Interrupted, OutputError, StorageError
from emobatch.scoring.folder import LOCK_FILE
from emobatch.scoring.parts import WHOLE_FILE
from emobatch.storage.access import Access
from emobatch.storage.address import Address, Place
from emobatch.storage.hold import Hold
from emobatch.storage.mirror import Concerns, Mirror
from emobatch.storage.systems import Systems
from emobatch.tables import writing
from emobatch.tables.stored import sidecar

# Others are read alone: a file of the hub is a commit, and the web has no files to write.
WRITABLE = ("s3", "gs")


@contextmanager
def here(target: Place | None) -> Iterator[Path | None]:
    """Give a file on this machine for a table that may be elsewhere.

    Args:
        target: the table's file, its address, or None for standard output.

    Yields:
        The file. What a run saves beside that of an address is stored there as it goes, and
        fetched from there first.

    Raises:
        HeldError: if another run writes to that address.
        OutputError: if nothing can be stored there.
    """
    if not isinstance(target, Address):
        yield target
        return
    if target.scheme not in WRITABLE:
        raise OutputError(
            f"{target}: nothing is stored at {target.scheme}://; s3:// and gs:// are written to"
        )
    folder = Path(tempfile.mkdtemp(prefix="emobatch-"))
    file = folder / target.name
    try:
        writing.check_target(file)
        with _kept(target, file), _named(folder, target.parent):
            yield file
    finally:
        if not file.exists():
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _kept(target: Address, file: Path) -> Iterator[None]:
    parts = f"{file.name}.parts"
    concerns = Concerns(
        files=frozenset({file.name, sidecar(file).name}),
        folder=parts,
        left_out=frozenset({LOCK_FILE}),
        rubbish=WHOLE_FILE,
    )
    with _storing(str(target)):
        mirror = Mirror(Systems(Access(allowed=True)), target.parent, file.parent, concerns)
        hold = Hold(mirror.objects, f"{parts}/{LOCK_FILE}")
        hold.take()
        try:
            mirror.fetch()
        except BaseException:
            hold.release()
            raise
    thread = mirror.keep(hold)
    try:
        yield
    finally:
        mirror.stop()
        thread.join()
        with _storing(str(target), file):
            if not hold.renew():
                raise HeldError("another run took this one for gone, and writes there now")
            mirror.store()
            hold.release()
        file.unlink(missing_ok=True)  # it is stored


@contextmanager
def _storing(target: str, file: Path | None = None) -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        kept = "the same command goes on from what is stored"
        if file is not None and file.exists():
            kept = f"the table is kept in {file}"
        raise OutputError(f"{target}: {error}; {kept}") from error
    except HeldError as error:
        raise error.named(target) from error


@contextmanager
def _named(folder: Path, address: Address) -> Iterator[None]:
    # Nobody looks for a table where it is but made.
    def rename(record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if str(folder) in said:
            record.msg, record.args = said.replace(str(folder), str(address)), ()
        return True

    handlers = logging.getLogger("emobatch").handlers
    for handler in handlers:
        handler.addFilter(rename)
    try:
        yield
    except (EmobatchError, Interrupted) as error:
        if str(folder) not in str(error):
            raise
        raise type(error)(str(error).replace(str(folder), str(address))) from error
    finally:
        for handler in handlers:
            handler.removeFilter(rename)
