"""From what libraries hand over to what is stored: a MIME bundle becomes bytes, once.

Reprs return bytes or base64 text for images, ``None`` for metadata, NaN in JSON, lone surrogates, 200 MB of HTML. Here
everything becomes bytes by MIME type, and whatever had to be changed or left out is said in one line of `problems`.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..protocol import by_richness

MAX_METADATA = 64 * 1024
"""Bytes of JSON that the metadata of one bundle may take."""

_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;[^\r\n]*)?", re.ASCII)
_TEXT_IMAGES = frozenset({"image/svg+xml"})
_BINARY = ("image/", "audio/", "video/", "font/", "application/pdf", "application/octet-stream", "application/zip")


class Limits(NamedTuple):
    """What may be sent.

    Attributes:
        max_bytes: size in bytes above which one representation is cut off.
        include: wildcards of MIME types that are sent; empty sends all.
        exclude: wildcards of MIME types that are not sent.
    """

    max_bytes: int = 32 * 2**20
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()


class Bundle(NamedTuple):
    """A MIME bundle ready to be sent.

    Attributes:
        parts: bytes by MIME type.
        metadata: JSON-able, as in Jupyter messaging.
        problems: one line for each thing that was changed or left out.
    """

    parts: dict[str, bytes]
    metadata: dict[str, Any]
    problems: list[str]


NO_LIMITS = Limits()


def normalise(
    data: object, metadata: object = None, problems: Sequence[str] = (), limits: Limits = NO_LIMITS
) -> Bundle:
    """Make a bundle of bytes out of whatever a library handed over, the richest first. Never raises for bad input."""
    said = list(problems)
    parts: dict[str, bytes] = {}
    if not isinstance(data, Mapping):
        said.append(f"expected the data to be a dict by MIME type, got {type(data).__name__}")
        data = {}
    for mime, value in data.items():
        if not isinstance(mime, str) or not _MIME.fullmatch(mime):
            said.append(f"expected a MIME type as key, got {one_line(mime)}")
        elif value is not None and _wanted(mime, limits):
            part = _encode(mime, value, said)
            if part is not None:
                parts.update(_cut(mime, part, limits.max_bytes, said))
    if not parts:
        said = said or ["there is nothing to show: no representation was made, or all are excluded by IPyWeb settings"]
        parts["text/plain"] = "\n".join(said).encode("utf-8", "replace")
    return Bundle({mime: parts[mime] for mime in by_richness(parts)}, _metadata(metadata, said), said)


def _wanted(mime: str, limits: Limits) -> bool:
    included = not limits.include or any(fnmatchcase(mime, each) for each in limits.include)
    return included and not any(fnmatchcase(mime, each) for each in limits.exclude)


def _encode(mime: str, value: object, problems: list[str]) -> bytes | None:
    try:
        return _encoder(mime)(mime, value, problems)
    except Exception as error:
        problems.append(f"{mime}: {type(error).__name__}: {one_line(error)}")
        return None


def _encoder(mime: str) -> Callable[[str, Any, list[str]], bytes]:
    if mime.startswith(_BINARY) and mime not in _TEXT_IMAGES:
        return _binary
    return _json if mime.split(";")[0].endswith("json") else _text


def _binary(mime: str, value: Any, problems: list[str]) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value)
        except binascii.Error as error:
            raise ValueError(f"expected bytes or base64 text: {error}") from error
    raise TypeError(f"expected bytes or base64 text, got {type(value).__name__}")


def _text(mime: str, value: Any, problems: list[str]) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(line, str) for line in value):
        value = "".join(value)  # as nbformat stores multi-line text
    if not isinstance(value, str):
        problems.append(f"{mime}: expected text, got {type(value).__name__}; its repr is shown")
        value = repr(value)
    return _utf8(mime, value, problems)


def _utf8(mime: str, text: str, problems: list[str]) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        problems.append(f"{mime}: lone surrogates were replaced by ?")
        return text.encode("utf-8", "replace")


def _json(mime: str, value: Any, problems: list[str]) -> bytes:
    if isinstance(value, bytes):
        return value  # serialized already, by a library's own encoder
    try:
        return _dumps(value).encode()
    except (TypeError, ValueError, RecursionError):
        plain = _plain(value, said := set[str]())
        problems.extend(f"{mime}: {each}" for each in sorted(said))
        return _dumps(plain).encode("utf-8", "replace")


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _plain(value: Any, said: set[str], depth: int = 0) -> Any:
    """What JSON can say of `value`: NaN becomes null, arrays lists, dates ISO 8601, anything else its repr."""
    if depth > 200:
        said.add("nested deeper than 200 levels, or circular; cut off")
        return None
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        said.add("NaN and infinities became null")
        return None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each, said, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each, said, depth + 1) for each in value]
    for method in ("tolist", "isoformat"):  # numpy's and pandas' arrays and scalars; dates and times
        if hasattr(value, method):
            return _plain(getattr(value, method)(), said, depth + 1)
    said.add(f"{type(value).__name__} is not JSON; its repr is shown")
    return repr(value)


def _cut(mime: str, part: bytes, limit: int, problems: list[str]) -> dict[str, bytes]:
    if len(part) <= limit:
        return {mime: part}
    notice = f"{mime} of {len(part):,} bytes is above IPyWeb.max_repr_bytes = {limit:,}"
    if mime == "text/plain":
        problems.append(f"{notice}; cut off")
        kept = part[:limit].decode("utf-8", "ignore")
        return {mime: f"{kept}\n… {notice}; cut off here".encode()}
    problems.append(f"{notice}; left out")
    return {}


def _metadata(metadata: object, problems: list[str]) -> dict[str, Any]:
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        problems.append(f"expected the metadata to be a dict, got {type(metadata).__name__}")
        return {}
    plain: dict[str, Any] = _plain(metadata, said := set[str]())
    problems.extend(f"metadata: {each}" for each in sorted(said))
    size = len(_dumps(plain))
    if size > MAX_METADATA:
        problems.append(f"metadata of {size:,} characters left out; expected at most {MAX_METADATA:,}")
        return {}
    return plain


def one_line(value: object) -> str:
    try:
        text = value if isinstance(value, str) else str(value) if isinstance(value, BaseException) else repr(value)
    except Exception:
        text = f"an object of {type(value).__name__} whose repr fails"
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"
