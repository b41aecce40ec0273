"""heroku/procfile: nothing is built; the source runs as it is, by its Procfile."""

from __future__ import annotations

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Compiled, Project, Shell
from homeport.buildpacks.reading import inside, listing
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store


class Bare:
    """Needs a Procfile and does nothing."""

    title = "heroku/procfile"
    sees_config = True

    async def detect(self, project: Project, shell: Shell, voice: Voice) -> str:  # noqa: ARG002
        """Raises `BuildFailed` (`buildpack_incompatible`)."""
        if inside(project.source, "Procfile") is None:
            raise BuildFailed(
                FailureId.BUILDPACK_INCOMPATIBLE,
                "App not compatible with buildpack: heroku/procfile",
                why=f"It runs what a Procfile says; there is none. The top folder has:\n\n{listing(project.source)}",
                fix="Write a Procfile, or take the buildpack away: `heroku buildpacks:remove heroku/procfile`.",
            )
        return "Procfile"

    async def compile(self, project: Project, shell: Shell, store: Store, voice: Voice) -> Compiled:  # noqa: ARG002
        return Compiled(layers=(), profile={}, process_types={})
