"""Options of the methods that are fitted."""

from __future__ import annotations

from typing import Any

import click

from emobatch.cli.options.together import together
from emobatch.cli.parts import NumberOrWord
from emobatch.fusion.methods import OPTIONS, Option


def _kind(option: Option) -> click.ParamType[Any]:
    if option.metavar:
        return click.STRING
    if option.numbers:
        return NumberOrWord(option.numbers, option.choices)
    return click.Choice(option.choices)


fit_options = together(
    *(
        click.option(
            f"--{option.name.replace('_', '-')}",
            option.name,
            type=_kind(option),
            metavar=option.metavar or None,
            help=f"{option.help}  [default: {option.default}]",
        )
        for option in OPTIONS
    )
)
