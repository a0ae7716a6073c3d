"""All readers, by what ``--format`` calls them; the first that takes a source reads it."""

from __future__ import annotations

import logging

from emobatch.errors import OptionError
from emobatch.manifests.readers.reader import Reader
from emobatch.registry import Registry

log = logging.getLogger(__name__)

# Also says what is wrong with a source that none of them takes.
TABLE = "table"
# A row for each file; takes any folder, so that it is asked after those that know one.
AUDIO = "audio"
_HOME = "emobatch.manifests.readers"
READERS: Registry[type[Reader]] = Registry(
    "manifest format",
    {
        "audformat": f"{_HOME}.audformat:AudformatReader",
        "kaldi": f"{_HOME}.kaldi:KaldiReader",
        "audiofolder": f"{_HOME}.audiofolder:AudioFolderReader",
        "nemo": f"{_HOME}.nemo:NemoReader",
        "emobox": f"{_HOME}.emobox:EmoBoxReader",
        "lhotse": f"{_HOME}.lhotse:LhotseReader",
        "tar": f"{_HOME}.archive:ArchiveReader",
        TABLE: f"{_HOME}.table:TableReader",
        AUDIO: f"{_HOME}.audio_files:AudioReader",
    },
)


def reader_for(source: str, form: str | None = None, pattern: str | None = None) -> Reader:
    """Find the reader of a manifest.

    Args:
        source: as the user named it.
        form: the name of a reader to insist on, None to go by what the source looks like.
        pattern: which of a folder's files, for a row of each.

    Returns:
        The reader.

    Raises:
        UnknownName: if there is no form of that name.
        OptionError: if a pattern is given for another form than audio.
    """
    if pattern is not None:
        if form not in (None, AUDIO):
            raise OptionError(f"--glob is for --format {AUDIO}, not for {form}; leave one out")
        return READERS[AUDIO](pattern)
    if form is not None:
        return READERS[form]()
    for name in READERS:
        reader = READERS[name]()
        if reader.takes(source):
            if name not in (TABLE, AUDIO):
                log.info("note: %s: read as %s; --format names another form", source, name)
            return reader
    return READERS[TABLE]()
