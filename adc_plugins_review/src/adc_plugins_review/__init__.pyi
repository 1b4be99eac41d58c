from .enrichers.votes import AddVotes
from .votes.evidence import selected_rows, votes_of
from .votes.votes_table import VOTES, latest_votes, read_votes, votes_table, write_votes

__all__ = [
    "VOTES",
    "AddVotes",
    "latest_votes",
    "read_votes",
    "selected_rows",
    "votes_of",
    "votes_table",
    "write_votes",
]
