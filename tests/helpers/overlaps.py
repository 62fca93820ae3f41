"""How many hold something at once, from the times at which each begins and ends."""

import itertools


def at_once(spans):
    """The greatest number of spans (begin, end) that overlap. One that begins as another ends does not."""
    events = sorted(event for begin, end in spans for event in ((begin, 1), (end, -1)))
    return max(itertools.accumulate(change for _, change in events), default=0)


def at_once_by_name(spans):
    """The same for each name, of spans (name, begin, end)."""
    groups = {}
    for name, begin, end in spans:
        groups.setdefault(name, []).append((begin, end))
    return {name: at_once(group) for name, group in groups.items()}
