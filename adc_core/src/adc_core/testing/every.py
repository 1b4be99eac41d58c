"""What every component promises."""

import pickle

from pydantic import ValidationError

from adc_core.components.component import Component
from adc_core.components.interfaces import interface_of
from adc_core.records.dataset import EVIDENCE

_COLUMNS = {*EVIDENCE, "images", "truth", "test"}


def check_has_a_summary(component: Component) -> None:
    """Require a docstring that begins with one sentence on what the component is for.

    Begin the docstring with a line of at most 100 letters that ends in a full stop.
    """
    summary = (type(component).__doc__ or "").partition("\n")[0].strip()
    assert summary.endswith("."), (
        f"the docstring's first line is {summary!r}: end it with a full stop"
    )
    assert len(summary) <= 100, f"the docstring's first line has {len(summary)} letters: shorten it"


def check_describes_every_option(component: Component) -> None:
    """Require a description of every option.

    Give each field one: k: int = Field(default=10, description="neighbors that vote").
    """
    for name, field in type(component).model_fields.items():
        assert field.description, f"option {name} has no description: Field(…, description=…)"


def check_survives_a_round_trip(component: Component) -> None:
    """Require the same component when it is written as a table and read again.

    Use field types that JSON has, or give them a serializer; validators must take their own
    results.
    """
    table = component.model_dump(mode="json")
    options = {key: value for key, value in table.items() if key != "use"}
    again = type(component).model_validate(options)
    assert again == component, f"{again!r} is not {component!r}"
    assert again.fingerprint == component.fingerprint


def check_refuses_an_unknown_option(component: Component) -> None:
    """Require an error for an option that the component does not have.

    Leave extra="forbid" in model_config.
    """
    if type(component).model_config.get("extra") == "allow":
        return
    options = component.model_dump(exclude={"use"}) | {"surely_no_option": 1}
    options.pop("use", None)
    try:
        type(component).model_validate(options)
    except ValidationError as error:
        assert "surely_no_option" in str(error), f"the error does not name the option: {error}"
    else:
        raise AssertionError("the option surely_no_option was accepted")


def check_is_frozen(component: Component) -> None:
    """Require that options cannot be changed afterwards.

    Leave frozen=True in model_config; what the work finds, it returns.
    """
    for name in type(component).model_fields:
        try:
            setattr(component, name, getattr(component, name))
        except ValidationError:
            continue
        raise AssertionError(f"option {name} can be changed: keep model_config frozen")


def check_pickles(component: Component) -> None:
    """Require that the component can be sent to another process.

    Define the class at the top of a module, and hold no files, locks or lambdas in fields.
    """
    assert pickle.loads(pickle.dumps(component)) == component, "it comes back as another one"


def check_requires_and_provides_known_columns(component: Component) -> None:
    """Require known columns in `requires` and `provides`; only metrics read the truth.

    Write tuples of the names of evidence columns: requires = ("neighbors",).
    """
    interface = interface_of(component.kind)
    for name in ("requires", "provides"):
        columns = getattr(component, name)
        assert isinstance(columns, tuple), f'{name} is {columns!r}: write ("{columns}",)'
    if component.kind != "metrics":
        secret = {"truth", "test"} & set(component.requires)
        assert not secret, f"only metrics may read {', '.join(secret)}"
    if component.kind in ("detectors", "encoders"):
        unknown = {*component.requires, *component.provides} - _COLUMNS
        assert not unknown, f"unknown columns: {', '.join(sorted(unknown))}"
    assert isinstance(component, interface), f"it is no {interface.__name__}"
