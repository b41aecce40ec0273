"""The Node.js buildpack, from top to bottom."""

from __future__ import annotations

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import RUN_PATH, STACK, Compiled, Project, Shell
from homeport.buildpacks.node import command_lines, diagnosis
from homeport.buildpacks.node.modules import FOLDER, Modules
from homeport.buildpacks.node.package import Manager, Package, looks_like_node, read
from homeport.buildpacks.node.runtime import Runtime, Runtimes, quiet
from homeport.buildpacks.reading import inside, listing
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store


class Node:
    """Stands in for heroku/nodejs. One object compiles one project."""

    title = "heroku/nodejs"
    sees_config = True

    async def detect(self, project: Project, shell: Shell, voice: Voice) -> str:  # noqa: ARG002
        """Raises `BuildFailed` (`buildpack_incompatible`)."""
        if not looks_like_node(project.source):
            raise BuildFailed(
                FailureId.BUILDPACK_INCOMPATIBLE,
                "App not compatible with buildpack: heroku/nodejs",
                why=f"There is no package.json in the top folder. It has:\n\n{listing(project.source)}",
                fix="Commit package.json, or take the buildpack away: `heroku buildpacks:remove heroku/nodejs`.\n"
                "If it is in a folder with the whole app: `heroku config:set HOMEPORT_SOURCE_DIR=folder`.\n"
                "If the front end is in a folder, put a package.json at the top whose `build` script goes there:\n\n"
                '  "scripts": {"build": "cd frontend && npm ci --include=dev && npm run build"}',
            )
        return "Node.js"

    async def compile(self, project: Project, shell: Shell, store: Store, voice: Voice) -> Compiled:
        """Runtime, dependencies, build scripts, in Heroku's order. Raises `BuildFailed`."""
        package = read(project.source)
        voice.blank()
        voice.step("Installing binaries")
        runtime = await Runtimes(project, shell, store, voice).choose(package)
        env = _environment(project, runtime, package.manager)
        modules = Modules(package, runtime, project, shell, store, voice, env)
        if _nothing_to_do(package):
            key, influence = None, ""
        elif package.build_script is None and "heroku-cleanup" not in package.scripts and modules.layered:
            voice.step("Installing dependencies")
            await modules.install_for_dynos()
            key, influence = modules.key, modules.key
        else:
            key, influence = await self._build(package, modules, project, shell, voice, env), None
        if key is not None:
            modules.link()
        return Compiled(
            layers=(runtime.key, *([key] if key else [])),
            profile=_run_time(runtime),
            process_types=_guess(package, project),
            influence=influence,
            exports={name: value for name, value in env.items() if name in ("PATH", "NODE_ENV") and value},
        )

    async def _build(
        self,
        package: Package,
        modules: Modules,
        project: Project,
        shell: Shell,
        voice: Voice,
        env: dict[str, str | None],
    ) -> str | None:
        layered = modules.layered

        async def run(script: str, step: str) -> None:
            if script in package.scripts:
                voice.step(step)
                argv = command_lines.run(package, script)
                done = await shell.run(argv, cwd=project.source, env=env)
                if done.code != 0:
                    raise diagnosis.script(script, done)

        await run("heroku-prebuild", "Prebuild")
        voice.step("Installing dependencies")
        await modules.install_for_building()
        if package.build_script is not None:
            await run(package.build_script, "Build")
        key = await modules.settle(layered=layered)
        await run("heroku-cleanup", "Cleanup")
        voice.step("Build succeeded!")
        return key


def _nothing_to_do(package: Package) -> bool:
    scripts = {"heroku-prebuild", "heroku-cleanup", "preinstall", "install", "postinstall", "prepare"}
    return not package.has_dependencies and package.build_script is None and scripts.isdisjoint(package.scripts)


def _environment(project: Project, runtime: Runtime, manager: Manager) -> dict[str, str | None]:
    """What package managers and build scripts get on top of the config vars."""
    berry = manager is Manager.BERRY  # which runs from its cache (Plug'n'Play), so that must be in the slug
    return {
        **quiet(project.cache),
        "PATH": f"{runtime.programs}:{project.source / FOLDER / '.bin'}:{project.path}",
        "NODE_ENV": project.config.get("NODE_ENV") or "production",
        "NODE_OPTIONS": project.config.get("NODE_OPTIONS") or "--max_old_space_size=2560",
        "YARN_CACHE_FOLDER": str(project.source / ".yarn/cache" if berry else project.cache / "yarn"),
        "YARN_ENABLE_GLOBAL_CACHE": "false" if berry else None,
        "NPM_CONFIG_STORE_DIR": str(project.cache / "pnpm"),
        "STACK": STACK,
    }


def _run_time(runtime: Runtime) -> dict[str, str]:
    """Defaults for dynos, as heroku/nodejs has them."""
    return {
        "PATH": f"{{layer:{runtime.key}}}/bin:{RUN_PATH}:{{app}}/bin:{{app}}/{FOLDER}/.bin",
        "NODE_HOME": f"{{layer:{runtime.key}}}",
        "NODE_ENV": "production",
        "LANG": "C.UTF-8",
    }


def _guess(package: Package, project: Project) -> dict[str, str]:
    if "start" in package.scripts:
        return {"web": f"{package.manager.program} start"}
    return {"web": "node server.js"} if inside(project.source, "server.js") else {}
