"""The two ways a run can fail, told apart by whose turn it is to act."""


class InputError(ValueError):
    """What the user gave is wrong; the message is one line and says what to do (exit code 2).

    It is a `ValueError`, so pydantic collects every one in a file and says where each stands.
    """


class WorkError(RuntimeError):
    """The work could not be done: a full disk, a damaged file, a busy directory (exit code 1)."""
