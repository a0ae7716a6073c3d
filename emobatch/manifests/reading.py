"""How a manifest is read, as all commands that take one let the user say."""

from __future__ import annotations

from dataclasses import dataclass, field

from emobatch.manifests.columns import ManifestColumns
from emobatch.manifests.segments.cutting import Cutting
from emobatch.storage.access import NO_ACCESS, Access
from emobatch.storage.address import Place


@dataclass(frozen=True)
class Reading:
    """How a manifest is read.

    Attributes:
        root: folder that paths are relative to; None for the manifest's own, or the working folder
            for standard input.
        form: what the source is, None to go by what it looks like.
        pattern: which files of a folder, for a row of each.
        columns: which have which meaning.
        cutting: how its recordings are cut into segments, None to leave them whole.
        confine: let rows fail whose files are outside of that folder, links followed.
        where: SQL expression; only rows for which it holds are read, and checked.
        access: what of the files that rows name may be fetched, and where it is kept.
    """

    root: Place | None = None
    form: str | None = None
    pattern: str | None = None
    columns: ManifestColumns = field(default_factory=ManifestColumns)
    cutting: Cutting | None = None
    confine: bool = False
    where: str | None = None
    access: Access = NO_ACCESS


# A manifest of columns that emobatch knows, whose files are here.
AS_IT_IS = Reading()
