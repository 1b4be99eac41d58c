"""The enricher of votes: a table of what people said becomes evidence."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from adc_core import Dataset, Enricher, InputError, Votes, status
from adc_core.components import LocalPath
from adc_plugins_review.votes.evidence import votes_of, without_gold
from adc_plugins_review.votes.votes_table import read_votes


class AddVotes(Enricher):
    """Adds what people said of the labels, from a table of votes.

    The latest answer of a rater to a question counts; answers to control questions are left out.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "votes.csv"}]})

    provides: ClassVar[tuple[str, ...]] = ("votes",)

    path: LocalPath = Field(description="table of votes, .csv or .parquet, as adc review writes it")
    missing: Literal["empty", "error"] = Field(
        default="empty", description="what a file that is not there yet is: no votes, or an error"
    )
    exclude: tuple[str, ...] = Field(default=(), description="names of raters to leave out")

    @property
    def awaited_files(self) -> tuple[str, ...]:
        """The table, unless it must be there."""
        return ("path",) if self.missing == "empty" else ()

    def enrich(self, dataset: Dataset) -> Dataset:
        """Add the votes of the table.

        Raises:
            InputError: the table cannot be read, names a class that the dataset does not have, or
                is of other samples altogether.
        """
        if not self.path.exists() and self.missing == "empty":
            status(f"{self.path} is not there yet: no votes")
            none: list[int] = []
            empty = Votes(item=none, rater=none, label=none)
            return dataset.replace(votes=empty)
        table = without_gold(read_votes(self.path))
        votes, unknown = votes_of(table, dataset.ids, dataset.classes, self.exclude)
        if unknown and not len(votes):
            raise InputError(
                f"{self.path}: its items, such as {table['item'][0]}, are no ids of the dataset, "
                f"such as {dataset.ids[0]}: give the votes of this dataset"
            )
        if unknown:
            status(f"{unknown:,} votes are on samples that the dataset does not have: left out")
        return dataset.replace(votes=votes)
