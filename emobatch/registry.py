"""Parts that are looked up by name: methods, class sets, readers, runners and the like.

A part is registered as ``module:name`` and imported when it is asked for, so that its name can be
listed in a help text without importing what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar, cast

from emobatch.errors import UnknownName

Part = TypeVar("Part")


class Registry(Generic[Part]):
    """Parts of one kind by name, in the order in which they were registered."""

    def __init__(self, kind: str, parts: Mapping[str, str | Part]) -> None:
        """List what there is.

        Args:
            kind: what a part is called in messages.
            parts: each the part itself, or ``module:name`` of where it is defined.
        """
        self.kind = kind
        self._parts = dict(parts)

    def __iter__(self) -> Iterator[str]:
        """Names, in order."""
        return iter(self._parts)

    def __contains__(self, name: object) -> bool:
        """Whether a name is registered."""
        return name in self._parts

    def __getitem__(self, name: str) -> Part:
        """Look a part up.

        Args:
            name: as registered.

        Returns:
            The part.

        Raises:
            UnknownName: if there is none of that name; lists the names, and the nearest one.

        Examples:
            >>> Registry("tool", {"join": "os.path:join"})["join"]("a", "b")
            'a/b'
        """
        if name not in self._parts:
            import difflib  # here, so that help doesn't wait for it

            near = difflib.get_close_matches(name, self._parts, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UnknownName(f"no {self.kind} {name!r}; {hint}there are {', '.join(self)}")
        part = self._parts[name]
        if isinstance(part, str):
            module, _, attribute = part.partition(":")
            part = cast(Part, getattr(import_module(module), attribute))
            self._parts[name] = part
        return part

    def register(self, name: str, part: str | Part) -> None:
        """Add a part.

        Args:
            name: what it is asked for by.
            part: itself, or ``module:name`` of where it is defined.
        """
        self._parts[name] = part

    def remove(self, name: str) -> None:
        """Take a part away again.

        Args:
            name: as registered.
        """
        del self._parts[name]
