"""Kinds of option values: numbers, names, and registered parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from emobatch.errors import UnknownName
from emobatch.registry import Registry


class NumberOrWord(click.ParamType[Any]):
    """A number within limits, or one of some words."""

    name = "number"

    def __init__(self, limits: tuple[float, float], words: Sequence[str]) -> None:
        """Take what a value may be.

        Args:
            limits: lowest and highest.
            words: the others.
        """
        self._limits, self._words = limits, words

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Say what it may be.

        Args:
            param: the option.
            ctx: of the command.

        Returns:
            What stands for the value in a help text.
        """
        return "|".join(["NUMBER", *self._words])

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        """Check a value.

        Args:
            value: as typed.
            param: the option.
            ctx: of the command.

        Returns:
            The number or the word.

        Raises:
            click.BadParameter: says what it may be.
        """
        if value in self._words:
            return str(value)
        low, high = self._limits
        try:
            number = float(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            words = "".join(f", or {word}" for word in self._words)
            self.fail(f"{value!r} is not a number from {low:g} to {high:g}{words}", param, ctx)
        return number


class Counts(click.ParamType[Any]):
    """Numbers of rows, separated by commas."""

    name = "counts"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Check a value.

        Args:
            value: as typed, or a default.
            param: the option.
            ctx: of the command.

        Returns:
            The numbers.

        Raises:
            click.BadParameter: if one is no whole number above 0.
        """
        if isinstance(value, tuple):
            return value
        texts = [text.strip() for text in value.split(",")]
        if not all(text.isascii() and text.isdigit() and int(text) for text in texts):
            self.fail(f"{value!r}: give whole numbers above 0, as in 20,50,100", param, ctx)
        return tuple(int(text) for text in texts)


class Names(click.ParamType[Any]):
    """Some of a few names, separated by commas."""

    name = "names"

    def __init__(self, known: tuple[str, ...]) -> None:
        """Take names.

        Args:
            known: those that there are.
        """
        self._known = known

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Check a value.

        Args:
            value: as typed, or a default.
            param: the option.
            ctx: of the command.

        Returns:
            The names in the order given.

        Raises:
            click.BadParameter: if one is unknown.
        """
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in value.split(","))
        for name in names:
            if name not in self._known:
                self.fail(f"{name!r} is none of {', '.join(self._known)}", param, ctx)
        return names


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
