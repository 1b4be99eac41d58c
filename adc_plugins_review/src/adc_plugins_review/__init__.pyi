from .certificate.any_time import any_time_upper
from .certificate.bounds import exact_upper, miss_rate_upper, undo_misses
from .certificate.planning import (
    Repairs,
    believed_rate,
    choose_repairs,
    expected_errors,
    items_of_budget,
    sampling_weights,
    weighted_order,
)
from .enrichers.votes import AddVotes
from .votes.evidence import selected_rows, votes_of
from .votes.votes_table import VOTES, latest_votes, read_votes, votes_table, write_votes

__all__ = [
    "VOTES",
    "AddVotes",
    "Repairs",
    "any_time_upper",
    "believed_rate",
    "choose_repairs",
    "exact_upper",
    "expected_errors",
    "items_of_budget",
    "latest_votes",
    "miss_rate_upper",
    "read_votes",
    "sampling_weights",
    "selected_rows",
    "undo_misses",
    "votes_of",
    "votes_table",
    "weighted_order",
    "write_votes",
]
