"""What must be added to a dataset so that its detectors can read it, and who adds it."""

from pathlib import Path

from adc_core.component import Component
from adc_core.dataset import EVIDENCE, Dataset
from adc_core.errors import InputError
from adc_core.interfaces import INTERFACES, Detector, Encoder, Enricher
from adc_core.plan import ADDED_BY
from adc_core.registry import registry


class EvidenceMakers:
    """Collects the components that make the columns which a dataset lacks.

    Args:
        dataset: what is there already.
        path: where it lies, for messages.
        encoder: what the user chose to make features with, or None.
    """

    def __init__(self, dataset: Dataset, path: Path, encoder: Encoder | None) -> None:
        self._path = path
        self._have = {name for name in ("images", *EVIDENCE) if dataset.has(name)}
        self._have |= set(dataset.columns)
        self._made: dict[str, Component] = {}
        if encoder is not None:
            for column in encoder.needs:
                if column not in self._have:
                    raise InputError(
                        f'--encoder {encoder.name}: it reads "{column}", which {path} has not: '
                        "leave the encoder out"
                    )
            self._made["features"] = encoder

    def serve(self, detector: Detector) -> None:
        """Collect what makes the columns that a detector needs.

        Raises:
            InputError: a column is missing that nothing makes.
        """
        for column in detector.needs:
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
        """What makes the other columns, but neighbours: the planner knows how many are read."""
        made = (maker for column, maker in self._made.items() if column != "neighbours")
        return tuple(maker for maker in made if isinstance(maker, Enricher))

    def _make(self, column: str, made: dict[str, Component]) -> list[str]:
        """Note who makes a column, after what that one needs.

        Returns:
            The column, what it would be made from, what that would be made from, as far as the
            dataset lacks them; nothing where the column is there or can be made.
        """
        if column in made or column in self._have:
            return []
        if column not in ADDED_BY:
            return [column]
        kind, name = ADDED_BY[column]
        maker = registry.create(INTERFACES[kind], {"use": name})
        for needed in maker.needs:
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
