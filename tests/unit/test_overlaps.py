"""How many hold something at once, which the tests of leases rest on."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from helpers.overlaps import at_once, at_once_by_name

SPANS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20), st.integers(1, 9)), max_size=9)


@given(SPANS)
def test_as_many_overlap_as_are_counted_at_every_moment(found):
    spans = [(name, begin, begin + length) for name, begin, length in found]
    expected = {
        name: max(
            sum(other == name and begin < moment < end for other, begin, end in spans) for moment in np.arange(0.5, 30)
        )
        for name in {name for name, *_ in spans}
    }
    assert at_once_by_name(spans) == expected


def test_spans_that_touch_do_not_overlap():
    assert at_once([]) == 0
    assert at_once([(0, 1), (1, 2)]) == 1
    assert at_once([(0, 3), (2, 4), *itertools.repeat((3, 5), 2)]) == 3
