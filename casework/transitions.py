"""The state machine of a case as one table: what may happen, who may, what is recorded and who is told.

Decisions look rows up here and read no other list of what is allowed; docs/state-machine.md shows the same
table and a test holds page, table and behaviour together. A state is the furthest step of the current leg, so
a step that comes late never takes a case back; the times of all steps are kept beside the state.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

RULES_VERSION: Final = 4
"""Version of the rules in this room; grows when the same record would be decided otherwise."""

NONE: Final = "none"
AWAITED: Final = "awaited"
ORPHANED: Final = "orphaned"
OFFERED: Final = "offered"
AWAITING_REWRAP: Final = "awaiting_rewrap"
ASSIGNED: Final = "assigned"
ACKNOWLEDGED: Final = "acknowledged"
ASSESSED: Final = "assessed"
POLICE_INFORMED: Final = "police_informed"
PROVIDER_INFORMED: Final = "provider_informed"
CLOSED: Final = "closed"

STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        AWAITED: "only actions have come, their report has not",
        ORPHANED: "no hotline is responsible; the case waits at a desk, or police alone were told",
        OFFERED: "several hotlines may claim it, none has yet",
        AWAITING_REWRAP: "a hotline is responsible and can open no content of the case yet",
        ASSIGNED: "a hotline is responsible",
        ACKNOWLEDGED: "its system has stored the report and gave its reference",
        ASSESSED: "its analyst has judged it",
        POLICE_INFORMED: "police have been told",
        PROVIDER_INFORMED: "a provider has been told",
        CLOSED: "a final action ended the round; outcome says which",
    }
)
PLACES: Final = frozenset({"assigned", "orphaned", "offered"})
"""The facts that begin a leg."""
PARKING: Final = frozenset({"parked", "unparked", "given_up"})
"""Facts beside the table: in any state, by the exchange, told to nobody, changing nothing but what waits."""
_RANK: Final = {state: rank for rank, state in enumerate(STATES)}

ASSIGNED_STATES: Final = (
    AWAITING_REWRAP,
    ASSIGNED,
    ACKNOWLEDGED,
    ASSESSED,
    POLICE_INFORMED,
    PROVIDER_INFORMED,
)
OPEN_STATES: Final = (ORPHANED, OFFERED, *ASSIGNED_STATES)
UNKNOWN_STATES: Final = (NONE, AWAITED)

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
_LONG_RUN: Final = 3
ACTION: Final = "the action"
"""In the column of facts: the fact is named like the action."""

NEW_LEG: Final = "the new leg"
"""In the columns of facts and state: what begins the next leg by the routing rule, such as `assigned`."""


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


def _step(event: str, states: tuple[str, ...]) -> Transition:
    return Transition(
        event=event, states=states, who="responsible", facts=(event,), state=event, told=("origins",)
    )


def _final(event: str, *, reason_required: bool) -> Transition:
    return Transition(
        event=event,
        states=ASSIGNED_STATES,
        who="responsible",
        reason_required=reason_required,
        facts=(event, "closed"),
        state=CLOSED,
        told=("origins", "former"),
    )


def _told_where(event: str, when: str, then: tuple[str, ...]) -> tuple[Transition, ...]:
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


def _followed(when: str, further: tuple[str, ...] = ()) -> tuple[Transition, ...]:
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

_REPORT_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="report",
        when=HOTLINE,
        states=UNKNOWN_STATES,
        who="origin",
        facts=("opened", "assigned"),
        state=ASSIGNED,
        told=("responsible",),
    ),
    Transition(
        event="report",
        when=OWN,
        states=UNKNOWN_STATES,
        who="origin",
        facts=("opened", "assigned", "acknowledged"),
        state=ACKNOWLEDGED,
    ),
    Transition(
        event="report",
        when=NO_HOTLINE,
        states=UNKNOWN_STATES,
        who="origin",
        facts=("opened", "orphaned"),
        state=ORPHANED,
        told=("desk", "police"),
    ),
    Transition(
        event="report",
        when=POOL,
        states=UNKNOWN_STATES,
        who="origin",
        facts=("opened", "offered"),
        state=OFFERED,
        told=("pool",),
    ),
    Transition(event="report", states=(OFFERED,), who="origin", facts=("linked",), state=SAME),
    Transition(
        event="report",
        states=ASSIGNED_STATES,
        who="origin",
        facts=("linked",),
        state=SAME,
        told=("responsible",),
    ),
    Transition(
        event="report",
        when=CONFIRMED_ELSEWHERE,
        states=OPEN_STATES,
        who="origin",
        facts=("linked", NEW_LEG),
        state=NEW_LEG,
        told=("place", "origins", "former", "police"),
    ),
    Transition(
        event="report",
        when=DISPUTED,
        states=ASSIGNED_STATES,
        who="origin",
        facts=("linked", "host_disputed"),
        state=SAME,
        told=("responsible",),
    ),
    Transition(
        event="report",
        when=NO_HOTLINE,
        states=(ORPHANED,),
        who="origin",
        facts=("linked",),
        state=SAME,
        told=("desk",),
    ),
    Transition(
        event="report",
        when=HOTLINE,
        states=(ORPHANED,),
        who="origin",
        facts=("linked", "assigned"),
        state=ASSIGNED,
        told=("responsible", "desk", "origins"),
    ),
    Transition(
        event="report",
        when=OWN,
        states=(ORPHANED,),
        who="origin",
        facts=("linked", "assigned", "acknowledged"),
        state=ACKNOWLEDGED,
        told=("desk", "origins"),
    ),
    Transition(
        event="report",
        when=POOL,
        states=(ORPHANED,),
        who="origin",
        facts=("linked", "offered"),
        state=OFFERED,
        told=("pool", "desk", "origins"),
    ),
    Transition(
        event="report",
        when=f"{NEEDS_NEW_ROUND}; {HOTLINE}",
        states=(CLOSED,),
        who="origin",
        facts=("reopened", "assigned"),
        state=ASSIGNED,
        told=("responsible", "origins", "former"),
    ),
    Transition(
        event="report",
        when=f"{NEEDS_NEW_ROUND}; {OWN}",
        states=(CLOSED,),
        who="origin",
        facts=("reopened", "assigned", "acknowledged"),
        state=ACKNOWLEDGED,
        told=("origins", "former"),
    ),
    Transition(
        event="report",
        when=f"{NEEDS_NEW_ROUND}; {NO_HOTLINE}",
        states=(CLOSED,),
        who="origin",
        facts=("reopened", "orphaned"),
        state=ORPHANED,
        told=("desk", "police", "origins", "former"),
    ),
    Transition(
        event="report",
        when=f"{NEEDS_NEW_ROUND}; {POOL}",
        states=(CLOSED,),
        who="origin",
        facts=("reopened", "offered"),
        state=OFFERED,
        told=("pool", "origins", "former"),
    ),
    Transition(
        event="report", states=(CLOSED,), who="origin", facts=("linked",), state=SAME, told=("responsible",)
    ),
)
DISAGREEMENT: Final = "disagreement"
AGAINST_BASELINE: Final = "not illegal, against a baseline of another hotline"

_STEP_ROWS: Final[tuple[Transition, ...]] = (
    _step("acknowledged", ASSIGNED_STATES),
    _step("assessed", (AWAITING_REWRAP, ASSIGNED, ACKNOWLEDGED, ASSESSED)),
    _step("police_informed", ASSIGNED_STATES),
    _step("provider_informed", ASSIGNED_STATES),
    _final("removed", reason_required=False),
    _final("unavailable", reason_required=True),
    _final("not_illegal", reason_required=True),
    Transition(
        event="not_illegal",
        when=AGAINST_BASELINE,
        states=ASSIGNED_STATES,
        who="responsible",
        reason_required=True,
        facts=("not_illegal", "closed", DISAGREEMENT),
        state=CLOSED,
        told=("origins", "former", "its maker"),
    ),
    Transition(
        event="assessed",
        when=AGAINST_BASELINE,
        states=(AWAITING_REWRAP, ASSIGNED, ACKNOWLEDGED, ASSESSED),
        who="responsible",
        facts=("assessed", DISAGREEMENT),
        state=SAME,
        breach="not_responsible",
        told=("its maker",),
    ),
)
_CLAIM_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="claim",
        states=(OFFERED,),
        who="pool",
        facts=("claimed", "assigned"),
        state=ASSIGNED,
        told=("responsible", "pool", "origins", "former"),
    ),
    Transition(
        event="claim",
        states=(ORPHANED,),
        who="mandated",
        facts=("claimed", "assigned"),
        state=ASSIGNED,
        told=("responsible", "desk", "origins", "former"),
    ),
    Transition(
        event="hand_back",
        when="it has the case by a claim and has taken no step",
        states=(AWAITING_REWRAP, ASSIGNED, ACKNOWLEDGED),
        who="responsible",
        facts=("handed_back", NEW_LEG),
        state=NEW_LEG,
        told=("place", "origins", "former"),
    ),
)
_DECLINE_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="decline",
        states=(AWAITING_REWRAP, ASSIGNED, ACKNOWLEDGED, ASSESSED),
        who="responsible",
        reason_required=True,
        facts=("declined", NEW_LEG),
        state=NEW_LEG,
        told=("place", "origins", "former", "police"),
    ),
    Transition(
        event="transfer",
        when="to another hotline of the country",
        states=ASSIGNED_STATES,
        who="responsible",
        reason_required=True,
        facts=("transferred", "assigned"),
        state=ASSIGNED,
        told=("responsible", "origins", "former"),
    ),
)
_MOVE_ROWS: Final[tuple[Transition, ...]] = (
    *_told_where("moved", "", (NEW_LEG,)),
    *_told_where("moved", OFTEN, (NEW_LEG, "moves_exceeded")),
    *_told_where("hosting_confirmed", HERE, ()),
    *_told_where("hosting_confirmed", ELSEWHERE, (NEW_LEG,)),
)
_CONTENT_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="rewrap",
        states=OPEN_STATES,
        who="party",
        facts=("rewrapped",),
        state=SAME,
        told=("responsible",),
    ),
    Transition(
        event="key_mismatch",
        when="other reports are left",
        states=ASSIGNED_STATES,
        who="responsible",
        facts=("key_mismatch",),
        state=SAME,
        told=("its origin",),
    ),
    Transition(
        event="key_mismatch",
        when="no other report is left",
        states=ASSIGNED_STATES,
        who="responsible",
        facts=("key_mismatch", "closed"),
        state=CLOSED,
        told=("its origin", "former"),
    ),
    Transition(
        event="content",
        when="those responsible can open none of the case's contents",
        states=(ORPHANED, ASSIGNED),
        who="exchange",
        facts=("rewrap_asked",),
        state="awaiting_rewrap, orphaned stays",
        told=("its origin", "former"),
    ),
    Transition(
        event="content",
        when="they can open one now",
        states=OPEN_STATES,
        who="exchange",
        facts=("readable",),
        state="assigned after awaiting_rewrap, else same",
    ),
)
_OBSERVATION_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="observed",
        states=(*OPEN_STATES, CLOSED),
        who="party",
        facts=("observed",),
        state=SAME,
        told=("responsible, or origins when it observed",),
    ),
    *_followed(SEEN_ELSEWHERE),
    *_followed(f"{SEEN_ELSEWHERE}; {OFTEN}", ("moves_exceeded",)),
    Transition(
        event="reappeared",
        when="while the case is open",
        states=OPEN_STATES,
        who="party",
        facts=("reappeared",),
        state=SAME,
        told=("responsible, or origins when it observed",),
    ),
    Transition(
        event="reappeared",
        when="seen after the closing; a hotline is responsible",
        states=(CLOSED,),
        who="party",
        facts=("reappeared", "reopened", "assigned"),
        state=ASSIGNED,
        told=("responsible", "origins", "former"),
    ),
    Transition(
        event="reappeared",
        when="seen after the closing; no hotline is responsible",
        states=(CLOSED,),
        who="party",
        facts=("reappeared", "reopened", "orphaned"),
        state=ORPHANED,
        told=("desk", "police", "origins", "former"),
    ),
)
_HOLDERS: Final = ("responsible", "origins", "former")
_CORRECTION_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="corrected",
        states=(*OPEN_STATES, CLOSED),
        who="maker",
        reason_required=True,
        facts=("corrected",),
        state="as if it had been so",
        told=_HOLDERS,
    ),
    Transition(
        event="withdraw",
        when="other reports are left, or the case is closed",
        states=(*OPEN_STATES, CLOSED),
        who="origin",
        facts=("withdrawn",),
        state=SAME,
        told=("responsible", "former", "police"),
    ),
    Transition(
        event="withdraw",
        when="no other report is left",
        states=OPEN_STATES,
        who="origin",
        facts=("withdrawn", "closed"),
        state=CLOSED,
        told=("responsible", "former", "police"),
    ),
    Transition(
        event="confirmed",
        states=(*OPEN_STATES, CLOSED),
        who="asked",
        facts=("confirmed",),
        state=SAME,
    ),
    Transition(
        event="timer",
        when="a confirmation has not come in time",
        states=(*OPEN_STATES, CLOSED),
        who="exchange",
        facts=("unconfirmed",),
        state=SAME,
        told=("secretariat",),
    ),
)
DURING_HOLD: Final = "during a hold"
POLICE_FIRST: Final = "police come first there, and were not told or not long enough ago"
POLICE_CONSENT: Final = "police must consent there, and have not in this leg"
NOTICE_CONDITIONS: Final = frozenset({DURING_HOLD, POLICE_FIRST, POLICE_CONSENT})
"""Under which a provider that is told makes a breach that counts."""
_HOLD_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="hold",
        states=OPEN_STATES,
        who="liaison",
        facts=("held",),
        state=SAME,
        told=("responsible", "asker", "others: paused"),
    ),
    Transition(
        event="hold",
        when="on behalf of the hosting country's liaison",
        states=ASSIGNED_STATES,
        who="responsible",
        facts=("held",),
        state=SAME,
        told=("liaison", "others: paused"),
    ),
    Transition(
        event="hold",
        when="by other police",
        states=OPEN_STATES,
        who="police",
        facts=("hold_asked",),
        state=SAME,
        told=("liaison",),
    ),
    Transition(
        event="release",
        when="a hold is in force",
        states=OPEN_STATES,
        who="liaison",
        facts=("released",),
        state=SAME,
        told=("responsible", "asker", "others: resumed"),
    ),
    Transition(
        event="release",
        when="a hold is in force that a hotline has set",
        states=ASSIGNED_STATES,
        who="responsible",
        facts=("released",),
        state=SAME,
        told=("liaison", "asker", "others: resumed"),
    ),
    Transition(
        event="release",
        when="a hold is asked for",
        states=OPEN_STATES,
        who="liaison",
        facts=("hold_refused",),
        state=SAME,
        told=("asker",),
    ),
    Transition(
        event="release",
        when="it has asked for a hold",
        states=OPEN_STATES,
        who="police",
        facts=("hold_refused",),
        state=SAME,
        told=("liaison",),
    ),
    Transition(
        event="release",
        when="no hold is in force or asked for: consent to the notice",
        states=OPEN_STATES,
        who="liaison",
        facts=("released",),
        state=SAME,
        told=("responsible",),
    ),
    Transition(
        event="timer",
        when="a hold ends in 72 h, in 24 h",
        states=OPEN_STATES,
        who="exchange",
        facts=("hold_warned",),
        state=SAME,
        told=("liaison", "responsible", "asker"),
    ),
    Transition(
        event="timer",
        when="a hold has expired",
        states=OPEN_STATES,
        who="exchange",
        facts=("hold_expired",),
        state=SAME,
        told=("liaison", "responsible", "asker", "others: resumed"),
    ),
    Transition(
        event="timer",
        when="nobody has answered a request for a hold until the time it asks for",
        states=OPEN_STATES,
        who="exchange",
        facts=("hold_refused",),
        state=SAME,
        told=("liaison", "asker"),
    ),
    Transition(
        event="any action",
        when="it closes, moves or tells the host during a hold",
        states=OPEN_STATES,
        who="exchange",
        facts=("hold_ended",),
        state=SAME,
        told=("liaison", "responsible", "asker", "others: resumed"),
    ),
    Transition(
        event="any action",
        when="it closes, moves or tells the host while a hold is asked for",
        states=OPEN_STATES,
        who="exchange",
        facts=("hold_refused",),
        state=SAME,
        told=("liaison", "asker"),
    ),
    Transition(
        event="any action",
        when="another hotline of the country becomes responsible during a hold",
        states=OPEN_STATES,
        who="exchange",
        facts=("held",),
        state=SAME,
        told=("responsible", "liaison", "asker"),
    ),
    Transition(
        event="provider_informed",
        when=DURING_HOLD,
        states=ASSIGNED_STATES,
        who="responsible",
        facts=("provider_informed", "hold_ended"),
        state=PROVIDER_INFORMED,
        breach="despite_hold",
        told=("liaison", "asker", "origins without the breach"),
    ),
    Transition(
        event="provider_informed",
        when=POLICE_FIRST,
        states=ASSIGNED_STATES,
        who="responsible",
        facts=("provider_informed", "breach_reported"),
        state=PROVIDER_INFORMED,
        breach="before_police",
        told=("liaison", "origins"),
    ),
    Transition(
        event="provider_informed",
        when=POLICE_CONSENT,
        states=ASSIGNED_STATES,
        who="responsible",
        facts=("provider_informed", "breach_reported"),
        state=PROVIDER_INFORMED,
        breach="without_consent",
        told=("liaison", "origins"),
    ),
)
BY_POLICE: Final = "by police, while an escalation is open"
OF_FEED: Final = "by police, of a feed item"
OF_FEED_INFORMING: Final = "by police, of a feed item, where that informs police"
_POLICE_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="acknowledged",
        when=BY_POLICE,
        states=(*OPEN_STATES, CLOSED),
        who="liaison",
        facts=("escalation_acknowledged",),
        state=SAME,
        told=("responsible", "origins"),
    ),
    Transition(
        event="acknowledged",
        when=OF_FEED,
        states=(*OPEN_STATES, CLOSED),
        who="liaison",
        facts=("feed_acknowledged",),
        state=SAME,
    ),
    Transition(
        event="acknowledged",
        when=OF_FEED_INFORMING,
        states=ASSIGNED_STATES,
        who="liaison",
        facts=("feed_acknowledged", "police_informed"),
        state=SAME,
        told=("responsible", "origins"),
    ),
    Transition(
        event="feed",
        when="a new leg in a country of a liaison with the feed all_hosted, or the end of one",
        states=(*OPEN_STATES, CLOSED),
        who="exchange",
        facts=("fed",),
        state=SAME,
        told=("subscriber",),
    ),
    Transition(
        event="feed",
        when="an assessment baseline or national, or its correction, for the feed all_confirmed",
        states=(*OPEN_STATES, CLOSED),
        who="exchange",
        facts=("fed",),
        state=SAME,
        told=("subscriber",),
    ),
)
_NOTE_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="note",
        states=(*OPEN_STATES, CLOSED),
        who="party",
        facts=("note",),
        state=SAME,
        told=_HOLDERS,
    ),
)
_RETENTION_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="preserve",
        when="until a time ahead, or with a police reference",
        states=(*OPEN_STATES, CLOSED),
        who="liaison",
        facts=("preserved",),
        state=SAME,
        told=("responsible", "origins", "former"),
    ),
    Transition(
        event="preserve",
        when="until a time that has passed",
        states=(*OPEN_STATES, CLOSED),
        who="liaison",
        facts=("preservation_ended",),
        state=SAME,
        told=("responsible", "origins", "former"),
    ),
    Transition(
        event="erase",
        states=(*OPEN_STATES, CLOSED),
        who="secretariat",
        reason_required=True,
        facts=("erased",),
        state="assigned after awaiting_rewrap, else same",
        told=("whoever was handed content", "origins of an open case"),
    ),
    Transition(
        event="timer",
        when="the contents of a closed case have been kept long enough",
        states=(CLOSED,),
        who="exchange",
        facts=("erased",),
        state=SAME,
        told=("whoever was handed content",),
    ),
)
_GENERAL_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="any action",
        when="no row above for this state, or it names another round or leg",
        states=(*OPEN_STATES, CLOSED),
        who="responsible",
        facts=(ACTION,),
        state=SAME,
        breach="out_of_order",
        told=("origins",),
    ),
    Transition(
        event="any action",
        when="not observed",
        states=(*OPEN_STATES, CLOSED),
        who="party",
        facts=(ACTION,),
        state=SAME,
        breach="not_responsible",
        told=("responsible",),
    ),
    Transition(
        event="any action",
        when="its report has not come",
        states=UNKNOWN_STATES,
        who="anybody",
        facts=("awaited",),
        state=AWAITED,
    ),
    Transition(
        event="any action",
        when="it names a report of its sender that has not come",
        states=(*OPEN_STATES, CLOSED),
        who="anybody",
        facts=("awaited",),
        state=SAME,
    ),
)
_TIMER_ROWS: Final[tuple[Transition, ...]] = (
    Transition(
        event="timer",
        when="a newer word on the host was left unanswered",
        states=ASSIGNED_STATES,
        who="exchange",
        facts=("host_unanswered", NEW_LEG),
        state=NEW_LEG,
        told=("place", "origins", "former", "police"),
    ),
    Transition(
        event="timer",
        when="a deadline has passed",
        states=ASSIGNED_STATES,
        who="exchange",
        facts=("overdue",),
        state=SAME,
        told=("responsible", "origins"),
    ),
    Transition(
        event="timer",
        when="the provider was told and has not removed in time; the country has an authority",
        states=ASSIGNED_STATES,
        who="exchange",
        facts=("overdue", "provider_overdue"),
        state=SAME,
        told=("responsible", "origins", "authority"),
    ),
    Transition(
        event="timer",
        when="the digest goes out; the provider still has not removed",
        states=ASSIGNED_STATES,
        who="exchange",
        facts=("provider_overdue",),
        state=SAME,
        told=("feed of police",),
    ),
    Transition(
        event="timer",
        when="a deadline has passed for long and its step is still not taken",
        states=ASSIGNED_STATES,
        who="exchange",
        facts=("reminded",),
        state=SAME,
        told=("secretariat",),
    ),
    Transition(
        event="timer",
        when="nobody has acknowledged an escalation; a further contact is listed",
        states=(*OPEN_STATES, CLOSED),
        who="exchange",
        facts=("escalated",),
        state=SAME,
        told=("police",),
    ),
    Transition(
        event="timer",
        when="nobody has acknowledged an escalation; no further contact is listed",
        states=(*OPEN_STATES, CLOSED),
        who="exchange",
        facts=("escalation_unanswered",),
        state=SAME,
        told=("secretariat",),
    ),
    Transition(
        event="timer",
        when="nobody has re-wrapped the content in time",
        states=OPEN_STATES,
        who="exchange",
        facts=("overdue", "escalated"),
        state=SAME,
        told=("responsible", "origins", "police"),
    ),
    Transition(
        event="timer",
        when="an action has waited for an hour",
        states=(AWAITED, *OPEN_STATES, CLOSED),
        who="exchange",
        facts=("refused",),
        state=SAME,
    ),
    Transition(
        event="timer",
        when="a claim was not used in time",
        states=(AWAITING_REWRAP, ASSIGNED, ACKNOWLEDGED),
        who="exchange",
        facts=("lease_expired", NEW_LEG),
        state=NEW_LEG,
        told=("place", "origins", "former"),
    ),
    Transition(
        event="timer",
        when="nobody has claimed it in time; weights choose",
        states=(OFFERED,),
        who="exchange",
        facts=("unclaimed", NEW_LEG),
        state=NEW_LEG,
        told=("place", "pool", "origins", "former"),
    ),
    Transition(
        event="timer",
        when="nobody has claimed it in time; it stays at the desk",
        states=(ORPHANED,),
        who="exchange",
        facts=("unclaimed", "escalated"),
        state=SAME,
        told=("desk", "origins", "police"),
    ),
    Transition(
        event="timer",
        when="a hotline of its country has become active",
        states=(ORPHANED,),
        who="exchange",
        facts=(NEW_LEG,),
        state=NEW_LEG,
        told=("place", "desk", "origins", "former"),
    ),
    Transition(
        event="timer",
        when="the responsible hotline or one of the pool is no longer active; another is responsible",
        states=(OFFERED, *ASSIGNED_STATES),
        who="exchange",
        facts=("assigned",),
        state=ASSIGNED,
        told=("responsible", "pool", "origins", "former"),
    ),
    Transition(
        event="timer",
        when="the responsible hotline or one of the pool is no longer active; several may claim it",
        states=(OFFERED, *ASSIGNED_STATES),
        who="exchange",
        facts=("offered",),
        state=OFFERED,
        told=("pool", "origins", "former"),
    ),
    Transition(
        event="timer",
        when="the responsible hotline or one of the pool is no longer active; no other is",
        states=(OFFERED, *ASSIGNED_STATES),
        who="exchange",
        facts=("orphaned",),
        state=ORPHANED,
        told=("desk", "police", "origins", "former"),
    ),
    Transition(
        event="timer",
        when="the case has been closed for long",
        states=(CLOSED,),
        who="exchange",
        facts=("shrunk",),
        state=SAME,
    ),
)
TABLE: Final = (
    *_REPORT_ROWS,
    *_STEP_ROWS,
    *_CLAIM_ROWS,
    *_DECLINE_ROWS,
    *_MOVE_ROWS,
    *_CONTENT_ROWS,
    *_OBSERVATION_ROWS,
    *_CORRECTION_ROWS,
    *_HOLD_ROWS,
    *_POLICE_ROWS,
    *_NOTE_ROWS,
    *_RETENTION_ROWS,
    *_GENERAL_ROWS,
    *_TIMER_ROWS,
)

_BY_EVENT: Final[Mapping[tuple[str, str, str], Transition]] = MappingProxyType(
    {(row.event, row.when, state): row for row in TABLE for state in row.states}
)
ACTIONS: Final = frozenset(
    row.event for row in TABLE if row.event not in {"report", "timer", "content", "feed", "any action"}
)
"""Actions that the table knows; all others are requests or facts of a later version and are refused."""
NEED_REASON: Final = frozenset(row.event for row in TABLE if row.reason_required)
KEY_MISMATCH: Final = "key_mismatch"
SAID_BY: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        fact: frozenset(row.event for row in TABLE if row.event in ACTIONS and fact == row.facts[0])
        for row in TABLE
        if row.event in ACTIONS
        for fact in row.facts[:1]
    }
)
"""Kind of a fact that a member's action makes to the actions that make it: the fact carries its statement."""
FINAL_ACTIONS: Final = frozenset(
    row.event for row in TABLE if "closed" in row.facts and row.event not in {KEY_MISMATCH, "withdraw"}
)
ERASES_CONTENTS: Final = frozenset({"erased", "shrunk"})
"""Facts after which the exchange keeps no content of the case."""
EFFECTLESS: Final = frozenset({"not_responsible", "out_of_order"})
"""Breaches that leave the state as it was; a step after its deadline is `late` and still counts."""


def transition(event: str, state: str, when: str = "") -> Transition | None:
    """Answer the row of an event in a state under a condition, or None when the table has none."""
    return _BY_EVENT.get((event, when, state))


def furthest(state: str, step: str) -> str:
    """Answer the further of two states on the way to closing."""
    return step if _RANK[step] > _RANK[state] else state


def as_markdown() -> str:
    """Answer the table as readers see it in docs/state-machine.md."""
    rows = (
        (
            row.event,
            row.when,
            _span(row.states),
            row.who,
            "required" if row.reason_required else "",
            ", ".join(row.facts) + (f" (breach `{row.breach}`)" if row.breach else ""),
            row.state,
            ", ".join(row.told),
        )
        for row in TABLE
    )
    head = ("event", "when", "state before", "who may", "reason", "facts", "state after", "told")
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ("---",) * len(head), *rows))


def _span(states: tuple[str, ...]) -> str:
    """Answer states for readers; a long run in the order of STATES by its ends."""
    order = tuple(STATES)
    start = order.index(states[0]) if states[0] in order else 0
    is_run = len(states) > _LONG_RUN and order[start : start + len(states)] == states
    return f"{states[0]} to {states[-1]}" if is_run else ", ".join(states)
