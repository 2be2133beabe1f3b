"""The policy of the gate: the rules that ship, each with an id, its bounds, and what a configuration may change.

These defaults are the shipped policy. A configuration changes a rule by its id, field by field, or switches it off with
`off`; what it does not name stays as it ships. The verdict prints every change.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from schemas.strict import Bound, Fraction, Severity, Strict

Documents = Annotated[int, Field(ge=2)]
USUAL_SIZE = 25_000  # documents


class Rule(Strict):
    """A rule of the policy."""

    severity: Severity = Field("fail", description="fail decides the verdict; warn is only shown.")

    def laxer_than(self, shipped: "Rule") -> list[str]:
        """The fields whose value asks for less than what ships, in words."""
        found = []
        for name, value in self:
            was = getattr(shipped, name)
            sign = _STRICTER.get(name, 0)
            if value != was and (name == "severity" or (sign and (value - was) * sign < 0)):
                found.append(f"{name} {_shown(value)} (shipped: {_shown(was)})")
        return found


# Whether a larger value of a field asks for more (1) or for less (-1).
_STRICTER = {
    "at_least": 1, "warn_below": 1, "at_most": -1, "warn_above": -1,
    "near": -1, "twins": -1, "passages": -1, "frames": -1, "documents": -1, "usual_size": 1,
}  # fmt: skip


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


class NarrowRule(Rule):
    """`narrow`: the share of the tokens that lie in narrow documents, which say what many others say."""

    near: Documents = Field(5, description="A document is narrow if so many near-duplicates exist, itself included.")
    twins: Documents = Field(
        5, description="So many verified twins: alike by meaning and in words, itself included, per answer allowed."
    )
    passages: Fraction = Field(
        0.65, description="This share of its words stands in passages of 20 words that eight documents or more hold."
    )
    frames: Fraction = Field(
        0.65,
        description="This share of its words stands in frames that eight documents or more hold: stretches of 24 words "
        "with nine different ones in the same places.",
    )
    usual_size: int = Field(
        USUAL_SIZE,
        ge=1,
        description="Documents of 50 tokens or more up to which these numbers stand as they are; in one four times "
        "as large twice as many must say a thing, for every rule that counts how often one is said.",
    )
    warn_above: Fraction = Field(0.01, description="Share of the tokens from which sources are named.")
    at_most: Fraction = Field(0.05, description="Most of the tokens that may be narrow.")


class NearRule(Rule):
    """`near`: the near distinct fraction of all documents, by documents and by tokens of the mixture."""

    at_least: Fraction = Field(0.8, description="Lower bound.")


class MeaningRule(Rule):
    """`meaning`: the distinct fraction of all by verified twins, by tokens of the mixture."""

    at_least: Fraction = Field(0.6, description="Lower bound.")


class HeavyRule(Rule):
    """`heavy_species`: one text, or a near copy of it, that holds a share of the tokens alone."""

    documents: Documents = Field(50, description="Documents from which a species is looked at.")
    at_most: Fraction = Field(1e-3, description="Most of the tokens that one may hold.")


class PassagesRule(Rule):
    """`passages`: one passage that so many documents hold: a licence head, a frame, or text that was planted."""

    severity: Severity = Field("warn", description="fail decides the verdict; warn is only shown.")
    documents: Documents = Field(50, description="Documents from which a passage is named.")


class UnreadRule(Rule):
    """`unread`: the share of the tokens that no lens of meaning could read. More is UNKNOWN, if nothing fails."""

    at_most: Fraction = Field(0.1, description="Most of the tokens that may be unread.")


class EpochsRule(Rule):
    """`epochs`: what a source's tokens are worth when they are repeated, as a share of new ones."""

    warn_below: Fraction = Field(0.9, description="Worth below which a source is named: 4 epochs are worth .93.")
    at_least: Fraction = Field(0.6, description="Least that the tokens of a source may be worth.")


class ReferenceRule(Rule):
    """`reference`: RKE of all over the reference's at the same size, asked where there is one; kinds are only named."""

    warn_below: Bound = Field(0.8, description="Share of the reference's below which a scope is named.")
    at_least: Bound = Field(0.4, description="Least share of the reference's for all together.")


class CoverageRule(Rule):
    """`coverage`: share of a reference that the mixture surrounds, over what the reference's half surrounds of it."""

    at_least: Bound = Field(0.9, description="Least share of the ceiling; asked of a reference outside the mixture.")


class ContainmentRule(Rule):
    """`containment`: the share of a source's documents that have a near-duplicate in another source."""

    severity: Severity = Field("warn", description="fail decides the verdict; warn is only shown.")
    at_most: Fraction = Field(0.1, description="Share from which a pair of sources is named.")


def _as_off(value: object) -> object:
    """YAML reads `off` as false; in JSON and Python it may be the word."""
    return None if value in (False, "off") else value


class Policy(Strict):
    """The rules by their ids. `off` switches one off; what is off, or laxer than shipped, stands in every verdict."""

    narrow: Annotated[NarrowRule | None, BeforeValidator(_as_off)] = NarrowRule()
    near: Annotated[NearRule | None, BeforeValidator(_as_off)] = NearRule()
    meaning: Annotated[MeaningRule | None, BeforeValidator(_as_off)] = MeaningRule()
    heavy_species: Annotated[HeavyRule | None, BeforeValidator(_as_off)] = HeavyRule()
    passages: Annotated[PassagesRule | None, BeforeValidator(_as_off)] = PassagesRule()
    containment: Annotated[ContainmentRule | None, BeforeValidator(_as_off)] = ContainmentRule()
    unread: Annotated[UnreadRule | None, BeforeValidator(_as_off)] = UnreadRule()
    epochs: Annotated[EpochsRule | None, BeforeValidator(_as_off)] = EpochsRule()
    reference: Annotated[ReferenceRule | None, BeforeValidator(_as_off)] = ReferenceRule()
    coverage: Annotated[CoverageRule | None, BeforeValidator(_as_off)] = CoverageRule()

    def changes(self) -> Iterator[tuple[str, str, bool]]:
        """Differences from the shipped policy: id, words, and whether it asks for less."""
        for name, rule in self:
            was = getattr(SHIPPED, name)
            if rule == was:
                continue
            if rule is None:
                yield name, "off", True
                continue
            laxer = rule.laxer_than(was)
            moved = [f"{field} {_shown(value)}" for field, value in rule if value != getattr(was, field)]
            yield name, ", ".join(laxer or moved), bool(laxer)


SHIPPED = Policy()
RULES = tuple(Policy.model_fields)
Judge = Literal["meaning", "words"]
