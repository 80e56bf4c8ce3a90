"""matplotlib's gallery under ``ipyweb run``, against plain Python with Agg.

A script passes when it ends with the same status both ways, shows as many outputs as there were different figures at
its ``plt.show()`` calls, and each stored PNG is the one that ``savefig`` writes. Both ways get the same random numbers.
"""

import io
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fetch import fetch
from PIL import Image
from private import private_hub

from ipyweb import connection

HERE = Path(__file__).resolve().parent
PATIENCE = 180
"""Seconds for one script; the slowest takes 20 on two quiet cores."""

DRAWN_WITHIN = 60
"""Seconds after a script's end until all its figures are drawn."""

LARGEST_DIFFERENCE = 1.0
"""Root mean square of all channels of all pixels, 0 to 255."""

EXCEPTED = {
    "images_contours_and_fields/plot_streamplot.py": "writes into its figure how long it took",
}
"""Scripts whose pictures may differ, and why."""


@dataclass
class Script:
    """What became of one script, under Agg and under ``ipyweb run``.

    Attributes:
        unsaved: its status under Agg without ``savefig``, where that made another one of it: without LaTeX, say.
    """

    name: str
    statuses: tuple[int | None, int | None]
    seconds: tuple[float, float]
    counts: tuple[int, int]
    differences: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    error: str = ""
    unsaved: int | None = None

    @property
    def excepted(self) -> str:
        return EXCEPTED.get(self.name, "")

    @property
    def passed(self) -> bool:
        same = max(self.differences, default=0.0) <= LARGEST_DIFFERENCE or bool(self.excepted)
        if self.statuses[0] is None:  # it waits for clicks or requests for ever; its figures may change meanwhile
            return True
        if self.unsaved is not None:
            return self.unsaved == self.statuses[1]
        return self.statuses[0] == self.statuses[1] and self.counts[0] == self.counts[1] and same and not self.problems

    def row(self) -> str:
        facts = f"status {self.statuses}, figures and outputs {self.counts}, RMS {max(self.differences, default=0):.2f}"
        return f"FAIL {self.name}: {facts} {'; '.join(self.problems)} {self.error}"


def main(cache: Path, only: str = "") -> int:
    """Run the gallery.

    Args:
        cache: folder that keeps what was fetched.
        only: part of the names of the scripts to run.

    Returns:
        Exit status, 0 when every script passed.
    """
    requirement = f"matplotlib=={version('matplotlib')}"
    folder = fetch(requirement, cache, ["galleries/examples"]) / "galleries" / "examples"
    paths = sorted(path for path in folder.rglob("*.py") if only in str(path))
    print(f"gallery of {requirement}: {len(paths)} scripts", flush=True)
    with private_hub() as environment:
        subprocess.run(
            [sys.executable, "-c", "import matplotlib.pyplot"], env=environment, check=True
        )  # finds the fonts
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            scripts = list(pool.map(lambda path: run_both(path, str(path.relative_to(folder)), environment), paths))
    report(scripts)
    return not scripts or not all(script.passed for script in scripts)


def run_both(path: Path, name: str, environment: dict[str, str]) -> Script:
    """Run one script both ways, in folders of their own, and compare."""
    paths = os.pathsep.join([str(HERE / "gallery_site"), os.environ.get("PYTHONPATH", "")])
    common = {**environment, "PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
    with TemporaryDirectory() as pictures, TemporaryDirectory() as project:
        agg = [str(HERE / "gallery_agg.py"), str(path), pictures]
        plain = run(agg, {**common, "MPLBACKEND": "agg"})
        ours = run(["-m", "ipyweb", "run", str(path)], common, project)
        expected = [Image.open(each) for each in sorted(Path(pictures).iterdir(), key=lambda each: int(each.stem))]
        records = shown(project, environment)
        script = Script(name, (plain[0], ours[0]), (plain[1], ours[1]), (len(expected), len(records)))
        script.problems = [problem for record in records for problem in record["problems"] if "not be drawn" in problem]
        script.error = ours[2].strip().splitlines()[-1] if ours[0] != plain[0] and ours[2].strip() else ""
        for picture, record in zip(expected, records, strict=False):
            script.differences.append(difference(picture, stored(record["id"], environment)))
        if plain[0] is not None and plain[0] != ours[0]:
            script.unsaved = run([str(path)], {**common, "MPLBACKEND": "agg"})[0]
    if not script.passed:
        print(script.row(), flush=True)
    return script


def run(words: list[str], environment: dict[str, str], cwd: str | None = None) -> tuple[int | None, float, str]:
    """Run Python; exit status (``None`` when it hung), seconds, stderr."""
    with TemporaryDirectory() as folder:
        begun = time.monotonic()
        command = [sys.executable, *words]
        try:
            done = subprocess.run(
                command,
                env=environment,
                cwd=cwd or folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return None, time.monotonic() - begun, ""
        return done.returncode, time.monotonic() - begun, done.stderr.decode(errors="replace")


def shown(project: str, environment: dict[str, str]) -> list[dict[str, object]]:
    """The outputs of one project, oldest first, once their pictures are there."""
    path = f"api/outputs?limit=1000&project={os.path.realpath(project)}"
    deadline = time.monotonic() + DRAWN_WITHIN
    while True:
        records: list[dict[str, object]] = connection.request(hub_of(environment), "GET", path).json()["outputs"]
        if all(has_picture(record) for record in records) or time.monotonic() > deadline:
            return [record for record in records if has_picture(record)]
        time.sleep(0.1)


def has_picture(record: dict[str, object]) -> bool:
    mimetypes = record["mimetypes"]
    return isinstance(mimetypes, list) and "image/png" in mimetypes


def stored(output: object, environment: dict[str, str]) -> Image.Image:
    answer = connection.request(hub_of(environment), "GET", f"api/outputs/{output}/data?mime=image/png")
    return Image.open(io.BytesIO(answer.body))


def hub_of(environment: dict[str, str]) -> connection.Connection:
    os.environ.update({name: value for name, value in environment.items() if name.startswith("IPYWEB_")})
    hub = connection.find()
    assert hub is not None, "the hub has stopped"
    return hub


def difference(one: Image.Image, other: Image.Image) -> float:
    """Root mean square of two pictures; infinite when their sizes differ."""
    if one.size != other.size:
        return float("inf")
    pixels = [np.asarray(each.convert("RGBA"), float) for each in (one, other)]
    return float(np.sqrt(np.mean((pixels[0] - pixels[1]) ** 2)))


def report(scripts: list[Script]) -> None:
    clean = [script for script in scripts if script.statuses[0] == 0]
    ours = [script for script in scripts if script.statuses[1] == 0]
    seconds = [sum(script.seconds[way] for script in clean) for way in (0, 1)]
    figures = [sum(script.counts[way] for script in clean) for way in (0, 1)]
    equal = sum(each <= LARGEST_DIFFERENCE for script in scripts for each in script.differences)
    compared = sum(len(script.differences) for script in scripts)
    print(f"{len(scripts)} scripts; end with status 0: {len(clean)} under Agg, {len(ours)} under ipyweb run")
    print(f"of those clean under Agg: {figures[0]} figures at show(), {figures[1]} outputs")
    print(f"{equal} of {compared} pictures equal")
    ratio = seconds[1] / max(seconds[0], 1e-9)
    print(f"seconds: {seconds[0]:.0f} under Agg with savefig, {seconds[1]:.0f} under ipyweb run: {ratio:.2f}")
    print(f"{sum(script.passed for script in scripts)} passed")
    if path := os.environ.get("GALLERY_REPORT"):
        Path(path).write_text(json.dumps([vars(script) for script in scripts], indent=1))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))
