"""Points spread evenly over a unit cube, one after another: more of them never move the ones before.

Made of whole numbers and SHA-256 alone, so that every machine and every release has the same points to the last digit:
what a run is called depends on them. So no library draws them; the tests compare them with SciPy's.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

BITS = 30
# Of each axis after the first: a primitive polynomial by its coefficients, and the numbers that its recurrence begins
# with. They were searched for, so that any two axes together are spread evenly: small t-values for 4 to 1,024 points.
RECURRENCES = (
    (0b11, (1,)),
    (0b111, (1, 1)),
    (0b1011, (1, 3, 3)),
    (0b1101, (1, 1, 5)),
    (0b10011, (1, 3, 3, 3)),
    (0b11001, (1, 3, 7, 13)),
    (0b100101, (1, 1, 3, 15, 25)),
    (0b101001, (1, 3, 1, 15, 1)),
    (0b101111, (1, 1, 3, 9, 5)),
    (0b110111, (1, 1, 3, 13, 13)),
    (0b111011, (1, 3, 7, 3, 21)),
    (0b111101, (1, 1, 5, 5, 9)),
    (0b1000011, (1, 3, 3, 7, 23, 55)),
    (0b1011011, (1, 1, 1, 3, 21, 59)),
    (0b1100001, (1, 1, 5, 9, 17, 47)),
    (0b1100111, (1, 1, 5, 1, 27, 3)),
    (0b1101101, (1, 1, 7, 11, 1, 29)),
    (0b1110011, (1, 3, 7, 9, 13, 11)),
    (0b10000011, (1, 3, 3, 15, 23, 41, 97)),
    (0b10001001, (1, 3, 5, 13, 31, 39, 115)),
    (0b10001111, (1, 1, 1, 7, 5, 15, 127)),
    (0b10010001, (1, 3, 5, 5, 7, 39, 77)),
    (0b10011101, (1, 1, 3, 15, 9, 49, 61)),
    (0b10100111, (1, 3, 5, 7, 13, 57, 61)),
    (0b10101011, (1, 1, 1, 3, 1, 45, 121)),
    (0b10111001, (1, 1, 5, 1, 9, 23, 95)),
    (0b10111111, (1, 1, 3, 11, 25, 19, 53)),
)
MOST_AXES = 1 + len(RECURRENCES)


def sobol(names: Sequence[str]) -> Iterator[tuple[float, ...]]:
    """A scrambled Sobol sequence with an axis for each name; at most `MOST_AXES`.

    Of the first 2^k points each axis has one in each of its 2^k parts. By a name goes how its axis is scrambled.

    Yields: numbers from 0 on and below 1.

    Source: Sobol 1967, by Gray code; primitive polynomials and criterion as of Joe and Kuo 2008; scrambled by random
    lower triangular matrices and a shift (Matousek 1998).
    """
    axes = [_Axis(name, _directions(axis)) for axis, name in enumerate(names)]
    return (tuple(axis.at(index) for axis in axes) for index in itertools.count())


def latin(names: Sequence[str]) -> Iterator[tuple[float, ...]]:
    """A Latin hypercube that grows: as in `sobol` for each axis alone, while the axes go together by chance.

    No sequence is a Latin hypercube after each of its points (Steinhaus's problem of 17 points). This one is after 1,
    2, 4, 8, ... points; in between each of the 2^k parts that are fewer than the points has one or two of them.

    Source: McKay, Beckman and Conover 1979; nested by doubling as of Qian 2009.
    """
    axes = [(_Axis(name, _directions(0)), _shuffled(name)) for name in names]
    return (tuple(axis.at(next(order)) for axis, order in axes) for _ in itertools.count())


class _Axis:
    """One axis of a digital sequence in base 2, scrambled by its name."""

    def __init__(self, name: str, directions: Sequence[int]) -> None:
        self.shift = _random(name, "shift") >> (256 - BITS)
        # Row r of the matrix has a one at its place r, and chance bits before it: so no part of the axis is lost.
        masks = [_random(name, row) >> (256 - row) << 1 | 1 for row in range(BITS)]
        self.directions = [self._scrambled(vector, masks) for vector in directions]

    @staticmethod
    def _scrambled(vector: int, masks: Sequence[int]) -> int:
        """The product of a matrix and a vector of bits."""
        bits = [(vector >> (BITS - 1 - row) & mask).bit_count() % 2 for row, mask in enumerate(masks)]
        return sum(bit << (BITS - 1 - row) for row, bit in enumerate(bits))

    def at(self, index: int) -> float:
        """The number of a point."""
        gray, found = index ^ (index >> 1), self.shift
        for place in range(gray.bit_length()):
            if gray >> place & 1:
                found ^= self.directions[place]
        return found / 2**BITS


def _directions(axis: int) -> list[int]:
    """What each bit of a point's index, the lowest first, changes on an axis."""
    if axis == 0:
        return [1 << (BITS - 1 - place) for place in range(BITS)]
    polynomial, numbers = RECURRENCES[axis - 1]
    degree, found = len(numbers), list(numbers)
    for place in range(degree, BITS):
        new = found[place - degree] ^ found[place - degree] << degree
        for step in range(1, degree):
            if polynomial >> (degree - step) & 1:
                new ^= found[place - step] << step
        found.append(new)
    return [number << (BITS - 1 - place) for place, number in enumerate(found)]


def _shuffled(name: str) -> Iterator[int]:
    """All whole numbers from 0 on: those from 2^k to 2^(k + 1) in an order of chance."""
    yield 0
    for power in itertools.count():
        yield from sorted(range(1 << power, 2 << power), key=lambda index: _random(name, index))


def _random(*key: Any) -> int:
    """256 bits of chance that a key always has."""
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest())


# What draws the rows of a design.
DRAWN = {"sobol": sobol, "lhs": latin}
