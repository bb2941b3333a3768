"""The routes of the API, one router per subject; ``ROUTERS`` lists them in documented order."""

from matinee.server.routes import (
    catalog,
    explanations,
    exports,
    feedback,
    interview,
    items,
    lists,
    model,
    online,
    operations,
    recommendations,
    tastes,
    users,
)

ROUTERS = [
    module.router
    for module in (
        recommendations,
        exports,
        explanations,
        users,
        items,
        lists,
        interview,
        catalog,
        tastes,
        model,
        feedback,
        online,
        operations,
    )
]
