"""Source distributions from the package index: tests and examples of other projects, which no wheel carries."""

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

BACKENDS = ("mesonpy", "setuptools.build_meta", "hatchling.build", "flit_core.buildapi", "poetry.core.masonry.api")
STUB = """
import pathlib
import sys

__legacy__ = sys.modules[__name__]  # what pip asks of setuptools where a project names no backend

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    text = pathlib.Path("PKG-INFO").read_text(encoding="utf-8")
    fields = dict(line.split(": ", 1) for line in text.partition("\\n\\n")[0].splitlines() if line[:1].isupper())
    name = f"{fields['Name'].replace('-', '_')}-{fields['Version']}.dist-info"
    folder = pathlib.Path(metadata_directory, name)
    folder.mkdir()
    (folder / "METADATA").write_text(text, encoding="utf-8")
    (folder / "WHEEL").write_text("Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    return name

def build_wheel(*args, **options):
    raise RuntimeError("only metadata is made here")
"""


def fetch(requirement: str, folder: Path, wanted: Sequence[str]) -> Path:
    """Unpack part of a project's source distribution.

    Args:
        requirement: name and exact version, such as ``"altair==4.2.2"``.
        folder: below it the files are kept, so that they are fetched once.
        wanted: paths of files and folders in the source distribution.

    Returns:
        The folder that now holds what was wanted.

    Raises:
        subprocess.CalledProcessError: pip could not fetch it.
        FileNotFoundError: the source distribution lacks one of the paths.
    """
    target = folder / requirement.replace("==", "-")
    if not all((target / each).exists() for each in wanted):
        with tempfile.TemporaryDirectory() as download:
            _unpack(_download(requirement, Path(download)), target, tuple(wanted))
    for each in wanted:
        if not (target / each).exists():
            raise FileNotFoundError(f"expected {each} in the source distribution of {requirement}, found none")
    return target


def _download(requirement: str, folder: Path) -> Path:
    name = requirement.partition("==")[0]
    backends = _stub_backends(folder / "backends")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    options = ["--no-binary", name, "--no-build-isolation", "--use-pep517", "--dest", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(backends)}
    subprocess.run([*pip, *options, requirement], env=environment, check=True)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def _stub_backends(folder: Path) -> Path:
    """Build backends that only repeat a project's metadata: pip asks for it, and the real ones might compile."""
    for name in BACKENDS:
        module = folder.joinpath(*name.split("."))
        module.mkdir(parents=True, exist_ok=True)
        (folder / name.partition(".")[0] / "__init__.py").touch()  # or an installed package of that name would win
        (module / "__init__.py").write_text(STUB)
    return folder


def _unpack(archive: Path, target: Path, wanted: tuple[str, ...]) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            member.name = member.name.partition("/")[2]  # without the name and version that everything is below
            if member.name.startswith(tuple(f"{each}/" for each in wanted)) or member.name in wanted:
                tar.extract(member, target, filter="data")
