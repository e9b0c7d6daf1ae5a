"""How residents become aware, decide, learn and leave: the parameters of rules (1)-(8) of docs/odd.md."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, model_validator

from mobsim.spec import Spec, declared

Share = Annotated[float, Field(ge=0.0, le=1.0)]
HalfLife = PositiveFloat | None


class NormalThresholds(Spec):
    """Thresholds from an untruncated normal distribution."""

    kind: Literal["normal"]
    mean: float = declared(
        0.42, "mean threshold, in threshold points", source="[P] calibrated", symbol="θ̄", ge=-10, le=10
    )
    sd: float = declared(0.32, "standard deviation", source="[P] calibrated", symbol="σ_θ", ge=0, le=10)


class TruncatedNormalThresholds(Spec):
    """Thresholds by the inverse of a truncated normal distribution (never by clipping)."""

    kind: Literal["truncated_normal"] = "truncated_normal"
    mean: float = declared(
        0.42,
        "mean before truncation, in threshold points",
        source="[P] calibrated",
        symbol="θ̄",
        usual=(0, 0.8),
        ge=-10,
        le=10,
    )
    sd: float = declared(
        0.32,
        "standard deviation before truncation",
        source="[P] calibrated",
        symbol="σ_θ",
        usual=(0.05, 0.4),
        ge=0,
        le=10,
    )
    low: float = declared(-1.0, "lowest threshold", source="[A]", ge=-10, le=10)
    high: float = declared(2.0, "highest threshold", source="[A]", ge=-10, le=10)

    @model_validator(mode="after")
    def _ordered(self) -> TruncatedNormalThresholds:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if not self.low <= self.mean <= self.high:
            raise ValueError("mean must lie between low and high")
        return self


class UniformThresholds(Spec):
    """Thresholds drawn uniformly between two values."""

    kind: Literal["uniform"]
    low: float = declared(0.0, "lowest threshold", source="[A]", ge=-10, le=10)
    high: float = declared(1.0, "highest threshold", source="[A]", ge=-10, le=10)

    @model_validator(mode="after")
    def _ordered(self) -> UniformThresholds:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class ConstantThresholds(Spec):
    """The same threshold for everybody."""

    kind: Literal["constant"]
    value: float = declared(..., "the threshold of every resident", source="[A]", ge=-10, le=10)


class ListedThresholds(Spec):
    """One threshold a resident, in the order of their ids."""

    kind: Literal["values"]
    values: tuple[Annotated[float, Field(ge=-10, le=10)], ...] = declared(
        ..., "one threshold a resident", source="[A]", min_length=1
    )


class CountThresholds(Spec):
    """Join when at least this many contacts (in a well-mixed community: others) take part: whole numbers."""

    kind: Literal["count"]
    value: int | None = declared(None, "the count of every resident", source="[A]", ge=0)
    values: tuple[Annotated[int, Field(ge=0)], ...] | None = declared(
        None, "one count a resident", source="[A]"
    )

    @model_validator(mode="after")
    def _one_of(self) -> CountThresholds:
        if (self.value is None) == (self.values is None):
            raise ValueError("give either value or values")
        return self


ThresholdSpec = Annotated[
    NormalThresholds
    | TruncatedNormalThresholds
    | UniformThresholds
    | ConstantThresholds
    | ListedThresholds
    | CountThresholds,
    Field(discriminator="kind"),
]


class BehaviourSpec(Spec):
    """Parameters of the rules; names in full words, symbols as in docs/odd.md."""

    social_weight: float = declared(
        0.5,
        "weight of exposure: evidence runs from none to strong",
        source="[V] 0-1",
        symbol="J",
        usual=(0, 1),
        ge=0,
        le=10,
    )
    noise: float = declared(
        0.10,
        "spread of the logit choice; 0 is a sharp threshold",
        source="[A]",
        symbol="τ",
        usual=(0, 0.3),
        ge=0,
        le=10,
    )
    reconsider: Share = declared(
        0.25, "weekly chance of reconsidering", source="[A]", symbol="ρ", unit="per week", usual=(0.05, 1)
    )
    visibility: Share = declared(
        0.10, "weight of community-wide participation in exposure", source="[A]", symbol="λ", usual=(0, 1)
    )
    share_exponent: Share = declared(
        1.0, "1: share of contacts; 0: weighted count", source="[A]", symbol="η", usual=(0, 1)
    )
    habit: float = declared(
        0.12, "how far ownership holds participants", source="[A]", symbol="h", usual=(0, 0.4), ge=0, le=10
    )
    appeal_weight: float = declared(
        0.12,
        "weight of trusted appeal",
        source="[P] calibrated to canvassing [V]",
        symbol="κ_m",
        usual=(0.03, 0.25),
        ge=0,
        le=10,
    )
    capability_weight: float = declared(
        0.25, "weight of capability", source="[A]", symbol="κ_s", usual=(0, 0.5), ge=0, le=10
    )
    results_weight: float = declared(
        0.08,
        "weight of visible results; negative: free riding",
        source="[A]",
        symbol="κ_z",
        usual=(-0.2, 0.3),
        ge=-10,
        le=10,
    )
    thresholds: ThresholdSpec = Field(
        default_factory=TruncatedNormalThresholds, description="distribution of thresholds"
    )
    capability_sd: float = declared(0.10, "spread of starting capability", source="[A]", ge=0, le=1)
    trust_sd: float = declared(0.15, "spread of starting trust", source="[A]", ge=0, le=1)
    tell_participant: Share = declared(
        0.005,
        "weekly chance that a participant tells an unaware contact",
        source="[P] calibrated",
        symbol="c_P",
        unit="per tie and week",
        usual=(0.001, 0.1),
    )
    tell_other: Share = declared(
        0.0005,
        "the same for an aware non-participant",
        source="[V] ratio ~10",
        symbol="c_N",
        unit="per tie and week",
        usual=(0.0, 0.1),
    )
    exposure_window: int | None = declared(
        None,
        "weeks after being told in which one still tells; none: always",
        source="[A]",
        unit="weeks",
        ge=1,
        le=10_000,
    )
    awareness_half_life: HalfLife = declared(
        13.0, "half-life of awareness; none: never forgotten", source="[A]", symbol="H_a", unit="weeks"
    )
    appeal_half_life: HalfLife = declared(
        4.0, "half-life of appeal; none: kept", source="[A]", symbol="H_m", unit="weeks", usual=(1, 12)
    )
    capability_half_life: HalfLife = declared(
        48.0,
        "half-life of gained capability; none: kept",
        source="[V] 28-56",
        symbol="H_s",
        unit="weeks",
        usual=(28, 56),
    )
    ownership_half_life: HalfLife = declared(
        52.0, "half-life of ownership; none: kept", source="[A]", symbol="H_o", unit="weeks", usual=(26, 104)
    )
    learning: Share = declared(
        0.0005,
        "capability gained by participating",
        source="[A] .005 cannot rest",
        symbol="u_s",
        unit="per week",
    )
    ownership_growth: Share = declared(
        0.04, "ownership gained by participating", source="[A]", symbol="g_o", unit="per week"
    )
    lapse: Share = declared(
        0.003,
        "weekly chance that a participant lapses",
        source="[A]",
        symbol="δ",
        unit="per week",
        usual=(0.002, 0.01),
    )
    turnover: Share = declared(
        0.002,
        "weekly chance that a newcomer takes a resident's place",
        source="[A]",
        symbol="μ_t",
        unit="per week",
        usual=(0, 0.005),
    )
    trust_loss: Share = declared(0.02, "trust lost by bad delivery", source="[A]", symbol="B_T")
    results_rate: Share = declared(
        0.02, "speed at which results follow participation", source="[A]", symbol="d_z", unit="per week"
    )
    results_exponent: float = declared(
        2.0, "steepness of the production function", source="[A]", symbol="γ", ge=0, le=20
    )
    results_half: float = declared(
        0.3, "participation that gives half of the results", source="[A]", symbol="F*", gt=0, le=1
    )
    lobby_success: float = declared(0.25, "hazard of a win an effort", source="[A]", symbol="ε", ge=0, le=100)
    win_relief: Share = declared(
        0.25, "share of the barrier that a standing win removes", source="[A]", symbol="Δq"
    )
    max_wins: int = declared(4, "most standing policy wins", source="[A]", symbol="v_max", ge=0, le=64)
    win_reversal: Share = declared(
        0.002, "weekly chance that a standing win is reversed", source="[A]", unit="per week"
    )
    organizer_capability: Share = declared(
        0.45, "capability that an organizer needs", source="[A] calibrated [P]", symbol="s*"
    )
    organizer_ownership: Share = declared(
        0.8, "ownership that an organizer needs", source="[A] calibrated [P]", symbol="o*"
    )
    organizer_start: Share = declared(
        0.02,
        "weekly chance that a capable participant becomes an organizer; leaders: five times",
        source="[A] calibrated [P]",
        symbol="π_r",
        unit="per week",
    )
    organizer_contacts: int = declared(
        1, "contacts of an organizer in a week", source="[A]", symbol="n_r", unit="per week", ge=0, le=64
    )
    peer_appeal: float = declared(
        0.5, "appeal of an organizer's contact", source="[A]", symbol="D_peer", ge=0, le=100
    )
    engagement_weeks: int = declared(
        13, "weeks for which an engagement holds", source="[A]", unit="weeks", ge=1, le=10_000
    )
    leader_reconsider: Share = declared(
        0.25, "chance that a leader reconsiders at a decision", source="[A]", symbol="ρ_L"
    )
    leader_leaning_weight: float = declared(
        0.4, "pull of a leader's own leaning", source="[A]", symbol="β_ℓ", ge=0, le=10
    )
    leader_engagement_weight: float = declared(
        0.3, "weight of training or engagement on a leader", source="[A]", symbol="κ_e", ge=-10, le=10
    )
    leader_coalition_weight: float = declared(
        0.2, "weight of the coalition's growth on a leader", source="[A]", symbol="κ_C", ge=-10, le=10
    )
    leader_threshold: float = declared(
        0.35, "threshold of a change of stance", source="[A]", symbol="θ_L", ge=0, le=10
    )
    leader_noise: float = declared(
        0.05, "spread of leaders' choice; 0 is sharp", source="[A]", symbol="τ_L", ge=0, le=10
    )
    organization_reconsider: Share = declared(
        0.25, "chance that an organization reconsiders at a decision", source="[A]", symbol="ρ_o"
    )
    organization_engagement_weight: float = declared(
        0.5, "weight of an engagement on an organization", source="[A]", symbol="β_e", ge=-10, le=10
    )
    coalition_weight: float = declared(
        0.5, "weight of the coalition on an organization", source="[A]", symbol="J_o", ge=-10, le=10
    )
    organization_threshold: float = declared(
        0.8, "threshold of joining the coalition", source="[A]", symbol="θ_o", ge=-10, le=10
    )
    organization_noise: float = declared(
        0.15, "spread of organizations' choice; 0 is sharp", source="[A]", symbol="τ_o", ge=0, le=10
    )
    irreversible: bool = Field(False, description="participants never leave (special cases)")


BARE_BEHAVIOUR: dict[str, object] = {
    "social_weight": 1.0,
    "noise": 0.0,
    "reconsider": 1.0,
    "visibility": 0.0,
    "share_exponent": 1.0,
    "habit": 0.0,
    "appeal_weight": 0.0,
    "capability_weight": 0.0,
    "results_weight": 0.0,
    "tell_participant": 0.0,
    "tell_other": 0.0,
    "awareness_half_life": None,
    "appeal_half_life": None,
    "capability_half_life": None,
    "ownership_half_life": None,
    "learning": 0.0,
    "ownership_growth": 0.0,
    "lapse": 0.0,
    "turnover": 0.0,
    "results_rate": 0.0,
    "win_relief": 0.0,
    "max_wins": 0,
    "organizer_start": 0.0,
    "leader_reconsider": 0.0,
    "organization_reconsider": 0.0,
    "irreversible": True,
}
"""What `preset: bare` sets (docs/odd.md, special cases): nothing but exposure against a threshold."""
