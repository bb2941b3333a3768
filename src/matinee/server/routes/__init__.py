"""The routes of the API, one router per subject; ``ROUTERS`` lists them in documented order."""

from matinee.server.routes import (
    explanations,
    feedback,
    items,
    model,
    operations,
    recommendations,
    tastes,
    users,
)

ROUTERS = [
    module.router
    for module in (
        recommendations,
        explanations,
        users,
        items,
        tastes,
        model,
        feedback,
        operations,
    )
]
