"""What logistic fusion says of itself to people."""

from __future__ import annotations

from collections.abc import Mapping

from emobatch.fusion.description import Section, Table, Value
from emobatch.fusion.logistic.gate_cost import GateCost
from emobatch.fusion.logistic.model import Model

RESTS_ON = (
    "Rows of a dialogue are decided together. That rests on neighbouring rows of a speaker sharing "
    "a label, more than chance gives: where speakers were recorded sentence by sentence, or rows "
    "were shuffled, there is nothing to gain."
)


def described(
    model: Model,
    strength: float,
    rho: float | None,
    tried: Mapping[float, float],
    cost: GateCost | None,
) -> list[Section]:
    """Lay out what was fitted.

    Args:
        model: as fitted.
        strength: C, the inverse of the penalty.
        rho: chance that neighbours share a label, None without context.
        tried: UA in percent of each strength, where one was chosen.
        cost: of a gate, where there is one.

    Returns:
        A section of tables.
    """
    rows: list[tuple[str, str | Value]] = [
        ("C, the inverse of the penalty", f"{strength:g}"),
        ("speakers", "centred" if model.is_centred else "not centred"),
        ("temperature", Value(model.temperature)),
    ]
    blocks: list[str | Table] = []
    if rho is not None:
        rows.append(("rho, from pairs of neighbouring labels", Value(rho, 3)))
        blocks.append(RESTS_ON)
    if model.margin is not None:
        rows.append(("text is asked up to a margin of", Value(model.margin, 4)))
    blocks.insert(0, Table("Logistic fusion", ("as fitted", "value"), tuple(rows)))
    if tried:
        figures = tuple((f"{each:g}", Value(figure)) for each, figure in tried.items())
        blocks.append(Table("Penalties tried", ("C, leaving speakers out", "UA, %"), figures))
    if cost is not None:
        shares = (("these", Value(cost.asked), Value(cost.gated)), ("all", 100, Value(cost.whole)))
        title = f"Rows that the text branch is asked about, of {cost.rows} labelled ones"
        blocks.append(Table(title, ("asked about", "share, %", "UA, %"), shares))
    return [Section("Logistic fusion", tuple(blocks))]
