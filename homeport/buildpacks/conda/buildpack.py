"""The conda buildpack, from top to bottom."""

from __future__ import annotations

from homeport.buildpacks.conda import environment
from homeport.buildpacks.conda.install import Installer, variables
from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Compiled, Project, Shell
from homeport.buildpacks.python import checks, django, guess, hooks, profile
from homeport.buildpacks.python.install import Layer
from homeport.buildpacks.reading import listing
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store

_ACTIVATION = """\
# Made by the conda buildpack: what packages want done when their environment is activated.
for homeport_script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    [ -f "$homeport_script" ] && . "$homeport_script"
done
unset homeport_script
"""
_SCRIPT = ".profile.d/conda.sh"


class Conda:
    """Stands in for the conda buildpacks that there are. One object compiles one project."""

    title = "homeport/conda"
    sees_config = True

    async def detect(self, project: Project, shell: Shell, voice: Voice) -> str:  # noqa: ARG002
        """Raises `BuildFailed` (`buildpack_incompatible`)."""
        if not environment.looks_like_conda(project.source):
            raise BuildFailed(
                FailureId.BUILDPACK_INCOMPATIBLE,
                "App not compatible with buildpack: homeport/conda",
                why="There is neither an environment.yml nor a conda-requirements.txt in the top folder. It has:\n\n"
                f"{listing(project.source)}",
                fix="Commit one, or use pip's packages: `heroku buildpacks:set heroku/python`.",
            )
        return "Python/Conda"

    async def compile(self, project: Project, shell: Shell, store: Store, voice: Voice) -> Compiled:
        """Hooks, the environment, static files, as the Python buildpack does it. Raises `BuildFailed`."""
        before = await hooks.run("pre_compile", project, shell, voice, {})
        wanted = environment.read(project.source)
        if wanted.has_itself:
            voice.detail("Passing over '-e .': the app's folder is on PYTHONPATH.")
        layer = await Installer(project, shell, store, voice).layer(wanted)
        env = {**profile.build_time(layer, project), "CONDA_PREFIX": str(layer.path)}
        activation = self._write_activation(project, layer)
        static = await self._static_files(project, layer, shell, voice, env)
        after = await hooks.run("post_compile", project, shell, voice, env)
        checks.warn(project, layer, voice)
        guessed = guess.process_types(project.source, layer.note.packages)
        return Compiled(
            layers=(layer.key,),
            profile={**profile.run_time(layer, project.source), **variables(layer, wanted)},
            process_types=guessed.process_types,
            caution=guessed.caution,
            influence=None if before or after or static else layer.key if activation else "",
            exports={"PATH": env["PATH"], "CONDA_PREFIX": env["CONDA_PREFIX"]},
        )

    def _write_activation(self, project: Project, layer: Layer) -> bool:
        """Whether packages have anything to do when a dyno starts."""
        if not (layer.path / "etc" / "conda" / "activate.d").is_dir():
            return False
        script = project.source / _SCRIPT
        if not script.parent.is_dir():
            script.parent.mkdir()
        script.write_text(_ACTIVATION)
        return True

    async def _static_files(
        self, project: Project, layer: Layer, shell: Shell, voice: Voice, env: dict[str, str]
    ) -> bool:
        reason = django.why_not(project, layer.note.packages)
        if reason is None:
            await django.collectstatic(project, shell, voice, env)
        elif reason:
            voice.step(reason)
        return reason is None
