"""Pipelines: apps that share one code, in stages; a promotion gives the slug of one to the next.

https://devcenter.heroku.com/articles/pipelines
"""

from homeport.pipelines.comparison import Comparer, Comparison
from homeport.pipelines.promoter import Promoter
from homeport.pipelines.promotions import Status, order, promotion, status_of, targets
from homeport.pipelines.records import (
    couple,
    coupling,
    coupling_of,
    couplings,
    create,
    destroy,
    find,
    move,
    neighbours,
    rename,
    uncouple,
    visible_to,
)
from homeport.pipelines.stages import Stage, stage_named

__all__ = [
    "Comparer",
    "Comparison",
    "Promoter",
    "Stage",
    "Status",
    "couple",
    "coupling",
    "coupling_of",
    "couplings",
    "create",
    "destroy",
    "find",
    "move",
    "neighbours",
    "order",
    "promotion",
    "rename",
    "stage_named",
    "status_of",
    "targets",
    "uncouple",
    "visible_to",
]
