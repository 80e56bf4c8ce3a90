"""``python -m ipyweb`` and ``ipyweb``."""

import sys


def main() -> int:
    """Run the command; a script without options goes its way before anything else is imported.

    Returns:
        The exit status.
    """
    if _names_script(sys.argv[1:]):
        from .session.runner import run

        return run(sys.argv[2:])
    from .cli.app import main

    return main()


def _names_script(words: "list[str]") -> bool:
    if words[:1] != ["run"] or len(words) < 2:
        return False
    return words[1] in ("-m", "-") or not (words[1].startswith("-") or words[1].endswith(".ipynb"))


if __name__ == "__main__":
    sys.exit(main())
