"""A campaign week with a pause in it: the phases of docs/odd.md, 3, with room for agents that decide.

`open_week` carries phases 1 to 3; then agents are asked; `close_week` carries phases 4 to 9 with their
decisions. Together they do what `kernels/weeks.py` does without a pause.
"""

from __future__ import annotations

from mobsim.engine.block import Block
from mobsim.kernels.arrays import Int8
from mobsim.kernels.delivery import deliver_week
from mobsim.kernels.diffusion import diffuse_week
from mobsim.kernels.dynamics import conclude_week


def open_week(block: Block) -> None:
    """Carry phases 1 and 2 of the block's next campaign week: calendar, money, delivery (3: later)."""
    week = block.week
    deliver_week(
        week,
        block.ties,
        block.residents,
        block.rules,
        block.keys,
        block.plans.kernel,
        block.purse,
        block.state,
        block.orders,
        block.tally.units[week],
        block.tally.cents[week],
        block.tally.reached[week],
        block.efforts,
    )


def close_week(block: Block, forced: Int8) -> None:
    """Carry phases 4 to 9 of the campaign week that `open_week` began.

    Parameters
    ----------
    block : the block.
    forced : (N, L) decisions of agents; -1 leaves it to the rules.
    """
    week = block.week
    # 4, 5, 6: diffusion, leaving, learning
    diffuse_week(
        week, block.ties, block.residents, block.rules, block.keys, block.state, forced, block.counts
    )
    # 7: leaders and organizations decide (later). 8: results and policy
    conclude_week(
        week,
        block.residents,
        block.rules,
        block.keys,
        block.plans.kernel.coalition,
        block.state,
        block.efforts,
    )
    # 9: record
    block.tally.counts[week] = block.counts
    block.tally.results[week] = block.state.results
    block.tally.wins[week] = block.state.wins
    block.week = week + 1
