"""The app record: its name, domains, maintenance, features and buildpacks."""

from homeport.apps.app_features import FEATURES, AppFeature, features, find_feature, set_feature
from homeport.apps.custom_domains import add_domain, clear_domains, domains, find_domain, hostnames, remove_domain
from homeport.apps.installations import buildpacks, set_buildpacks
from homeport.apps.records import (
    REGIONS,
    STACKS,
    create,
    destroy,
    every,
    find,
    owned_by,
    rename,
    set_maintenance,
    set_stack,
)

__all__ = [
    "FEATURES",
    "REGIONS",
    "STACKS",
    "AppFeature",
    "add_domain",
    "buildpacks",
    "clear_domains",
    "create",
    "destroy",
    "domains",
    "every",
    "features",
    "find",
    "find_domain",
    "find_feature",
    "hostnames",
    "owned_by",
    "remove_domain",
    "rename",
    "set_buildpacks",
    "set_feature",
    "set_maintenance",
    "set_stack",
]
