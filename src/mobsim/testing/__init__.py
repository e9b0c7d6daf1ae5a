"""Conformance tests that authors of extensions import: plain functions that raise AssertionError.

What passes them keeps the promises that mobsim makes to its readers: strategies differ by what they do and by
nothing else, no cent is lost, and a result can be repeated anywhere. See docs/tutorials/extending.md.

Examples
--------
>>> check_activity("visit")
"""

from __future__ import annotations

from mobsim.testing.activity import check_activity as check_activity
from mobsim.testing.agents import check_leader_class as check_leader_class
from mobsim.testing.agents import check_organization_class as check_organization_class
from mobsim.testing.agents import check_resident_class as check_resident_class
from mobsim.testing.policy import check_policy as check_policy
from mobsim.testing.targeting import check_targeting as check_targeting
