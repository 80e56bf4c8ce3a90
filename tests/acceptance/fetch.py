"""Source distributions from the package index: tests and examples of other projects, which no wheel carries."""

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path


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
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-binary", name, "--dest", str(folder), requirement], check=True)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def _unpack(archive: Path, target: Path, wanted: tuple[str, ...]) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            member.name = member.name.partition("/")[2]  # without the name and version that everything is below
            if member.name.startswith(tuple(f"{each}/" for each in wanted)) or member.name in wanted:
                tar.extract(member, target, filter="data")
