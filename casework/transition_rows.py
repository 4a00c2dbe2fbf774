"""What a row of the table of transitions is made of: its columns, the conditions, and rows of one shape."""

from typing import Final, Literal

import msgspec

from casework.states import ASSIGNED_STATES, CLOSED, OFFERED, ORPHANED

Who = Literal[
    "origin",
    "responsible",
    "pool",
    "mandated",
    "party",
    "anybody",
    "exchange",
    "maker",
    "asked",
    "liaison",
    "secretariat",
    "police",
]
Breach = Literal["not_responsible", "out_of_order", "despite_hold", "before_police", "without_consent"]
SAME: Final = "same"
ACTION: Final = "the action"
"""In the column of facts: the fact is named like the action."""
NEW_LEG: Final = "the new leg"
"""In the columns of facts and state: what begins the next leg by the routing rule, such as `assigned`."""
HOTLINE: Final = "a hotline is responsible"
OWN: Final = "the origin itself is responsible"
NO_HOTLINE: Final = "no hotline is responsible"
CONFIRMED_ELSEWHERE: Final = "it names a confirmed host elsewhere, that of the case is provisional"
DISPUTED: Final = "it names another country, where the host was seen since the leg began"
HERE: Final = "it names no other country"
ELSEWHERE: Final = "it names another country"
SEEN_ELSEWHERE: Final = "it names another country, seen there since the leg began"
OFTEN: Final = "more often in this round than the limit; once"
OF_THE_OFFER: Final = "an origin, a hotline that may claim it or police of the hosting country says so"
POOL: Final = "several hotlines may claim it"
NEEDS_NEW_ROUND: Final = "seen online after the closing, or its hotline has left"
DISAGREEMENT: Final = "disagreement"
AGAINST_BASELINE: Final = "not illegal, against a baseline of another hotline"
HOLDERS: Final = ("responsible", "origins", "former")
DURING_HOLD: Final = "during a hold"
POLICE_FIRST: Final = "police come first there, and were not told or not long enough ago"
POLICE_CONSENT: Final = "police must consent there, and have not in this leg"
NOTICE_CONDITIONS: Final = frozenset({DURING_HOLD, POLICE_FIRST, POLICE_CONSENT})
"""Under which a provider that is told makes a breach that counts."""
BY_POLICE: Final = "by police, while an escalation is open"
OF_FEED: Final = "by police, of a feed item"
OF_FEED_INFORMING: Final = "by police, of a feed item, where that informs police"


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        event: `report`, `timer`, `content` (who can open it has changed), `feed` (after other facts of a
            decision), an action's code, or `any action`.
        when: Condition beside state and sender; empty when there is none.
        states: States in which the row applies.
        who: Who may: `responsible` is the hotline of the current leg, `pool` those the case is offered to,
            `mandated` who may claim from the orphan desk, `liaison` police of the hosting country or with an
            escalation or feed item, `police` others, `party` any member entitled to the case, `maker` the
            member whose fact is corrected, `asked` one whose confirmation is waited for; of an action that
            waits it is asked when its report comes, so `anybody` may.
        reason_required: Whether a reason code must be given.
        facts: Kinds of the facts that are recorded, in order.
        state: State afterwards; `same` leaves it. A step behind the state leaves it too.
        breach: Breach the fact is recorded with; one of `EFFECTLESS` leaves the case as it was.
        told: Who gets a delivery or an escalation; the sender itself is answered by the receipt.
    """

    event: str
    when: str = ""
    states: tuple[str, ...]
    who: Who
    reason_required: bool = False
    facts: tuple[str, ...]
    state: str
    breach: Breach | None = None
    told: tuple[str, ...] = ()


def row(  # noqa: PLR0913, PLR0917 - the columns of the table, in their order
    event: str,
    when: str,
    states: tuple[str, ...],
    who: Who,
    facts: tuple[str, ...],
    state: str,
    told: tuple[str, ...] = (),
    *,
    reason_required: bool = False,
    breach: Breach | None = None,
) -> Transition:
    """Answer a row from its columns, in the order in which readers see them."""
    return Transition(
        event=event,
        when=when,
        states=states,
        who=who,
        reason_required=reason_required,
        facts=facts,
        state=state,
        breach=breach,
        told=told,
    )


def step(event: str, states: tuple[str, ...]) -> Transition:
    """Answer the row of a step of the responsible hotline that is named like its state."""
    return Transition(
        event=event, states=states, who="responsible", facts=(event,), state=event, told=("origins",)
    )


def final(event: str, *, reason_required: bool) -> Transition:
    """Answer the row of an action of the responsible hotline that ends the round."""
    return Transition(
        event=event,
        states=ASSIGNED_STATES,
        who="responsible",
        reason_required=reason_required,
        facts=(event, "closed"),
        state=CLOSED,
        told=("origins", "former"),
    )


def told_where(event: str, when: str, then: tuple[str, ...]) -> tuple[Transition, ...]:
    """Answer the rows of a word on where the content is hosted; who has the case decides who may say so."""
    goes = NEW_LEG in then
    secretariat = ("secretariat",) if "moves_exceeded" in then else ()
    told: tuple[tuple[str, ...], ...] = (("origins",), ("desk", "origins"), ("origins",))
    if goes:
        everybody = ("origins", "former", "police", *secretariat)
        told = (("place", *everybody), ("place", "desk", *everybody), ("place", "pool", *everybody))
    ways: tuple[tuple[tuple[str, ...], Who, str], ...] = (
        (ASSIGNED_STATES, "responsible", when),
        ((ORPHANED,), "party", when),
        ((OFFERED,), "party", in_offer(when)),
    )
    return tuple(
        Transition(
            event=event,
            when=condition,
            states=states,
            who=who,
            facts=(event, *then),
            state=NEW_LEG if goes else SAME,
            told=members,
        )
        for (states, who, condition), members in zip(ways, told, strict=True)
    )


def followed(when: str, further: tuple[str, ...] = ()) -> tuple[Transition, ...]:
    """Answer the rows of an observation that takes a case along which no hotline has."""
    told = ("place", "origins", "former", "police", *(("secretariat",) if further else ()))
    ways = ((ORPHANED, when, "desk"), (OFFERED, in_offer(when), "pool"))
    return tuple(
        Transition(
            event="observed",
            when=condition,
            states=(state,),
            who="party",
            facts=("observed", "moved", NEW_LEG, *further),
            state=NEW_LEG,
            told=(there, *told),
        )
        for state, condition, there in ways
    )


def in_offer(when: str) -> str:
    """Answer the condition of a row for an offered case, where not every party may say so."""
    return f"{when}; {OF_THE_OFFER}" if when else OF_THE_OFFER
