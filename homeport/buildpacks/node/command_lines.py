"""The command lines of the package managers. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from homeport.buildpacks.node.package import Manager, Package


def install(package: Package, config: Mapping[str, str], *, development: bool) -> list[str]:
    """Install what the lock file names; `development` dependencies too, since builds need them."""
    locked = package.locked is not None
    match package.manager:
        case Manager.NPM:
            use_ci = locked and config.get("USE_NPM_INSTALL", "").lower() not in ("1", "true")
            kinds = "--include=dev" if development else "--omit=dev"
            return ["npm", "ci" if use_ci else "install", kinds]
        case Manager.YARN:
            frozen = ["--frozen-lockfile"] if locked else []
            return ["yarn", "install", *frozen, "--non-interactive", f"--production={_js(not development)}"]
        case Manager.BERRY:
            return ["yarn", "install", *(["--immutable"] if locked else [])]
        case Manager.PNPM:
            frozen = ["--frozen-lockfile"] if locked else ["--no-frozen-lockfile"]
            return ["pnpm", "install", *frozen, f"--prod={_js(not development)}"]


def prune(package: Package) -> list[str]:
    """Take the development dependencies away again."""
    match package.manager:
        case Manager.NPM:
            return ["npm", "prune", "--omit=dev"]
        case Manager.YARN:
            return ["yarn", "install", "--frozen-lockfile", "--ignore-scripts", "--prefer-offline", "--production=true"]
        case Manager.BERRY:
            return ["yarn", "workspaces", "focus", "--all", "--production"]
        case Manager.PNPM:
            return ["pnpm", "prune", "--prod"]


def run(package: Package, script: str) -> list[str]:
    return [package.manager.program, "run", script]


def prunes(package: Package, config: Mapping[str, str]) -> bool:
    """Whether development dependencies stay out of dynos: yes, unless a config var says otherwise, as on Heroku."""
    if config.get("NODE_ENV", "production") != "production":
        return False
    switch = {
        Manager.NPM: ("NPM_CONFIG_PRODUCTION", "false"),
        Manager.YARN: ("YARN_PRODUCTION", "false"),
        Manager.BERRY: ("YARN2_SKIP_PRUNING", "true"),
        Manager.PNPM: ("PNPM_SKIP_PRUNING", "true"),
    }[package.manager]
    return config.get(switch[0], "").lower() != switch[1]


def wants_development(config: Mapping[str, str]) -> bool:
    """Whether they are there while the app is built: yes, unless NPM_CONFIG_PRODUCTION is `true`."""
    return all(config.get(name, "").lower() != "true" for name in ("NPM_CONFIG_PRODUCTION", "YARN_PRODUCTION"))


def _js(value: bool) -> str:
    return "true" if value else "false"
