"""What must be added to a dataset so that its detectors can read it, and who adds it."""

from dataclasses import dataclass
from pathlib import Path

from adc_core.components.component import Component, create
from adc_core.components.interfaces import Curator, Detector, Encoder, Enricher
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.runs.plan import ADDED_BY, FROM_A_FILE, columns_of, usual_maker

_CURATOR = "adc-plugins-detect/expected-gain"

_NEIGHBORS, _SHOWN = "adc-plugins-detect/neighbors", 10
"""What searches the neighbors that only the report shows, and how many."""


@dataclass(frozen=True)
class Rung:
    """What makes the evidence of a dataset.

    Attributes:
        encoder: makes features, or None where there are some, or none are made.
        predictor: makes probabilities, or None where there are some.
        neighbors: whether the report can show neighbors at little cost.
        reason: why this and nothing better, in a sentence; empty where there was no choice.
    """

    encoder: Encoder | None
    predictor: Enricher | None
    neighbors: bool
    reason: str = ""


class EvidenceMakers:
    """Collects the components that make the columns which a dataset lacks.

    Args:
        dataset: what is there already.
        path: where it is, for messages.
        rung: what makes features and probabilities.
    """

    def __init__(self, dataset: Dataset, path: Path, rung: Rung) -> None:
        self._path, self._rung = path, rung
        encoder, predictor = rung.encoder, rung.predictor
        self._have = columns_of(dataset)
        self._made: dict[str, Component] = {}
        if encoder is not None:
            for column in encoder.required_columns:
                if column not in self._have:
                    raise InputError(
                        f'--encoder {encoder.name}: it reads "{column}", which {path} does not '
                        "have: leave the encoder out"
                    )
        self._chosen: dict[str, Component] = {} if encoder is None else {"features": encoder}
        if predictor is not None:
            self._chosen |= dict.fromkeys(predictor.provided_columns, predictor)

    def serve(self, detector: Detector) -> None:
        """Collect what makes the columns that a detector needs.

        Raises:
            InputError: a column is missing that nothing makes.
        """
        for column in detector.required_columns:
            made = dict(self._made)
            lacking = self._make(column, made)
            if lacking:
                raise InputError(f'it reads "{column}", {self._advice(lacking)}')
            self._made = made

    @property
    def encoder(self) -> Encoder | None:
        """What makes the features."""
        made = self._made.get("features")
        return made if isinstance(made, Encoder) else None

    @property
    def enrichers(self) -> tuple[Enricher, ...]:
        """What makes the other columns, each once.

        Neighbors are left to the planner, which knows how many are read, unless nobody reads
        them and the report shows them all the same.
        """
        made = dict(self._made)
        read = made.pop("neighbors", None) is not None
        makers: list[Enricher] = []
        for maker in made.values():
            if isinstance(maker, Enricher) and maker not in makers:
                makers.append(maker)
        features = "features" in self._have or "features" in self._made
        if self._rung.neighbors and features and not read and "neighbors" not in self._have:
            makers.insert(0, create(Enricher, {"use": _NEIGHBORS, "k": _SHOWN}))
        return tuple(makers)

    @property
    def use_rung(self) -> bool:
        """Whether anything that the rung makes is needed."""
        chosen = (self._rung.encoder, self._rung.predictor)
        return any(maker in chosen for maker in self._made.values())

    def curators(self) -> tuple[Curator, ...]:
        """Return what repairs the labels, where there are probabilities to go by."""
        if not {"probabilities"} & (self._have | set(self._made)):
            return ()
        try:
            return (create(Curator, {"use": _CURATOR}),)
        except InputError:  # a package of its own; finding wrong labels does not need it
            return ()

    def _make(self, column: str, made: dict[str, Component]) -> list[str]:
        """Note who makes a column, after what that one needs.

        Returns:
            The column, what it would be made from, what that would be made from, as far as the
            dataset lacks them; nothing where the column is there or can be made.
        """
        chosen = self._chosen.get(column)
        if column in made or (column in self._have and chosen is None):
            return []
        if chosen is None and (column not in ADDED_BY or column in FROM_A_FILE):
            return [column]
        maker = chosen or usual_maker(column)
        for needed in maker.required_columns:
            if lacking := self._make(needed, made):
                return [column, *lacking]
        made[column] = maker
        return []

    def _advice(self, lacking: list[str]) -> str:
        column, *sources = lacking
        if not sources:
            return f'which nothing here adds: give a dataset that has "{column}"'
        return (
            f"and {self._path} has neither that nor {' nor '.join(sources)} to make it from: "
            "give one of them"
        )
