"""How much what was not chosen weighs, and how strong the penalty is, on a table of any size.

    unobserved = ratio n / (n_users n_items)
    reg = strength x (sqrt(n / n_users) + sqrt(n / n_items)) / weight^reg_power
    weight = (n + unobserved n_users n_items) / sqrt(n_users n_items)

n positives of mean target x are spread over n_users rows and n_items columns. All cells that are no
positive weigh ``ratio`` times what the positives do. The penalty of a row of average weight is
``strength`` times the largest singular value that so many positives of about this size have if they
are put at random: factors that only fit such noise are held down. Both numbers suit data of any
size, where unobserved and reg do not.
"""

from typing import NamedTuple

from matinee.training.alternating import TableSummary


class Balance(NamedTuple):
    """The two numbers from which the weight of the unobserved and the penalty follow."""

    ratio: float
    strength: float

    def unobserved(self, table: TableSummary) -> float:
        """The weight of a cell that is no positive, where a positive weighs 1."""
        return self.ratio * table.n_ratings / (table.n_users * table.n_items)

    def reg(
        self, table: TableSummary, unobserved: float, reg_power: float, target: float = 1.0
    ) -> float:
        """The penalty, times the weight of a row's cells to the power of ``reg_power``.

        ``target`` is the mean target of the positives.
        """
        n, n_cells = table.n_ratings, table.n_users * table.n_items
        random = (n / table.n_users) ** 0.5 + (n / table.n_items) ** 0.5
        weight = (n + unobserved * n_cells) / n_cells**0.5
        return float(self.strength * target * random / weight**reg_power)

    def __str__(self) -> str:
        return f"ratio {self.ratio:g}, strength {self.strength:g}"


USUAL = Balance(12.0, 0.5)
BALANCES = (USUAL, Balance(4.0, 0.35), Balance(36.0, 0.8))  # the usual first: it wins a tie
