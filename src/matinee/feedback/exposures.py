"""What became of the lists that were shown: impressions joined with clicks and conversions by arm.

An exposure is an item of a list that was shown: an impression with a recommendation_id. It is
clicked, or converts, when an action of the same list and item says so; repetitions count once. What
was taken back since does not convert, from wherever it was taken back: a rating by the rating null,
any other action by a restore.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, select

from matinee.feedback.actions import CONVERTING, RATING, RESTORE
from matinee.feedback.anytime import Sample
from matinee.feedback.tables import actions, events


class ArmOutcome(NamedTuple):
    """The sums of an arm. Of each user the share of exposures that were clicked, or converted."""

    lists: int  # of which anything was shown
    exposures: int
    clicks: int
    conversions: int
    items: int  # different ones that were shown
    clicked: Sample  # one value per user
    converted: Sample


def outcomes(connection: Connection) -> dict[str, ArmOutcome]:
    """The outcome of every arm that was shown, by name, all of one moment."""
    shown, sums = _shown().subquery(), _sums().subquery()
    query = select(shown.c["lists"], shown.c["items"], sums).join(sums, sums.c.arm == shown.c.arm)
    by_arm = {}
    for row in connection.execute(query).mappings():
        users = int(row["users"])
        by_arm[row["arm"]] = ArmOutcome(
            int(row["lists"]),
            int(row["exposures"]),
            int(row["clicks"]),
            int(row["conversions"]),
            int(row["items"]),
            Sample(users, float(row["clicked"]), float(row["clicked_squares"])),
            Sample(users, float(row["converted"]), float(row["converted_squares"])),
        )
    return by_arm


def _shown() -> Select[Any]:
    """The numbers of different lists and items that were shown, by arm."""
    columns = actions.c
    impressions = select(
        columns.arm,
        func.count(columns.recommendation_id.distinct()).label("lists"),
        func.count(columns.item_id.distinct()).label("items"),
    ).where(columns.kind == "impression", columns.arm.is_not(None))
    return impressions.group_by(columns.arm)


def _sums() -> Select[Any]:
    """Sums by arm, over users, over exposures."""
    columns = actions.c

    def happened(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.max(case((condition, 1), else_=0))

    exposure = (
        select(
            columns.arm,
            columns.user_id,
            happened(columns.kind == "impression").label("shown"),
            happened(columns.kind == "click").label("clicked"),
            happened(and_(columns.kind.in_(CONVERTING), ~_is_taken_back())).label("converted"),
        )
        .where(columns.arm.is_not(None))
        .group_by(columns.arm, columns.user_id, columns.recommendation_id, columns.item_id)
    ).subquery()
    user = (
        select(
            exposure.c.arm,
            func.count().label("n"),
            func.sum(exposure.c.clicked).label("clicks"),
            func.sum(exposure.c.converted).label("conversions"),
        )
        .where(exposure.c.shown == 1)
        .group_by(exposure.c.arm, exposure.c.user_id)
    ).subquery()
    clicked, converted = (one * 1.0 / user.c.n for one in (user.c.clicks, user.c.conversions))
    return select(
        user.c.arm,
        func.count().label("users"),
        func.sum(user.c.n).label("exposures"),
        func.sum(user.c.clicks).label("clicks"),
        func.sum(user.c.conversions).label("conversions"),
        func.sum(clicked).label("clicked"),
        func.sum(clicked * clicked).label("clicked_squares"),
        func.sum(converted).label("converted"),
        func.sum(converted * converted).label("converted_squares"),
    ).group_by(user.c.arm)


def _is_taken_back() -> ColumnElement[bool]:
    """Whether what an action did to its item is undone.

    A rating is while the last event of its user and item is null: an event says nothing of lists.
    """
    columns, later = actions.c, actions.alias().c
    last = (
        select(func.max(events.c.seq))
        .where(events.c.user_id == columns.user_id, events.c.item_id == columns.item_id)
        .correlate(actions)
        .scalar_subquery()
    )
    withdrawn = exists().where(events.c.seq == last, events.c.rating.is_(None))
    restored = exists().where(
        later.user_id == columns.user_id,
        later.item_id == columns.item_id,
        later.kind == RESTORE,
        later.seq > columns.seq,
    )
    return case((columns.kind == RATING, withdrawn), else_=restored)
