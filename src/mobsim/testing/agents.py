"""What every class of agents keeps: where it decides nothing itself it is the engine; order is nothing."""

from __future__ import annotations

from typing import Any

from mobsim.engine.records import Records
from mobsim.engine.run import simulate
from mobsim.errors import MobsimError
from mobsim.mesa_model.agents import Leader, Resident
from mobsim.mesa_model.model import MobilizationModel
from mobsim.mesa_model.organization import Organization
from mobsim.scenario.scenario import Scenario
from mobsim.testing.worlds import check_money, differing, small_world

DECISIONS = ("decide", "decide_stance")
"""Methods by which agents decide for themselves."""

WEEKS = 16
ARM = {"activities": [{"kind": "visit", "share": 1}, {"kind": "leader", "share": 1}]}


def check_resident_class(cls: type[Resident]) -> None:
    """Check that a class of residents keeps what mobsim promises its readers.

    1. With the model's own rules in place of its decisions it is the engine, bit for bit.
    2. It runs, and its agents may be asked in any order: nobody sees what another has just decided.
    3. Running it again changes no bit, and no cent is lost.

    Parameters
    ----------
    cls : a subclass of `Resident`.

    Raises
    ------
    AssertionError : with a sentence that says what does not hold.

    Examples
    --------
    >>> check_resident_class(Resident)
    """
    _check(cls, Resident, "resident_class")


def check_leader_class(cls: type[Leader]) -> None:
    """Check that a class of leaders keeps the same as a class of residents.

    Parameters
    ----------
    cls : a subclass of `Leader`.

    Raises
    ------
    AssertionError : with a sentence that says what does not hold.
    """
    _check(cls, Leader, "leader_class")


def check_organization_class(cls: type[Organization]) -> None:
    """Check that a class of organizations keeps the same as a class of residents.

    Parameters
    ----------
    cls : a subclass of `Organization`.

    Raises
    ------
    AssertionError : with a sentence that says what does not hold.
    """
    _check(cls, Organization, "organization_class")


def _check(cls: Any, base: type, option: str) -> None:
    fits = isinstance(cls, type) and issubclass(cls, base)
    assert fits, f"found {cls!r}; allowed is a subclass of {base.__name__}"
    what = f"class {cls.__name__}"
    scenario = small_world({"with": ARM}, weeks=WEEKS)
    rules = {name: getattr(base, name) for name in DECISIONS if hasattr(base, name)}
    plain = type(f"Plain{cls.__name__}", (cls,), rules)
    engine = simulate(scenario, arms=["with"], communities=1, luck=2, threads=1)
    difference = differing(engine, _run(what, scenario, option, plain))
    assert difference is None, (
        f"{what}: {difference} differ from the engine's although every decision was left to the model; "
        "change agents only by their decisions"
    )
    records = _run(what, scenario, option, cls)
    check_money(records, what)
    for backwards, how in ((False, "again"), (True, "in another order")):
        difference = differing(records, _run(what, scenario, option, cls, backwards))
        assert difference is None, (
            f"{what}: {difference} differ when its agents are asked {how}; decide by what stands in the "
            "model and by self.uniform(), never by self.random or by what another agent has just decided"
        )


def _run(what: str, scenario: Scenario, option: str, cls: type, backwards: bool = False) -> Records:
    """Run two lucks with a class; asked the other way round if wanted."""

    class Model(MobilizationModel):
        """The model with the class."""

        def _make_agents(self, organization_class: type[Organization]) -> None:
            super()._make_agents(organization_class)
            if backwards:
                for asked in (self._asked, self._asked_for_stance, self._asked_for_membership):
                    asked.reverse()

    setattr(Model, option, cls)
    try:
        return Model.simulate(scenario, arms=["with"], communities=1, luck=2)
    except MobsimError as error:
        raise AssertionError(f"{what}: {error}") from error
