"""What a corpus is to the command: the seam between owners' layouts and manifests.

A new corpus is a class in a file of its own, a line in
:data:`emobatch.manifests.corpora.registry.CORPORA`, and what is known of it in ``corpora.toml``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from emobatch.manifests.corpora.files import Files

Row = dict[str, Any]


class Corpus(ABC):
    """Reads the labels of a corpus as its owners ship it."""

    @abstractmethod
    def rows(self, files: Files) -> Iterator[Row]:
        """Make the manifest's rows.

        Args:
            files: of the corpus.

        Yields:
            Values by column: ``id``, ``label`` (in words; None where the corpus gives none), and
            what else is known. ``path`` is None where the audio isn't there.

        Raises:
            ManifestError: if the folder isn't that of the corpus, or a file of it is damaged.
        """

    def counts(self, row: Mapping[str, Any]) -> bool:
        """Whether the owners count a row in what they publish of the corpus.

        Args:
            row: one of :meth:`rows`.

        Returns:
            True unless there are more than one kind.
        """
        return True


class NamedCorpus(Corpus):
    """A corpus whose files' names say all that there is to know of them.

    Attributes:
        name: what a file is called, without its ending.
    """

    name: ClassVar[re.Pattern[str]]

    @abstractmethod
    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: how the file's name matches.
            path: of the file, relative to the corpus.
            files: of the corpus.

        Returns:
            Values by column, without ``path`` and ``id``; None if it is no file of the corpus.
        """

    def rows(self, files: Files) -> Iterator[Row]:
        """Make a row of each audio file that is called as the corpus's are.

        Args:
            files: of the corpus.

        Yields:
            Values by column.
        """
        for audio in files.audio:
            path = Path(audio)
            found = self.name.fullmatch(path.stem)
            row = None if found is None else self.row(found, path, files)
            if row is not None:
                yield {"path": audio, "id": row.pop("id", path.stem), **row}
