"""Option values that name registered parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from emobatch.errors import UnknownName
from emobatch.registry import Registry


class Part(click.ParamType[Any]):
    """The name of a registered part, or several of them separated by commas."""

    name = "name"

    def __init__(
        self, registry: Registry[Any], *, several: bool = False, others: Sequence[str] = ()
    ) -> None:
        """Take names of a registry's parts, of those that are registered when it is asked.

        Args:
            registry: holds the parts.
            several: whether commas separate more than one.
            others: further values, that are no parts.
        """
        self._registry = registry
        self._several = several
        self._others = tuple(others)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """List the names.

        Args:
            param: the option.
            ctx: of the command.

        Returns:
            What stands for the value in a help text.
        """
        return f"[{'|'.join((*self._registry, *self._others))}]{',…' if self._several else ''}"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[str, ...]:
        """Check a value.

        Args:
            value: as typed, or a default.
            param: the option.
            ctx: of the command.

        Returns:
            The name, or the names.

        Raises:
            click.BadParameter: names what there is.
        """
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in value.split(",")) if self._several else (value,)
        for name in names:
            if name not in self._registry and name not in self._others:
                try:
                    self._registry[name]
                except UnknownName as error:
                    self.fail(str(error), param, ctx)
        return tuple(dict.fromkeys(names)) if self._several else names[0]
