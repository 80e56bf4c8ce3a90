"""The tree of exceptions is the one that the docstring draws."""

import inspect

from ipyweb import errors


def test_the_docstring_draws_every_exception() -> None:
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, BaseException):
            assert name in (errors.__doc__ or ""), name
            assert issubclass(value, errors.IpywebError)
