"""The rows of the command table for add-ons and what belongs to them."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import CONFIRM, JSON, LONG_JSON, accepted, command, num, on_app, some

ADDON_TOPICS = {
    "addons": "tools and services for developing, extending, and operating your app",
    "pg": "manage postgresql databases",
}

ADDON = Argument("addon", "name of an add-on, of its attachment, or of a service")
PLAN = Argument("service:plan", "service and plan, such as heroku-postgresql:essential-0")
AS = Flag("as", "name for the attachment, such as ANALYTICS", value="value")
OVERWRITE = Flag("confirm", "name of the app, to overwrite what is there without being asked", value="value")
SHOW_URL = Flag("show-url", "show URL, do not open browser")
DATABASE = Argument("database", "its config var or add-on name (default: DATABASE_URL)", required=False)
BACKUP = Argument("backup_id", "ID of the backup, such as b001 (default: the newest)", required=False)
EXTENSIONS = Flag("extensions", "comma-separated list of extensions to pre-install", char="e", value="value")
CREDENTIAL = Flag("name", "which credential (default: default)", char="n", value="value")
WAIT_INTERVAL = Flag("wait-interval", "accepted for the official CLI's sake", value="value", hidden=True)
VERSION = Flag("version", "major version, such as 16 (default: the newest here)", char="v", value="value")
VERBOSE = Flag("verbose", "show more", char="v")

_QUESTIONS = (
    ("bloat", "show tables by the space that dead rows take"),
    ("blocking", "display queries holding locks other queries are waiting to be released"),
    ("cache-hit", "show index and table hit rate"),
    ("extensions", "list available and installed extensions"),
    ("index-size", "show the size of indexes, descending by size"),
    ("index-usage", "calculates your index hit rate (effective databases are at 99% and up)"),
    ("locks", "display queries with active locks"),
    ("long-running-queries", "show all queries longer than five minutes by descending duration"),
    ("records-rank", "show all tables and the number of rows in each, ordered by number of rows"),
    ("seq-scans", "show the count of sequential scans by table, descending"),
    ("table-indexes-size", "show the total size of all the indexes on each table"),
    ("table-size", "show the size of the tables without indexes, descending by size"),
    ("total-index-size", "show the total size of all indexes"),
    ("total-table-size", "show the size of the tables with indexes, descending by size"),
    ("unused-indexes", "show unused and almost unused indexes"),
    ("user-connections", "returns the number of connections per credential"),
    ("vacuum-stats", "show dead rows and when tables were vacuumed"),
)

ADDON_COMMANDS: tuple[Command, ...] = (
    on_app(
        "addons",
        "addons:list_addons",
        "lists your add-ons and attachments",
        Flag("all", "show add-ons of all apps", char="A"),
        LONG_JSON,
        accepted("no-wrap"),
        needs_app="maybe",
    ),
    command("addons:services", "addons:list_services", "list all available add-on services", LONG_JSON),
    command(
        "addons:plans", "addons:list_plans", "list the plans of a service", Argument("service", "its name"), LONG_JSON
    ),
    on_app(
        "addons:create",
        "addons:create",
        "create a new add-on resource; its own options follow after --",
        PLAN,
        some("options"),
        AS,
        Flag("name", "name for the add-on", value="value"),
        Flag("version", "version of its server, such as 15", value="value"),
        OVERWRITE,
        Flag("wait", "return when it is ready"),
        aliases=("addons:add",),
        examples=(
            "addons:create heroku-postgresql:essential-0 -a example",
            "addons:create heroku-postgresql -a example --as REPORTS -- --version 15",
        ),
    ),
    on_app("addons:info", "addons:info", "show an add-on and its attachments", ADDON, JSON, needs_app="maybe"),
    on_app(
        "addons:upgrade",
        "addons:upgrade",
        "change an add-on's plan",
        ADDON,
        Argument("plan", "the new plan", required=False),
        aliases=("addons:downgrade",),
        examples=("addons:upgrade DATABASE heroku-postgresql:standard-0 -a example",),
        needs_app="maybe",
    ),
    on_app(
        "addons:rename",
        "addons:rename",
        "rename an add-on",
        ADDON,
        Argument("new_name", "its new name"),
        needs_app="maybe",
    ),
    on_app("addons:attach", "addons:attach", "attach an existing add-on to an app", ADDON, AS, OVERWRITE),
    on_app(
        "addons:detach",
        "addons:detach",
        "detach an add-on from an app",
        Argument("attachment", "name of the attachment"),
    ),
    on_app(
        "addons:destroy",
        "addons:destroy",
        "permanently destroy add-ons and what lies in them",
        Argument("addon", "name of the add-on", many=True),
        CONFIRM,
        Flag("force", "even if it is attached to other apps", char="f"),
        accepted("wait"),
        aliases=("addons:remove",),
        needs_app="maybe",
    ),
    on_app(
        "addons:wait",
        "addons:wait",
        "wait until add-ons are ready",
        Argument("addon", "name of the add-on (default: all)", required=False),
        WAIT_INTERVAL,
        needs_app="maybe",
    ),
    on_app(
        "addons:open", "addons:open_addon", "open an add-on's page in a browser", ADDON, SHOW_URL, needs_app="maybe"
    ),
    on_app(
        "addons:docs", "addons:docs", "open an add-on's documentation in a browser", ADDON, SHOW_URL, needs_app="maybe"
    ),
    # pg
    on_app("pg", "pg:info", "show database information", DATABASE, JSON, aliases=("pg:info",)),
    on_app("pg:wait", "pg:wait", "blocks until database is available", DATABASE, accepted("no-notify"), WAIT_INTERVAL),
    on_app(
        "pg:psql",
        "pg:psql",
        "open a psql shell to the database",
        DATABASE,
        Flag("command", "SQL command to run", char="c", value="value"),
        Flag("file", "SQL file to run", char="f", value="value"),
        aliases=("psql",),
        examples=("pg:psql -a example", 'pg:psql -a example -c "SELECT 1"'),
    ),
    on_app(
        "pg:promote",
        "pg:promote",
        "sets DATABASE as your DATABASE_URL",
        Argument("database", "its config var or add-on name"),
        accepted("force", "f"),
    ),
    on_app("pg:credentials", "pg:list_credentials", "show the credentials of a database", DATABASE, LONG_JSON),
    on_app("pg:credentials:url", "pg:credentials_url", "show how to connect with a credential", DATABASE, CREDENTIAL),
    on_app(
        "pg:credentials:rotate",
        "pg:rotate",
        "give a credential a new password; apps restart with it",
        DATABASE,
        CREDENTIAL,
        CONFIRM,
        accepted("all"),
        accepted("force"),
    ),
    on_app("pg:reset", "pg:reset", "delete all data in DATABASE", DATABASE, CONFIRM, EXTENSIONS),
    on_app("pg:killall", "pg:kill_all", "terminates all connections", DATABASE),
    on_app("pg:stats-reset", "pg:reset_statistics", "begin to count afresh what the other pg commands show", DATABASE),
    on_app(
        "pg:copy",
        "pg:copy",
        "copy all data from source db to target",
        Argument("source", "config var of the source database, or its URL"),
        Argument("target", "config var of the target database, or its URL"),
        CONFIRM,
        VERBOSE,
        WAIT_INTERVAL,
        examples=("pg:copy DATABASE STAGING -a example --confirm STAGING",),
    ),
    on_app(
        "pg:push",
        "pg:push",
        "push a local or remote database into an empty one of the app's",
        Argument("source", "name of a local database, or a URL"),
        Argument("target", "config var of the target database"),
    ),
    on_app(
        "pg:pull",
        "pg:pull",
        "pull a database of the app's into a local or remote one",
        Argument("source", "config var of the source database"),
        Argument("target", "name of a local database, which is created, or the URL of an empty one"),
    ),
    on_app(
        "pg:diagnose",
        "pg_diagnose:diagnose",
        "say what is not well with a database",
        Argument("database", "its config var or add-on name (default: DATABASE_URL), or a report's id", required=False),
        LONG_JSON,
    ),
    on_app("pg:ps", "pg_queries:processes", "view active queries with execution time", DATABASE, VERBOSE),
    on_app(
        "pg:kill",
        "pg_queries:kill",
        "kill a query",
        Argument("pid", "ID of the process"),
        DATABASE,
        Flag("force", "end its connection too", char="f"),
    ),
    *(
        on_app(
            f"pg:{name}",
            f"pg_queries:{name}",
            summary,
            DATABASE,
            num("the number of queries to display (default: 10)"),
            Flag("truncate", "truncate queries to 40 characters", char="t"),
        )
        for name, summary in (
            ("outliers", "show queries that have longest execution time in aggregate"),
            ("calls", "show queries that are called most often"),
        )
    ),
    *(on_app(f"pg:{name}", "pg_queries:ask", summary, DATABASE) for name, summary in _QUESTIONS),
    *(
        on_app(f"pg:upgrade:{name}", f"pg:upgrade_{function}", summary, DATABASE, VERSION, CONFIRM)
        for name, function, summary in (
            ("run", "run", "move a database to a newer major version of PostgreSQL"),
            ("dryrun", "dry_run", "try that on a copy; nothing changes"),
        )
    ),
    on_app("pg:upgrade:wait", "pg:upgrade_wait", "follow an upgrade to its end", DATABASE, WAIT_INTERVAL),
    # pg:backups
    on_app("pg:backups", "pg_backups:list_backups", "list database backups", LONG_JSON),
    on_app("pg:backups:capture", "pg_backups:capture", "capture a new backup", DATABASE, VERBOSE, WAIT_INTERVAL),
    on_app("pg:backups:info", "pg_backups:info", "get information about a specific backup", BACKUP, LONG_JSON),
    on_app("pg:backups:url", "pg_backups:url", "get secret but publicly accessible URL of a backup", BACKUP),
    on_app(
        "pg:backups:download",
        "pg_backups:download",
        "downloads database backup",
        BACKUP,
        Flag("output", "location to download to (default: latest.dump)", char="o", value="value"),
    ),
    on_app(
        "pg:backups:restore",
        "pg_backups:restore",
        "restore a backup (default latest) to a database",
        Argument("backup", "ID of a backup, APP::ID, or the URL of an archive", required=False),
        DATABASE,
        CONFIRM,
        EXTENSIONS,
        VERBOSE,
        WAIT_INTERVAL,
        examples=("pg:backups:restore b001 DATABASE_URL -a example --confirm example",),
    ),
    on_app(
        "pg:backups:delete",
        "pg_backups:delete",
        "delete a backup",
        Argument("backup_id", "ID of the backup"),
        CONFIRM,
    ),
    on_app(
        "pg:backups:cancel", "pg_backups:cancel", "cancel an in-progress backup or restore (default newest)", BACKUP
    ),
    on_app(
        "pg:backups:schedule",
        "pg_backups:schedule",
        "schedule daily backups for given database",
        DATABASE,
        Flag("at", "hour and time zone: '02:00 Europe/Paris'", value="value"),
        examples=("pg:backups:schedule DATABASE_URL --at '02:00 Europe/Paris' -a example",),
    ),
    on_app("pg:backups:schedules", "pg_backups:list_schedules", "list backup schedule", LONG_JSON),
    on_app("pg:backups:unschedule", "pg_backups:unschedule", "stop daily backups", DATABASE),
)
