"""Where a display call stands in the user's code."""

import json
import sys

from ipyweb.session.source import MAX_CODE, find_source


def test_a_call_is_found_at_its_file_and_line() -> None:
    source = find_source()
    assert source["file"] == __file__
    assert source["line"] == sys._getframe().f_lineno - 2
    assert source["code"] == "source = find_source()"
    assert source["cell"] is None


def test_frames_of_libraries_are_passed_over() -> None:
    assert json.JSONEncoder(default=lambda obj: find_source()["file"]).encode(object()) == json.dumps(__file__)


def test_in_a_cell_its_number_and_code_are_told() -> None:
    source = eval(compile("find_source(3, 'x = 1\\ndisplay(x)')", "<ipython-input-3>", "eval"))
    assert source == {"file": None, "line": 1, "cell": 3, "code": "x = 1\ndisplay(x)"}


def test_long_code_is_cut() -> None:
    code = find_source(1, "x" * 10_000)["code"]
    assert code is not None
    assert len(code) == MAX_CODE
