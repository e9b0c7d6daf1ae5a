"""Starting files for people who write a scenario of their own."""

from __future__ import annotations

from pathlib import Path

from mobsim.errors import UsageError, nearest
from mobsim.scenario.catalogue import shipped_scenarios
from mobsim.scenario.complete import name_from

STARTER = """\
# A scenario: a community, the strategies compared in it, and the goals. Check it with: mobsim check FILE
# Every number needs a tag in a comment: [V] read in a source, [P] from a pilot, [A] assumed, [C] calibrated.
# A tag on a line that ends in a colon covers everything below it. What you leave out takes its default.
schema_version: 2
title: {title}
description: >
  Who are the residents, what is participating, and what does the planner want to know? Replace this text.
issue: ""                        # the common issue in a few words; empty: the title stands for it
sources: []
unit: person                     # or household
community:
  residents: 1000                # [A] how many people live here
  groups:                        # the first group is the majority; the shares add up to 1
    majority: {{share: 0.8}}       # [A]
    marginalized: {{share: 0.2}}   # [A] has a higher barrier, less trust and less access by default
  network: {{kind: households, degree: 10}}   # [V] 7-16 contacts a person
campaign:
  currency: USD
  budget_per_resident: 10        # [A] money for the whole campaign, for each resident
  funding_starts_week: 6         # [A]
  funding_ends_week: 78          # [A]
  public_money: 0.05             # [A] public money, as a share of the budget, when all policy wins stand
  contribution: 0.005            # [A] what a coalition member gives of its own resources at a decision
# behaviour:                     # rules can be changed one by one; 0 switches these off
#   organizer_start: 0           # [A] nobody becomes an organizer
#   leader_reconsider: 0         # [A] leaders keep their stance
#   organization_reconsider: 0   # [A] organizations stay where they are
arms:                            # strategies; an arm without a campaign is always added
  outreach:                      # [A] shares of the money
    description: visits and meetings
    activities:
      - {{kind: visit, share: 0.6, target: random}}   # also: nominated, leaders, bridging, clustered, ...
      - {{kind: meeting, share: 0.4}}
  training:                      # [A] shares of the money
    description: skills workshops and trained leaders
    activities:
      - {{kind: skills, share: 0.7}}
      - {{kind: leader, share: 0.3}}
  advocacy:                      # [A] shares of the money
    description: lobbying with a coalition, made known by local media
    activities:                  # also: demonstration, org (trains organizations), stipend (frees organizers)
      - {{kind: lobby, share: 0.5}}
      - {{kind: coalition, share: 0.2}}   # wins over organizations, then leaders
      - {{kind: media, share: 0.3}}
  learning:                      # [A] shares of the money at the start
    description: a survey every quarter, and money to what answers the causes that people name
    policy: reasons              # also: fixed, assessed, marginal, equity
    survey: 100                  # residents asked each time; or {{respondents: 100, perfect: true}}
    # community_decides: true    # instead of a survey: what people say at meetings
    activities:
      - {{kind: visit, share: 0.3}}
      - {{kind: meeting, share: 0.2}}
      - {{kind: skills, share: 0.25}}
      - {{kind: lobby, share: 0.25}}
goals:
  - {{name: more_people, indicator: participation, at_least: 0.2, by_week: 77}}   # [A]
replicates: {{communities: 32, luck: 4}}
"""


def write_new(name: str, template: str) -> Path:
    """Write a scenario file to start from and return its path.

    Parameters
    ----------
    name : name of the scenario or its file; `.yaml` is added where it is missing.
    template : `starter`, or the name of a shipped scenario.

    Raises
    ------
    UsageError
        if the file is there already, cannot be written, or the template is unknown.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = path.with_name(path.name + ".yaml")
    text = _text(template, path.stem)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already and was left as it is; allowed: a new name") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{path} cannot be written: {reason}; allowed: a place where you may write"
        ) from None
    return path


def _text(template: str, stem: str) -> str:
    if template == "starter":
        return STARTER.format(title=name_from(stem).replace("_", " ").capitalize())
    shipped = shipped_scenarios()
    if template not in shipped:
        words = ["starter", *shipped]
        raise UsageError(
            f"--from is '{template}'; allowed: starter, or a name that `mobsim scenarios` "
            f"lists{nearest(template, words)}"
        )
    return shipped[template].read_text(encoding="utf-8")
