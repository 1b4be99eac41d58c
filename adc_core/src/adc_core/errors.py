"""The two ways a run can fail, told apart by whose turn it is to act."""

from collections.abc import Iterable


class InputError(ValueError):
    """What the user gave is wrong; the message is one line and says what to do (exit code 2).

    It is a `ValueError`, so pydantic collects every one in a file and says where each stands.
    """


class InputErrors(InputError):  # noqa: N818 (the plural of InputError)
    """Several faults of one input, each of them one line.

    Attributes:
        faults: the lines.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


class RecordErrors(InputErrors):
    """A record was made from something that it cannot be made from.

    Whoever calls a function with arrays has given them; within a component it is the component's
    fault.
    """


class WorkError(RuntimeError):
    """The work could not be done: a full disk, a damaged file, a busy directory (exit code 1)."""
