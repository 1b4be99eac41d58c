"""Whether anything but an answer or one clear line comes of odd arrays and options.

    python benchmarks/fuzz_functions.py --minutes 10 --seed 0

Every function of adc_plugins_detect and every record of adc_core that holds arrays is called at
random: most arguments are sound, some are of another type, shape, order or length, hold NaN,
infinity or huge numbers, or are no arrays at all. An answer must be shown in full without an error,
a refusal must be an InputError of one line. Whatever else comes, a numpy warning or a call of more
than a minute too, is printed with its number and makes the exit code 1; `--call N` repeats one.
"""

import argparse
import inspect
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from types import FrameType

import numpy as np
from fuzz_arguments import ARGUMENTS, RECORD_FIELDS, Draw, Value

import adc_core
import adc_plugins_detect
from adc_core import InputError
from adc_core.records import Record

MINUTE = 60
RECORDS = tuple(RECORD_FIELDS)
FUNCTIONS = tuple(
    name
    for name in adc_plugins_detect.__all__
    if inspect.isfunction(getattr(adc_plugins_detect, name))
)

ODD_OPTIONS = ("", "rank", "vote", "max", "both", "logits", -1, 0, 1, 2, 0.5, 1e9, True, None)

AMOUNTS = ("steps", "bootstrap")
"""Options that say how much work to do: whoever asks for a billion steps waits for them."""


_INTERNALS = ("validation error", "pydantic", "Traceback", "function-before", "constrained")
"""What no user should have to read."""


def draw_call(number: int, seed: int) -> tuple[str, dict[str, Value]]:
    """The name and the arguments of a call, the same for the same number and seed."""
    draw = Draw(np.random.default_rng([seed, number]))
    name = draw.among(*FUNCTIONS, *RECORDS)
    if name in RECORDS:
        fields = RECORD_FIELDS[name](draw)
        return name, {
            field: draw.odd(value) if draw.random.random() < 0.2 else value
            for field, value in fields.items()
            if draw.random.random() < 0.9
        }
    return name, dict(_arguments(draw, name))


def _arguments(draw: Draw, name: str) -> Iterator[tuple[str, Value]]:
    for parameter in inspect.signature(getattr(adc_plugins_detect, name)).parameters.values():
        required = parameter.default is inspect.Parameter.empty
        if not required and draw.random.random() < 0.7:
            continue
        odd = draw.random.random() < (0.15 if required else 0.3)
        if parameter.name not in ARGUMENTS:
            yield parameter.name, draw.among(*ODD_OPTIONS)
        elif odd and parameter.name not in AMOUNTS:
            yield parameter.name, draw.odd(ARGUMENTS[parameter.name](draw))
        else:
            yield parameter.name, ARGUMENTS[parameter.name](draw)


def outcome_of(name: str, arguments: dict[str, Value]) -> str:
    """`answer` or `refusal`.

    Raises:
        Exception: anything else that came of it.
    """
    target = getattr(adc_core, name) if name in RECORDS else getattr(adc_plugins_detect, name)
    try:
        answer = target(**arguments)
    except InputError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1, f"a refusal of {len(lines)} lines: {error}"
        leaked = [word for word in _INTERNALS if word in str(error)]
        assert not leaked, f"a refusal that tells of {leaked[0]}: {error}"
        return "refusal"
    shown = repr(answer)
    assert not isinstance(answer, Record) or len(shown) < 2000, "an answer that fills the screen"
    for method in ("_repr_html_", "to_pandas"):
        if hasattr(answer, method):
            getattr(answer, method)()
    return "answer"


def _too_long(_: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {MINUTE} seconds")


def told(arguments: dict[str, Value]) -> str:
    """Arguments on one line, arrays by type, shape and first numbers."""

    def short(value: Value) -> str:
        if isinstance(value, np.ndarray):
            return f"{value.dtype}{list(value.shape)} {value.ravel()[:4].tolist()}"
        return " ".join(repr(value)[:120].split())

    return ", ".join(f"{name}={short(value)}" for name, value in arguments.items())


def main() -> int:
    """Call until the time is over; 1 where something else came than answers and refusals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--call", type=int, help="repeat the call of this number alone")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", RuntimeWarning)
    signal.signal(signal.SIGALRM, _too_long)
    counts: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    end = time.monotonic() + 60 * options.minutes
    number = options.call or 0
    while options.call in (None, number) and (options.call is not None or time.monotonic() < end):
        name, arguments = draw_call(number, options.seed)
        signal.alarm(MINUTE)
        try:
            came = outcome_of(name, arguments)
        except Exception as error:
            came = "fault"
            last = traceback.extract_tb(error.__traceback__)[-1]
            print(f"call {number} (seed {options.seed}): {name}({told(arguments)})")
            print(f"  {type(error).__name__}: {str(error)[:300]}  {last.filename}:{last.lineno}")
        signal.alarm(0)
        counts[came] += 1
        answered[name] += came == "answer"
        number += 1
    print(", ".join(f"{count:,} {came}s" for came, count in counts.most_common()))
    never = [name for name in (*FUNCTIONS, *RECORDS) if not answered[name]]
    if options.call is None and never:
        print(f"never answered: {', '.join(never)}")
    return int(counts["fault"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
