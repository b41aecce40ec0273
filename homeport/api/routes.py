"""The route table: path, handler, what it needs, and the command of the official CLI (or the client) that asks it.

What isn't here yet, and is only answered politely, is in `resources.absent`.
"""

from __future__ import annotations

from homeport.accounts import Action
from homeport.api.data import buckets, credentials, databases, diagnoses, redis, schedules, transfers, upgrades
from homeport.api.resources import (
    absent,
    account,
    addon_attachments,
    addon_services,
    addons,
    app_setups,
    apps,
    authorizations,
    buildpack_registry,
    buildpacks,
    builds,
    collaborators,
    config_vars,
    domains,
    dynos,
    error_help,
    errors,
    features,
    formation,
    job_runs,
    keys,
    log_sessions,
    pipeline_couplings,
    pipeline_promotions,
    pipelines,
    places,
    plans,
    releases,
    scheduled_jobs,
    scheduler_page,
    slugs,
    sources,
    welcome,
)
from homeport.api.table import Access, Handler, Needs, Route, route

VIEW, REVEAL, DEPLOY, OPERATE, MANAGE = Action.VIEW, Action.REVEAL, Action.DEPLOY, Action.OPERATE, Action.MANAGE
PERSON, ACCOUNT = Action.IDENTIFY, Action.ACCOUNT
ANYONE, PUBLIC = Access.ANYONE, Access.PUBLIC

Line = tuple[str, Handler, Needs, str]

# fmt: off
TOP: tuple[Line, ...] = (
    ("GET    /account",                             account.info,                   PERSON,  "auth:whoami"),
    ("PATCH  /account",                             account.update,                 ACCOUNT, "platform-api"),
    ("GET    /account/rate-limits",                 account.rate_limit,             ANYONE,  "platform-api"),
    ("GET    /account/delinquency",                 account.delinquency,            ANYONE,  "platform-api"),
    ("GET    /users/{user}",                        account.info,                   PERSON,  "pipelines:create"),
    ("PATCH  /users/{user}",                        account.update,                 ACCOUNT, "platform-api"),
    ("GET    /users/{user}/apps",                   apps.of_user,                   VIEW,    "apps"),

    ("GET    /account/keys",                        keys.index,                     ACCOUNT, "keys"),
    ("POST   /account/keys",                        keys.create,                    ACCOUNT, "keys:add"),
    ("GET    /account/keys/{key}",                  keys.info,                      ACCOUNT, "platform-api"),
    ("DELETE /account/keys/{key}",                  keys.destroy,                   ACCOUNT, "keys:remove"),

    ("GET    /ssh-host",                            keys.ssh_host,                  ANYONE,  "git:remote --ssh"),

    ("GET    /oauth/authorizations",                authorizations.index,           ACCOUNT, "authorizations"),
    ("POST   /oauth/authorizations",                authorizations.create,          ACCOUNT, "login -i"),
    ("GET    /oauth/authorizations/{id}",           authorizations.info,            ACCOUNT, "auth:logout"),
    ("PATCH  /oauth/authorizations/{id}",           authorizations.update,          ACCOUNT, "authorizations:update"),
    ("DELETE /oauth/authorizations/{id}",           authorizations.destroy,         ACCOUNT, "authorizations:revoke"),
    ("POST   /oauth/authorizations/{id}/actions/regenerate-tokens",
                                                    authorizations.regenerate,      ACCOUNT, "authorizations:rotate"),

    ("GET    /apps",                                apps.index,                     VIEW,    "apps -A"),
    ("POST   /apps",                                apps.create,                    OPERATE, "create"),
    ("GET    /apps/{app}",                          apps.info,                      VIEW,    "apps:info, open"),
    ("PATCH  /apps/{app}",                          apps.update,                    OPERATE, "maintenance:on, rename"),
    ("DELETE /apps/{app}",                          apps.destroy,                   MANAGE,  "apps:destroy"),
    ("POST   /app-setups",                          app_setups.create,              DEPLOY,  "homeport apps:setup"),
    ("GET    /app-setups/{setup}",                  app_setups.info,                VIEW,    "homeport apps:setup"),
    ("POST   /filters/apps",                        apps.matching,                  VIEW,    "pipelines:info"),

    ("GET    /addon-services",                      addon_services.index,           ANYONE,  "addons:services"),
    ("GET    /addon-services/{service}",            addon_services.info,            ANYONE,  "addons:docs"),
    ("GET    /addon-services/{service}/plans",      plans.index,                    ANYONE,  "addons:plans"),
    ("GET    /addon-services/{service}/plans/{plan}", plans.info,                   ANYONE,  "platform-api"),
    ("GET    /plans/{plan}",                        plans.info,                     ANYONE,  "platform-api"),
    ("GET    /addons",                              addons.index,                   VIEW,    "addons"),
    ("GET    /users/{user}/pipeline-couplings",     pipeline_couplings.of_user,     VIEW,    "platform-api"),
    ("GET    /users/{user}/addons",                 addons.of_user,                 VIEW,    "platform-api"),
    ("GET    /addons/{addon}",                      addons.info,                    VIEW,    "addons:attach"),
    ("GET    /addons/{addon}/addon-attachments",    addon_attachments.of_addon,     VIEW,    "addons:info"),
    ("GET    /addons/{addon}/config",               addons.config,                  VIEW,    "platform-api"),
    ("GET    /addons/{addon}/config/{name}",        addons.config,                  VIEW,    "addons:attach"),
    ("POST   /actions/addons/resolve",              addons.resolve,                 VIEW,    "addons:info"),
    ("GET    /addon-attachments",                   addon_attachments.index,        VIEW,    "addons"),
    ("POST   /addon-attachments",                   addon_attachments.create,       DEPLOY,  "pg:promote"),
    ("GET    /addon-attachments/{attachment}",      addon_attachments.info,         VIEW,    "platform-api"),
    ("DELETE /addon-attachments/{attachment}",      addon_attachments.destroy,      OPERATE, "addons:detach"),
    ("POST   /actions/addon-attachments/resolve",   addon_attachments.resolve,      VIEW,    "pg:psql"),

    ("GET    /buildpacks",                          buildpack_registry.search,      PUBLIC,  "buildpacks:search"),
    ("GET    /buildpacks/{buildpack}",              buildpack_registry.info,        PUBLIC,  "buildpacks:set"),
    ("GET    /buildpacks/{buildpack}/revisions",    buildpack_registry.revisions,   PUBLIC,  "buildpacks:versions"),
    ("GET    /buildpacks/{buildpack}/readme",       buildpack_registry.readme,      PUBLIC,  "buildpacks:info"),

    ("GET    /dyno-sizes",                          formation.sizes,                ANYONE,  "platform-api"),
    ("GET    /dyno-sizes/{size}",                   formation.size,                 ANYONE,  "platform-api"),

    ("POST   /sources",                             sources.create,                 DEPLOY,  "builds:create"),

    ("GET    /pipelines",                           pipelines.index,                VIEW,    "pipelines"),
    ("POST   /pipelines",                           pipelines.create,               OPERATE, "pipelines:create"),
    ("GET    /pipelines/{pipeline}",                pipelines.info,                 VIEW,    "pipelines:info"),
    ("PATCH  /pipelines/{pipeline}",                pipelines.update,               OPERATE, "pipelines:rename"),
    ("DELETE /pipelines/{pipeline}",                pipelines.destroy,              MANAGE,  "pipelines:destroy"),
    ("GET    /pipelines/{pipeline}/pipeline-couplings",
                                                    pipeline_couplings.of_pipeline, VIEW,    "pipelines:info"),
    ("GET    /pipelines/{pipeline}/pipeline-stack", pipelines.stack,                VIEW,    "platform-api"),
    ("GET    /pipelines/{pipeline}/latest-builds",  pipelines.latest_builds,        VIEW,    "platform-api"),
    ("GET    /pipelines/{pipeline}/latest-releases", pipelines.latest_releases,     VIEW,    "platform-api"),
    ("GET    /pipelines/{pipeline}/latest-deployments",
                                                    pipelines.latest_deployments,   VIEW,    "platform-api"),
    ("GET    /pipeline-couplings",                  pipeline_couplings.index,       VIEW,    "platform-api"),
    ("POST   /pipeline-couplings",                  pipeline_couplings.create,      OPERATE, "pipelines:add"),
    ("GET    /pipeline-couplings/{coupling}",       pipeline_couplings.info,        VIEW,    "Terraform"),
    ("PATCH  /pipeline-couplings/{coupling}",       pipeline_couplings.update,      OPERATE, "pipelines:update"),
    ("DELETE /pipeline-couplings/{coupling}",       pipeline_couplings.destroy,     OPERATE, "pipelines:remove"),
    ("POST   /pipeline-promotions",                 pipeline_promotions.create,     DEPLOY,  "pipelines:promote"),
    ("GET    /pipeline-promotions/{promotion}",     pipeline_promotions.info,       VIEW,    "platform-api"),
    ("GET    /pipeline-promotions/{promotion}/promotion-targets",
                                                    pipeline_promotions.targets,    VIEW,    "pipelines:promote"),
    ("POST   /pipeline-transfers",                  pipelines.transfer,             MANAGE,  "pipelines:transfer"),

    ("GET    /regions",                             places.regions,                 ANYONE,  "regions"),
    ("GET    /regions/{region}",                    places.region,                  ANYONE,  "Terraform"),
    ("GET    /stacks",                              places.stacks,                  ANYONE,  "stack"),
    ("GET    /stacks/{stack}",                      places.stack,                   ANYONE,  "platform-api"),
    ("GET    /generations",                         places.generations,             ANYONE,  "platform-api"),
    ("GET    /generations/{generation}",            places.generation,              ANYONE,  "platform-api"),
)

DIAGNOSES: tuple[Line, ...] = (  # PGDIAGNOSE_URL is this same host too
    ("POST   /reports",                             diagnoses.create,               ANYONE,  "pg:diagnose"),
    ("GET    /reports/{report}",                    diagnoses.info,                 ANYONE,  "pg:diagnose"),
)

UNDER_APP: tuple[Line, ...] = (  # under /apps/{app}
    ("GET    /config-vars",                         config_vars.info,               REVEAL,  "config"),
    ("PATCH  /config-vars",                         config_vars.update,             DEPLOY,  "config:set"),

    ("GET    /releases",                            releases.index,                 VIEW,    "releases"),
    ("POST   /releases",                            releases.create,                DEPLOY,  "rollback"),
    ("GET    /releases/{release}",                  releases.info,                  VIEW,    "releases:info"),
    ("GET    /releases/{release}/config-vars",      config_vars.of_release,         REVEAL,  "releases:info"),
    ("GET    /pipeline-couplings",                  pipeline_couplings.of_app,      VIEW,    "pipelines:promote"),
    ("GET    /pipeline-differences",                pipelines.differences,          REVEAL,  "homeport pipelines:diff"),
    ("GET    /slugs/{slug}",                        slugs.info,                     VIEW,    "heroku3"),
    ("GET    /builds",                              builds.index,                   VIEW,    "builds"),
    ("POST   /builds",                              builds.create,                  DEPLOY,  "builds:create"),
    ("GET    /builds/{build}",                      builds.info,                    VIEW,    "builds:info"),
    ("POST   /sources",                             sources.create,                 DEPLOY,  "platform-api"),
    ("GET    /buildpack-installations",             buildpacks.index,               VIEW,    "buildpacks"),
    ("PUT    /buildpack-installations",             buildpacks.update,              OPERATE, "buildpacks:set"),

    ("GET    /addons",                              addons.of_app,                  VIEW,    "addons, apps:info"),
    ("POST   /addons",                              addons.create,                  OPERATE, "addons:create"),
    ("GET    /addons/{addon}",                      addons.info,                    VIEW,    "addons:create --wait"),
    ("PATCH  /addons/{addon}",                      addons.update,                  OPERATE, "addons:upgrade, rename"),
    ("DELETE /addons/{addon}",                      addons.destroy,                 MANAGE,  "addons:destroy"),
    ("GET    /addon-attachments",                   addon_attachments.of_app,       VIEW,    "pg:info"),
    ("GET    /addon-attachments/{attachment}",      addon_attachments.info,         VIEW,    "addons:detach"),

    ("GET    /formation",                           formation.index,                VIEW,    "ps:scale"),
    ("PATCH  /formation",                           formation.update,               OPERATE, "ps:scale web=2"),
    ("GET    /formation/{type}",                    formation.info,                 VIEW,    "Terraform"),
    ("PATCH  /formation/{type}",                    formation.update_one,           OPERATE, "Terraform"),
    ("GET    /available-dyno-sizes",                formation.sizes,                VIEW,    "platform-api"),
    ("GET    /dynos",                               dynos.index,                    VIEW,    "ps"),
    ("POST   /dynos",                               dynos.create,                   DEPLOY,  "run"),
    ("DELETE /dynos",                               dynos.restart,                  OPERATE, "ps:restart"),
    ("GET    /dynos/{dyno}",                        dynos.info,                     VIEW,    "run"),
    ("DELETE /dynos/{dyno}",                        dynos.restart,                  OPERATE, "ps:restart -d"),
    ("POST   /dynos/{dyno}/actions/stop",           dynos.stop,                     OPERATE, "ps:stop -d"),
    ("DELETE /formations/{type}",                   dynos.restart,                  OPERATE, "ps:restart -p"),
    ("POST   /formations/{type}/actions/stop",      dynos.stop,                     OPERATE, "ps:stop -p"),

    ("GET    /errors",                              errors.index,                   VIEW,    "homeport errors"),
    ("GET    /errors/{issue}",                      errors.info,                    VIEW,    "homeport errors:info"),
    ("PATCH  /errors/{issue}",                      errors.update,                  DEPLOY,  "homeport errors:resolve"),
    ("GET    /errors/{issue}/events",               errors.events,                  VIEW,    "homeport errors:events"),
    ("GET    /errors/{issue}/events/{event}",       errors.event,                   VIEW,    "homeport errors:events"),

    ("POST   /log-sessions",                        log_sessions.create,            VIEW,    "logs"),

    ("GET    /domains",                             domains.index,                  VIEW,    "domains"),
    ("POST   /domains",                             domains.create,                 OPERATE, "domains:add"),
    ("GET    /domains/{domain}",                    domains.info,                   VIEW,    "domains:info"),
    ("PATCH  /domains/{domain}",                    domains.update,                 OPERATE, "domains:update"),
    ("DELETE /domains/{domain}",                    domains.destroy,                OPERATE, "domains:remove"),
    ("GET    /features",                            features.index,                 VIEW,    "features, labs"),
    ("GET    /features/{feature}",                  features.info,                  VIEW,    "features:info"),
    ("PATCH  /features/{feature}",                  features.update,                OPERATE, "features:enable"),
    ("GET    /collaborators",                       collaborators.index,            VIEW,    "access"),
    ("POST   /collaborators",                       collaborators.create,           MANAGE,  "access:add"),
    ("GET    /collaborators/{user}",                collaborators.info,             VIEW,    "platform-api"),
    ("DELETE /collaborators/{user}",                collaborators.destroy,          MANAGE,  "access:remove"),

    ("GET    /scheduler/jobs",                      scheduled_jobs.index,           VIEW,    "scheduler"),
    ("POST   /scheduler/jobs",                      scheduled_jobs.create,          DEPLOY,  "scheduler:add"),
    ("GET    /scheduler/jobs/{job}",                scheduled_jobs.info,            VIEW,    "scheduler:update"),
    ("PATCH  /scheduler/jobs/{job}",                scheduled_jobs.update,          DEPLOY,  "scheduler:update"),
    ("DELETE /scheduler/jobs/{job}",                scheduled_jobs.destroy,         DEPLOY,  "scheduler:remove"),
    ("GET    /scheduler/jobs/{job}/runs",           job_runs.of_job,                VIEW,    "scheduler:history"),
    ("POST   /scheduler/jobs/{job}/runs",           job_runs.create,                DEPLOY,  "scheduler:run"),
    ("GET    /scheduler/runs",                      job_runs.index,                 VIEW,    "scheduler:history"),
    ("GET    /scheduler/runs/{run}",                job_runs.info,                  VIEW,    "scheduler:history"),
    ("GET    /scheduler/runs/{run}/log",            job_runs.log,                   VIEW,    "scheduler:logs"),

    ("GET    /available-stacks",                    places.stacks,                  VIEW,    "platform-api"),
)

# The Data API. HEROKU_DATA_HOST is this same host.
DATABASE: tuple[Line, ...] = (  # under /client/v11/databases/{addon}
    ("GET    /",                                    databases.info,                 VIEW,    "pg:info"),
    ("GET    /wait_status",                         databases.wait_status,          VIEW,    "pg:wait"),
    ("GET    /metrics",                             diagnoses.metrics,              VIEW,    "pg:diagnose"),
    ("GET    /burst_status",                        diagnoses.metrics,              VIEW,    "pg:diagnose"),
    ("GET    /followers",                           databases.followers,            VIEW,    "platform-api"),
    ("PUT    /reset",                               databases.reset,                MANAGE,  "pg:reset"),
    ("PUT    /stats_reset",                         databases.reset_statistics,     OPERATE, "pg:stats-reset"),
    ("POST   /connection_reset",                    databases.reset_connections,    OPERATE, "pg:killall"),
    ("POST   /backups",                             transfers.capture,              DEPLOY,  "pg:backups:capture"),
    ("POST   /restores",                            transfers.restore,              DEPLOY,  "pg:backups:restore"),
    ("POST   /transfers",                           transfers.copy,                 DEPLOY,  "pg:copy"),
    ("POST   /upgrade/run",                         upgrades.run,                   MANAGE,  "pg:upgrade:run"),
    ("POST   /upgrade/prepare",                     upgrades.prepare,               MANAGE,  "pg:upgrade:prepare"),
    ("POST   /upgrade/dry_run",                     upgrades.dry_run,               MANAGE,  "pg:upgrade:dryrun"),
    ("POST   /upgrade/cancel",                      upgrades.cancel,                MANAGE,  "pg:upgrade:cancel"),
    ("GET    /upgrade/wait_status",                 upgrades.wait_status,           VIEW,    "pg:upgrade:wait"),
    ("GET    /transfer-schedules",                  schedules.index,                VIEW,    "pg:backups:schedules"),
    ("POST   /transfer-schedules",                  schedules.create,               OPERATE, "pg:backups:schedule"),
    ("DELETE /transfer-schedules/{schedule}",       schedules.destroy,              OPERATE, "pg:backups:unschedule"),
)

TRANSFERS: tuple[Line, ...] = (  # under /client/v11/apps/{app}/transfers
    ("GET    /",                                    transfers.index,                VIEW,    "pg:backups"),
    ("GET    /{transfer}",                          transfers.info,                 VIEW,    "pg:backups:info"),
    ("DELETE /{transfer}",                          transfers.destroy,              MANAGE,  "pg:backups:delete"),
    ("POST   /{transfer}/actions/cancel",           transfers.cancel,               DEPLOY,  "pg:backups:cancel"),
    ("POST   /{transfer}/actions/public-url",       transfers.public_url,           DEPLOY,  "pg:backups:url"),
)

CREDENTIALS: tuple[Line, ...] = (  # under /postgres/v0/databases/{addon}
    ("GET    /credentials",                         credentials.index,              REVEAL,  "pg:credentials"),
    ("POST   /credentials",                         credentials.create,             DEPLOY,  "pg:credentials:create"),
    ("GET    /credentials/{credential}",            credentials.info,               REVEAL,  "pg:credentials:url"),
    ("POST   /credentials/{credential}/credentials_rotation",
                                                    credentials.rotate,             DEPLOY,  "pg:credentials:rotate"),
    ("POST   /credentials_rotation",                credentials.rotate,             DEPLOY,  "pg:credentials:rotate"),
)

STORES: tuple[Line, ...] = (  # under /redis/v0/databases/{addon}
    ("GET    /",                                    redis.info,                     VIEW,    "redis:info, redis:cli"),
    ("GET    /wait",                                redis.wait,                     VIEW,    "redis:wait"),
    ("GET    /config",                              redis.config,                   VIEW,    "platform-api"),
    ("PATCH  /config",                              redis.update_config,            OPERATE, "redis:maxmemory"),
    ("POST   /credentials_rotation",                redis.rotate,                   DEPLOY,  "redis:credentials"),
    ("POST   /stats/reset",                         redis.reset_statistics,         OPERATE, "redis:stats-reset"),
    ("POST   /upgrade",                             redis.upgrade,                  OPERATE, "redis:upgrade"),
    ("GET    /maintenance",                         redis.maintenance,              VIEW,    "redis:maintenance"),
)

BUCKETS: tuple[Line, ...] = (  # under /buckets/v0/buckets/{addon}
    ("GET    /",                                    buckets.info,                   VIEW,    "homeport buckets"),
)

STREAMS: tuple[Line, ...] = (
    ("GET    /",                                    welcome.page,                   PUBLIC,  "a browser"),
    ("GET    /help/scheduler/{addon}/{key}",        scheduler_page.page,            PUBLIC,  "addons:open scheduler"),
    ("GET    /help/errors",                         error_help.page,                PUBLIC,  "addons:open sentry"),
    ("GET    /logs/{session}",                      log_sessions.stream,            PUBLIC,  "logs, logs --tail"),
    ("GET    /releases/{release}/output/{key}",     releases.output,                PUBLIC,  "releases:output"),
    ("GET    /builds/{build}/output/{key}",         builds.output,                  PUBLIC,  "builds:create"),
    ("PUT    /sources/{source}/{key}",              sources.upload,                 PUBLIC,  "builds:create"),
    ("GET    /backups/{transfer}/{expires}/{key}",  transfers.download,             PUBLIC,  "pg:backups:download"),
)
# fmt: on


ROUTES: tuple[Route, ...] = (
    *(route(*line) for line in (*TOP, *DIAGNOSES)),
    *(route(*line, prefix="/apps/{app}") for line in UNDER_APP),
    *(route(*line, prefix="/client/v11/databases/{addon}") for line in DATABASE),
    *(route(*line, prefix="/client/v11/apps/{app}/transfers") for line in TRANSFERS),
    *(route(*line, prefix="/postgres/v0/databases/{addon}") for line in CREDENTIALS),
    *(route(*line, prefix="/redis/v0/databases/{addon}") for line in STORES),
    *(route(*line, prefix="/buckets/v0/buckets/{addon}") for line in BUCKETS),
    *(route(*line, streams=True) for line in STREAMS),
    *absent.ROUTES,
)
