"""Read a configuration file: safely, whole, and with errors that name the key, its line and the cure."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import BaseModel, ValidationError

from polyculture.errors import ConfigError
from schemas.config import CurationConfig

MAX_CONFIG_BYTES = 256 * 1024
MAX_DEPTH = 20
AUDIT_SUFFIX = "-audit"  # of the default run directory of an audit
Location = tuple[str | int, ...]
_BOOLEANS = ("true", "false", "yes", "no", "on", "off")
# The scalars of YAML 1.2, with `_` between digits and yes, no, on, off as well. What else version 1.1 makes of plain
# words is text: `12:30:45`, a number in base 60, and dates.
_SCALARS = (
    (
        "bool",
        "|".join(form for word in _BOOLEANS for form in (word, word.capitalize(), word.upper())),
        "tTfFyYnNoO",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+|0o[0-7]+")
OLDER_KEY = ("mixture", "stages")  # errors name `mixture.phases`, as it is called now, with the line of this key


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars of YAML 1.2."""

    # The stubs call it an instance's.
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]


for _name, _pattern, _starts in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"(?:{_pattern})\\Z"), list(_starts))


def load_config(path: Path) -> CurationConfig:
    """Read and check a configuration.

    YAML 1.2, hence JSON too, without aliases, merge keys, tags or duplicate keys, at most 256 KiB. The order of sources
    and of their paths says nothing: both are sorted, so that it does not tell one run from another.

    Args:
        path: the file.

    Raises:
        ConfigError: it cannot be read or does not hold a configuration; every problem is named with its line.
    """
    values, lines = _parse(path, _read(path))
    older = {("mixture", "phases", *place[2:]): line for place, line in lines.items() if place[:2] == OLDER_KEY}
    return _sorted(_validated(path, values, {**older, **lines}))


def _sorted(config: CurationConfig) -> CurationConfig:
    sources = [source.model_copy(update={"paths": tuple(sorted(source.paths))}) for source in config.sources]
    return config.model_copy(update={"sources": tuple(sorted(sources, key=lambda source: source.name))})


def read_config(given: Path | Mapping[str, object]) -> tuple[CurationConfig, Path, str]:
    """Read a configuration from a file, or from what would stand in one.

    Returns:
        The configuration, the folder that its paths are relative to, and what messages call it.

    Raises:
        ConfigError: it cannot be read or does not hold a configuration.
    """
    if isinstance(given, Path):
        return load_config(given), given.resolve().parent, str(given)
    name = Path("configuration")
    return _sorted(_validated(name, dict(given), {})), Path.cwd(), str(name)


def load_policy(path: Path, config: CurationConfig) -> CurationConfig:
    """Read and check a policy: YAML with what stands under `gate:` in a configuration.

    Args:
        path: the file.
        config: configuration of the run that is to be judged by it; its sources are the scopes that a policy may name.

    Returns:
        The configuration with this policy as its gate.

    Raises:
        ConfigError: the same cases as for a configuration.
    """
    values, lines = _parse(path, _read(path))
    inside = {("gate", *place): line for place, line in lines.items()}
    return _validated(path, {**config.model_dump(exclude={"gate"}), "gate": values}, inside)


def load_values(path: Path) -> object:
    """Read YAML or JSON that belongs to a configuration, as safely as one.

    Raises:
        ConfigError: it cannot be read, or is no such file.
    """
    return _parse(path, _read(path))[0]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; name an existing YAML file") from error
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES // 1024} KiB; a configuration is a short text")
    return raw


def _validated(path: Path, values: object, lines: Mapping[Location, int]) -> CurationConfig:
    try:
        return CurationConfig.model_validate(values)
    except ValidationError as error:
        details: list[dict[str, Any]] = [dict(detail) for detail in error.errors(include_url=False)]
        places = [detail["loc"] for detail in details]
        # A list that is too short only because its items are wrong is not a second problem.
        problems = [_problem(path, d, lines) for d in details if not any(_is_inside(p, d["loc"]) for p in places)]
        raise ConfigError(*problems) from error


def _is_inside(place: Location, other: Location) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


def _parse(path: Path, raw: bytes) -> tuple[object, dict[Location, int]]:
    """Values, and the line of every key."""
    try:
        text = raw.decode("utf-8-sig")
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            _refuse(path, event, depth)
        node = yaml.compose(text, Loader=_Loader)
        lines: dict[Location, int] = {}
        if node is not None:
            _note_lines(path, node, (), lines)
        return yaml.load(text, Loader=_Loader), lines  # noqa: S506 -- a safe loader
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error


def _refuse(path: Path, event: yaml.Event, depth: int) -> None:
    """Refuse what a configuration never needs and an attacker does, and what versions of YAML read differently."""
    mark = event.start_mark
    line = mark.line + 1 if mark else 1
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise ConfigError(f"{path}:{line}: anchors and aliases are not allowed; write the value out")
    tag = getattr(event, "tag", None)
    if tag:
        raise ConfigError(f"{path}:{line}: the tag {tag} is not allowed; write a plain value")
    if depth > MAX_DEPTH:
        raise ConfigError(f"{path}:{line}: nested deeper than {MAX_DEPTH} levels")
    if isinstance(event, yaml.ScalarEvent) and event.style is None:
        if event.value == "<<":
            raise ConfigError(f"{path}:{line}: merge keys (<<) are not allowed; write the values out")
        if _LEADING_ZERO.fullmatch(event.value):
            raise ConfigError(
                f"{path}:{line}: {event.value}: versions of YAML read a number that starts with 0 differently; "
                f'write it without, or "{event.value}" for text'
            )


def _note_lines(path: Path, node: yaml.Node, at: Location, lines: dict[Location, int]) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise ConfigError(f"{path}:{key.start_mark.line + 1}: the key {name!r} is given twice; remove one")
            seen.add(name)
            lines[(*at, name)] = key.start_mark.line + 1
            _note_lines(path, value, (*at, name), lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _note_lines(path, value, (*at, number), lines)


def _problem(path: Path, detail: Mapping[str, Any], lines: Mapping[Location, int]) -> str:
    """One line for one validation error."""
    location: Location = tuple(detail["loc"])
    at = location
    while at and at not in lines:
        at = at[:-1]
    key = ".".join(map(str, location)) or "the configuration"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = _unknown_key(location)
    elif detail["type"] == "missing":
        message = "is missing; add it"
    elif detail["type"] == "string_type" and isinstance(detail["input"], bool):
        message = "wanted text; yes, no, on, off, true and false are no text unless they stand in quotes"
    elif not isinstance(detail["input"], dict | list | tuple) and detail["type"] != "value_error":
        message = f"{message}, got {detail['input']!r:.60}"
    return f"{path}:{lines.get(at, 1)}: {key}: {message}"


def _unknown_key(location: Location) -> str:
    model: object = CurationConfig
    for part in location[:-1]:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            model = _inner_model(model.model_fields[part].annotation)
    known = sorted(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
    near = difflib.get_close_matches(str(location[-1]), known, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown key; {hint}known: {', '.join(known)}"


def _inner_model(annotation: object) -> object:
    """The model inside an annotation such as `tuple[SourceConfig, ...]` or `dict[Kind, KindLimit]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _inner_model(argument)
        if inner is not None:
            return inner
    return None
