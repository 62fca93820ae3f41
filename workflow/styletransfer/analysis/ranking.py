"""The order of runs by two measures at once: those first that fewer fronts of better runs lie before.

Non-dominated sorting with crowding distance, as in NSGA-II (Deb et al. 2002, doi:10.1109/4235.996017).
"""

from __future__ import annotations

import bisect

import numpy as np


def fronts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The front of each point, from 0: no other point beats those of front 0, and none but theirs those of front 1.

    A point beats another if it is as high in both numbers, and higher in one.

    Args:
        first: (N,), finite; higher is better.
        second: (N,), likewise.

    Returns:
        (N,) int.
    """
    found = np.zeros(len(first), int)
    highest: list[float] = []  # minus the highest second number of each front so far: ascending
    before = None
    for place in np.lexsort((-second, -first)):
        point = first[place], second[place]
        if point != before:
            # Of those before it, which are as high in the first number, none of this front is as high in the second.
            front = bisect.bisect_right(highest, -point[1])
            highest[front : front + 1] = [-point[1]]
        found[place], before = front, point
    return found


def crowding(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How far the neighbours of each point of a front lie apart, as a part of its extent; infinite at both ends.

    Args:
        first: (N,), of one front.
        second: (N,), likewise.

    Returns:
        (N,) float. Of equal points all but one have 0.
    """
    points, places = np.unique(np.stack([first, second], axis=1), axis=0, return_index=True)
    apart = np.full(len(points), np.inf)
    extent = np.ptp(points, axis=0)
    if len(points) > 2:
        apart[1:-1] = (abs(points[2:] - points[:-2]) / np.where(extent > 0, extent, 1)).sum(axis=1)
    found = np.zeros(len(first))
    found[places] = apart
    return found


def order(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of points, the best first: by front, then by crowding, then as they stand; and the front of each.

    Args:
        first: (N,), finite; higher is better.
        second: (N,), likewise.

    Returns:
        Two arrays of (N,) int.
    """
    front = fronts(first, second)
    apart = np.zeros(len(first))
    for number in range(front.max(initial=-1) + 1):
        of = front == number
        apart[of] = crowding(first[of], second[of])
    return np.lexsort((-apart, front)), front
