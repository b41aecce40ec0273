"""The rows of the command table that concern what is set on apps: config vars, domains, features."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import CONFIRM, FEATURE, HOSTNAME, JSON, LONG_JSON, SHELL, on_app, some

SETTING_TOPICS = {
    "config": "environment variables of apps",
    "domains": "custom domains for apps",
    "features": "add/remove app features",
    "labs": "add/remove experimental features",
}

SETTING_COMMANDS: tuple[Command, ...] = (
    # config
    on_app("config", "config:list_vars", "display the config vars for an app", JSON, SHELL),
    on_app(
        "config:get",
        "config:get",
        "display a single config value for an app",
        Argument("KEY", "name of the config var", many=True),
        JSON,
        SHELL,
        examples=("config:get SECRET_KEY -a example",),
    ),
    on_app(
        "config:set",
        "config:set_vars",
        "set one or more config vars",
        some("KEY=VALUE"),
        aliases=("config:add",),
        examples=("config:set DEBUG=0 WEB_CONCURRENCY=2 -a example",),
    ),
    on_app(
        "config:unset",
        "config:unset",
        "unset one or more config vars",
        some("KEY"),
        aliases=("config:remove",),
        examples=("config:unset DEBUG -a example",),
    ),
    on_app(
        "config:edit",
        "config_edit:edit",
        "edit config vars in $VISUAL or $EDITOR",
        Argument("key", "edit a single key", required=False),
    ),
    # domains
    on_app("domains", "domains:list_domains", "list domains for an app", JSON),
    on_app(
        "domains:add",
        "domains:add",
        "add a domain to an app",
        HOSTNAME,
        Flag("cert", "the name of the SSL cert for this domain", char="c", value="value"),
        JSON,
        Flag("wait", "wait until the domain is ready"),
        examples=("domains:add www.example.com -a example",),
    ),
    on_app("domains:remove", "domains:remove", "remove a domain from an app", HOSTNAME),
    on_app("domains:info", "domains:info", "show detailed information for a domain", HOSTNAME, LONG_JSON),
    on_app(
        "domains:wait",
        "domains:wait",
        "wait for domains to be ready",
        Argument("hostname", "full hostname (default: all)", required=False),
    ),
    on_app("domains:clear", "domains:clear", "remove all domains from an app"),
    # features and labs
    on_app("features", "features:list_features", "list app features", LONG_JSON),
    on_app("features:info", "features:info", "display information about a feature", FEATURE, LONG_JSON),
    on_app("features:enable", "features:enable", "enables an app feature", FEATURE),
    on_app("features:disable", "features:disable", "disables an app feature", FEATURE),
    on_app("labs", "labs:list_labs", "list experimental features", LONG_JSON, needs_app="maybe"),
    on_app("labs:info", "labs:info", "show feature info", FEATURE, LONG_JSON, needs_app="maybe"),
    on_app("labs:enable", "labs:enable", "enables an experimental feature", FEATURE, needs_app="maybe"),
    on_app("labs:disable", "labs:disable", "disables an experimental feature", FEATURE, CONFIRM, needs_app="maybe"),
)
