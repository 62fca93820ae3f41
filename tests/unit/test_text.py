"""What values are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from styletransfer.text import number_text, value_labels

values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: float(f"{value:.12g}")),
    st.sampled_from(["max", "avg"]),
)


@given(st.lists(values, unique=True, max_size=20))
def test_different_values_never_read_alike(found):
    labels = value_labels(found)
    assert len(set(labels)) == len(found)


@pytest.mark.parametrize(
    ("found", "labels"),
    [
        ([1.0, 10_000.0, 1_024], ["1", "10,000", "1,024"]),
        ([0.05, 12_345.5, 1e30, 1e-7], ["0.05", "12,345.5", "1e+30", "1e-07"]),
        ([1 / 3, "max", None, True], ["0.3333", "max", "None", "True"]),
        ([0.12345671, 0.12345672, 0.5], ["0.12345671", "0.12345672", "0.5"]),
        ([20181127], ["20,181,127"]),
        ([[0.5, 0.5], (1 / 3, 2.0)], ["0.5 0.5", "0.3333 2"]),
        ([2**53, 2**53 + 1], ["9,007,199,254,740,992", "9,007,199,254,740,993"]),
        # Case C21: rounded to four digits, the first would be the bound 1, and the others one value.
        ([0.999, 0.9999, 0.99999], ["0.999", "0.9999", "0.99999"]),
        ([100.0, 100.01, 100.02, 100.03, 100.04], ["100", "100.01", "100.02", "100.03", "100.04"]),
        ([12345.6, 12346.1], ["12,345.6", "12,346.1"]),
        ([], []),
    ],
)
def test_values_read_plainly(found, labels):
    assert value_labels(found) == labels


@pytest.mark.parametrize(
    ("number", "text"),
    [(12345.6, "12,350"), (0.000123456, "0.0001235"), (1e7, "1e+07"), (3.0, "3"), (float("nan"), "nan")],
)
def test_numbers_have_four_digits(number, text):
    assert number_text(number) == text
