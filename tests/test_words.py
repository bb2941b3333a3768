"""Numbers in words."""

import pytest

from matinee.display.text import counted


@pytest.mark.parametrize(
    ("n", "noun", "said"),
    [
        (0, "rating", "0 ratings"),
        (1, "rating", "1 rating"),
        (2000, "rating", "2,000 ratings"),
        (1, "person", "1 person"),
        (2, "person", "2 people"),
    ],
)
def test_a_noun_goes_with_its_number(n, noun, said):
    assert counted(n, noun) == said
