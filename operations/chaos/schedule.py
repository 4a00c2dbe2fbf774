"""Which fault comes when: an endless series from a seed, so that a run can be repeated.

Kinds are dealt like cards: a deck holds each as often as its weight, and only when it is used up is it
shuffled again. So every kind comes in a short run too, and none is left to luck.
"""

import random
from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal, TypeVar

import msgspec

from operations.chaos.kinds import ARMED, DISTURBING, KINDS, POINTS, Kind

_GAP_S: Final = (0.4, 2.2)
_REACHED: Final = (2, 12)
_DISTURBANCES: Final = 3

T = TypeVar("T")


class Step(msgspec.Struct, frozen=True):
    """One fault to inject.

    Attributes:
        number: From 1.
        kind: Name of its kind.
        gap_s: Seconds after the step before.
        seconds: How long it lasts, where it does.
        pick: In [0, 1): which worker, broker or file it hits.
        sign: Direction, where there is one.
        armed: What is armed, for the kinds that start a worker with named points.
    """

    number: int
    kind: str
    gap_s: float
    seconds: float
    pick: float
    sign: int
    armed: str = ""


def steps(seed: int, cluster: Literal["one", "three"], only: Collection[str] = ()) -> Iterator[Step]:
    """Yield steps for ever; equal arguments yield equal steps.

    Args:
        seed: Of all choices.
        cluster: What the faults happen to.
        only: Names of kinds, which then all weigh the same; all kinds when empty.
    """
    draw = random.Random(f"{seed} {cluster}")  # noqa: S311 - repeatable, far from anything secret
    kinds = [each for each in KINDS if each.where in {"any", cluster}]
    crashes, disturbances = _dealt(draw, ARMED), _dealt(draw, DISTURBING)
    deck = [kind for kind in kinds for _ in range(kind.weight)]
    if only:
        deck = [kind for kind in kinds if kind.name in only]
    for number, kind in enumerate(_dealt(draw, deck), start=1):
        yield Step(
            number,
            kind.name,
            gap_s=round(draw.uniform(*_GAP_S), 2),
            seconds=round(draw.uniform(*kind.seconds), 2),
            pick=round(draw.random(), 4),
            sign=draw.choice((-1, 1)),
            armed=_armed(kind, draw, crashes, disturbances),
        )


def _dealt(draw: random.Random, cards: Sequence[T]) -> Iterator[T]:
    while True:
        deck = list(cards)
        draw.shuffle(deck)
        yield from deck


def _armed(kind: Kind, draw: random.Random, crashes: Iterator[str], disturbances: Iterator[str]) -> str:
    if kind.name != POINTS:
        return ""
    chosen = [next(disturbances) for _ in range(_DISTURBANCES)]
    texts = [text.format(n=draw.randint(*_REACHED)) for text in chosen]
    # The crash comes last: what is armed with it should strike before.
    texts.append(next(crashes).format(n=_REACHED[1] + draw.randint(*_REACHED)))
    return "; ".join([*texts, f"seed:{draw.randrange(10**6)}"])
