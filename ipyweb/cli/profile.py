"""The lines in an IPython profile's config file that load ipyweb."""

import os
import re
from pathlib import Path

BEGIN = "# >>> ipyweb enable >>>"
END = "# <<< ipyweb enable <<<"
_LINES = ("# `ipyweb disable` takes these lines out again.", 'c.InteractiveShellApp.extensions.append("ipyweb")')
# The line break before the block is ours: it ends a last line that had none, and its absence tells that the file is.
_BLOCK = re.compile(rf"(\r?\n|\A){re.escape(BEGIN)}.*?{re.escape(END)}(?:\r?\n|\Z)", re.DOTALL)


def config_file(profile: str) -> Path:
    """The config file of an IPython profile; it need not exist."""
    from IPython.paths import get_ipython_dir

    return Path(get_ipython_dir()) / f"profile_{profile}" / "ipython_config.py"


def enable(path: Path) -> bool:
    """Add the lines.

    Returns:
        Whether they were missing.
    """
    text = _read(path)
    if text is not None and BEGIN in text:
        return False
    newline = "\r\n" if text and "\r\n" in text else "\n"
    block = newline.join((BEGIN, *_LINES, END, ""))
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, block if text is None else text + newline + block)
    return True


def disable(path: Path) -> bool:
    """Take the lines out; every other byte stays, and a file that held nothing else goes.

    Returns:
        Whether they were there.
    """
    text = _read(path)
    found = _BLOCK.search(text or "")
    if text is None or found is None:
        return False
    rest = text[: found.start()] + text[found.end() :]
    if not rest and not found.group(1):
        path.unlink()
    else:
        _write(path, rest)
    return True


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    target = path.resolve()  # a link into a folder of dotfiles stays a link
    temporary = target.with_name(f".{target.name}.ipyweb")
    try:
        temporary.write_bytes(text.encode("utf-8", "surrogateescape"))
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
        os.replace(temporary, target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
