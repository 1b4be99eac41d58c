"""Files of options: YAML, TOML or JSON by suffix."""

import json
import tomllib
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from adc_core.errors import InputError


def read_config(path: Path, what: str) -> dict[str, Any]:
    """Read a file that holds a table of keys.

    Args:
        path: the file.
        what: what to give instead where it is missing: `a pipeline file`.

    Raises:
        InputError: it is missing, of another kind, or not well-formed; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: give the path of {what}") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder: give the path of {what}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    try:
        if path.suffix in (".yaml", ".yml"):
            table = yaml.load(text, _OneValuePerKey)
        elif path.suffix == ".toml":
            table = tomllib.loads(text)
        elif path.suffix == ".json":
            table = json.loads(text)
        else:
            raise InputError(f"{path} is not one of: .yaml, .toml, .json")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise InputError(f"{path}, line {line}: {error.problem}") from None
    except (yaml.YAMLError, tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply: is it {what}?") from None
    if not isinstance(table, dict):
        raise InputError(f"{path} holds no table of keys: write `key: value` lines")
    return table


class _OneValuePerKey(yaml.SafeLoader):
    """YAML that refuses a duplicate key, where PyYAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a word, not a list or table", problem_mark=key.start_mark
                )
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f'duplicate key "{key.value}"', problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)
