"""Reads site.toml; what is wrong is named by file, key and what is allowed."""

from __future__ import annotations

import reprlib
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.config.site import Site
from gateway.config.tables import Table


class SiteError(Exception):
    """site.toml cannot be used; the text names the file, the key and what is allowed."""


REPLAYED = {"site", "zone", "region", "day_start", "hours", "camera", "k", "points", "phrases", "defaults"}
GATEWAYS = Site.model_fields.keys() - REPLAYED | {"notifier"}
"""Tables that a replay does not read (site-format): what is wrong with them does not stop it."""


def load_site(path: Path) -> Site:
    """Read site.toml; SiteError names file, key and what is allowed."""
    return parse_site(_table(path), str(path))


def load_for_replay(path: Path) -> Site:
    """Read what a replay needs of site.toml; SiteError as of `load_site`."""
    return parse_site({name: one for name, one in _table(path).items() if name not in GATEWAYS}, str(path))


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SiteError(f"{path}: cannot be read ({error.strerror}); give the shop's site.toml") from None
    except UnicodeDecodeError:
        raise SiteError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except ValueError as error:  # TOMLDecodeError, or a number of over 4300 digits
        raise SiteError(f"{path}: is not TOML: {error}") from None
    except RecursionError:
        raise SiteError(f"{path}: is not TOML: too many brackets inside each other") from None


def parse_site(table: dict[str, Any], file: str = "site.toml") -> Site:
    """Check a parsed site.toml."""
    try:
        return Site.model_validate(table)
    except ValidationError as error:
        lines = dict.fromkeys(f"{file}: {_explain(detail)}" for detail in error.errors())
        raise SiteError("\n".join(lines)) from None


_PLAIN = {
    "model_type": "allowed is a table",
    "dict_type": "allowed is a table",
    "string_type": "allowed is a text in quotes",
    "int_type": "allowed is a whole number",
    "float_type": "allowed is a number",
    "finite_number": "allowed is a number",
    "bool_type": "allowed is true or false",
    "datetime_type": "allowed is a local date and time such as 2025-10-08T10:30:00",
    "string_too_short": "allowed is a text that is not empty",
}


def _explain(detail: ErrorDetails) -> str:
    key = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    if detail["type"] == "extra_forbidden":
        return f"{key}: unknown name; allowed here: {', '.join(_allowed(detail['loc'][:-1]))}"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        shown = f" (it is {_shown(detail)})" if _is_open(detail) else ""
        return f"{key}: {message}{shown}" if key else message
    if detail["type"] == "missing":
        return f"{key}: is missing; needed or allowed here: {', '.join(_allowed(detail['loc'][:-1]))}"
    allowed = _PLAIN.get(detail["type"], message.removeprefix("Input ").removeprefix("String "))
    return f"{key}: {allowed} (it is {_shown(detail)})"


def _shown(detail: ErrorDetails) -> str:
    """A wrong value, shortened, where it surely holds no secret, else its type."""
    value = detail["input"]
    return reprlib.repr(value) if _is_open(detail) else f"a {type(value).__name__}"


def _is_open(detail: ErrorDetails) -> bool:
    """Whether a wrong value surely holds no secret: the gateway's own tables have passwords and addresses."""
    value, kind = detail["input"], detail["type"]
    if detail["loc"] and detail["loc"][0] in REPLAYED:
        return isinstance(value, str | int | float)
    if isinstance(value, str):
        return kind == "literal_error"
    return isinstance(value, int | float) and kind != "string_type"


def _allowed(loc: tuple[int | str, ...]) -> list[str]:
    """Names allowed in the table at `loc`."""
    model: type[Table] = Site
    for part in loc:  # names that are no field are keys of a dict or places in a list
        field = model.model_fields.get(str(part))
        model = (field and _table_in(field.annotation)) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _table_in(annotation: Any) -> type[Table] | None:
    """The table class inside an annotation such as `dict[Name, Point]` or `Hours | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    found = [_table_in(part) for part in get_args(annotation)]
    return next((model for model in found if model is not None), None)
