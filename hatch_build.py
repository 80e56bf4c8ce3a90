"""Builds the pane into the wheel: hatchling's custom build hook, named in pyproject.toml.

The sources are in ``js/``; the result is ``ipyweb/static/``, which is not in git. A source distribution carries it
built, so installing from one needs no Node, and installing a wheel runs none of this.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = "ipyweb/static"
COMMANDS = (("npm", "ci", "--no-audit", "--no-fund"), ("npm", "run", "build"))


class PaneBuildHook(BuildHookInterface[Any]):
    """Runs npm in ``js/`` before a wheel or a source distribution is made, and puts the result into it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pane unless this is a source distribution that has it.

        Args:
            version: what is built, ``"standard"`` or ``"editable"``.
            build_data: what hatchling builds from; the pane is added to its artifacts.

        Raises:
            RuntimeError: Node is missing, or the build failed.
        """
        root = Path(self.root)
        built = (root / STATIC / "index.html").is_file()
        if built and (root / "PKG-INFO").is_file():
            self.app.display_info("ipyweb: this source distribution carries the pane built; Node is not needed")
        else:
            self._build(root / "js")
        build_data["artifacts"].append(f"{STATIC}/**")

    def _build(self, folder: Path) -> None:
        if shutil.which("npm") is None:
            raise RuntimeError(
                "ipyweb: expected Node.js 20.19 or newer with npm to build the pane from js/, found no npm on PATH. "
                "Install Node.js from https://nodejs.org, or install a wheel, which carries the pane built."
            )
        for command in COMMANDS:
            self.app.display_info(f"ipyweb: {' '.join(command)} (in js/)")
            self._run(command, folder)

    def _run(self, command: tuple[str, ...], folder: Path) -> None:
        program = shutil.which(command[0]) or command[0]
        done = subprocess.run(
            [program, *command[1:]], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"ipyweb: {' '.join(command)} failed in js/ with status {done.returncode}:\n{done.stdout}"
            )
