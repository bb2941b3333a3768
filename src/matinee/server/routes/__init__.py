"""What the API answers, one file for each subject; ``ROUTERS`` are all of them."""

from matinee.server.routes import (
    feedback,
    items,
    lists,
    model,
    operations,
    reasons,
    tastes,
    users,
)

ROUTERS = [
    one.router for one in (lists, reasons, users, items, tastes, model, feedback, operations)
]
