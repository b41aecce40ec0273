"""The database: the truth about what should be."""

from homeport.state.database import Database, migrate, revision, touch
from homeport.state.models import (
    Addon,
    App,
    Attachment,
    Base,
    Build,
    BuildpackInstallation,
    Crash,
    Domain,
    Dyno,
    Feature,
    Formation,
    Key,
    Release,
    Slug,
    Token,
    Transfer,
    TransferSchedule,
    User,
    new_id,
    now,
)
from homeport.state.pipeline_models import Coupling, Pipeline, Promotion, PromotionTarget
from homeport.state.release_models import ReleaseChange
from homeport.state.scheduler_models import JobRun, ScheduledJob
from homeport.state.setup_models import AppSetup

__all__ = [
    "Addon",
    "App",
    "AppSetup",
    "Attachment",
    "Base",
    "Build",
    "BuildpackInstallation",
    "Coupling",
    "Crash",
    "Database",
    "Domain",
    "Dyno",
    "Feature",
    "Formation",
    "JobRun",
    "Key",
    "Pipeline",
    "Promotion",
    "PromotionTarget",
    "Release",
    "ReleaseChange",
    "ScheduledJob",
    "Slug",
    "Token",
    "Transfer",
    "TransferSchedule",
    "User",
    "migrate",
    "new_id",
    "now",
    "revision",
    "touch",
]
