"""Many questions at once: first a few, an estimate, then all, within the budget."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from adc_core import InputError, progress, status
from adc_endpoint import Budget, SpentError

TRIAL = 3
"""So many are asked one after another before the rest: they show what it costs, and what form of a
request the endpoint takes."""

J = TypeVar("J")
R = TypeVar("R")


def ask_many(
    jobs: Sequence[J],
    ask: Callable[[J], R],
    budget: Budget,
    *,
    threads: int,
    max_cost: float | None = None,
    partial: bool = False,
) -> list[R | None]:
    """Do jobs that ask, several at a time; what has answers already asks nothing.

    Results have the order of the jobs, however many work at a time. After an interruption those
    under way end, and no other begins.

    Args:
        jobs: what to do.
        ask: does one of them, in a thread of its own.
        budget: that they spend.
        threads: at the same time.
        max_cost: as in the budget; for the message.
        partial: do as many as the budget pays where it does not pay all.

    Returns:
        The result of each job; None where the budget did not reach.

    Raises:
        InputError: all would cost more than `max_cost`, without `partial`; what the first ones
            were answered is kept.
    """
    results: list[R | None] = [None] * len(jobs)
    left = deque(range(len(jobs)))
    done = trial = 0
    spent_before = budget.spent

    def finish(number: int, result: R | None) -> None:
        nonlocal done
        results[number] = result
        done += 1
        progress(done, len(jobs), "image")

    while left and trial < TRIAL and not budget.exhausted:
        before = budget.requests
        number = left.popleft()
        finish(number, _within_budget(ask, jobs[number]))
        trial += budget.requests > before
    if left and trial and budget.spent:
        estimate = budget.spent + (budget.spent - spent_before) * len(left) / trial
        status(f"at most about {estimate:.4g} for all {len(jobs):,}")
        if max_cost is not None and estimate > max_cost and not partial:
            raise InputError(
                f"all {len(jobs):,} images cost about {estimate:.4g}, more than max_cost "
                f"{max_cost:g}: raise it, or set partial to ask about as many as it pays; what is "
                "answered is kept"
            )
    with ThreadPoolExecutor(threads, thread_name_prefix="asking") as pool:
        under_way: dict[Future[R | None], int] = {}
        try:
            while (left and not budget.exhausted) or under_way:
                while left and not budget.exhausted and len(under_way) < 2 * threads:
                    number = left.popleft()
                    run = copy_context().run
                    under_way[pool.submit(run, _within_budget, ask, jobs[number])] = number
                ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in ended:
                    finish(under_way.pop(future), future.result())
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results


def _within_budget(ask: Callable[[J], R], job: J) -> R | None:
    try:
        return ask(job)
    except SpentError:
        return None
