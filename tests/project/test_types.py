"""Everything public has type hints; mypy checks them in the lint step."""

import inspect

import pytest
from rooms import find_rooms

ROOMS = find_rooms()


def public_functions(room):
    """Yield names and functions: public ones, and public methods of public classes."""
    for name in getattr(room, "__all__", []):
        value = getattr(room, name)
        if inspect.isfunction(value):
            yield name, value
        if inspect.isclass(value):
            yield from public_methods(name, value)


def public_methods(name, cls):
    """Yield the constructor and the public methods that a class defines itself."""
    for key, value in vars(cls).items():
        function = inspect.unwrap(getattr(value, "__func__", value))
        if isinstance(value, property):
            function = value.fget
        is_written = inspect.isfunction(function) and function.__module__.startswith(
            "skmtl"
        )
        if is_written and (key == "__init__" or not key.startswith("_")):
            yield f"{name}.{key}", function


def lacking(function):
    """Return the parameters without a hint, "return" among them."""
    signature = inspect.signature(function)
    names = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is parameter.empty and name not in ("self", "cls")
    ]
    if signature.return_annotation is signature.empty:
        names += [] if function.__name__ == "__init__" else ["return"]
    return names


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_what_is_public_has_hints(room):
    found = {name: lacking(function) for name, function in public_functions(room)}
    assert {name: names for name, names in found.items() if names} == {}
