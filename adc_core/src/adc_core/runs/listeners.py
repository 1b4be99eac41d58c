"""What a run reports, and to whom: pluggy hook specifications and the installed listeners."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from adc_core.components.compatibility import misfit_of
from adc_core.components.installed import installed_points

if TYPE_CHECKING:
    from adc_core.records.run import Run

hookspec = pluggy.HookspecMarker("adc")
hookimpl = pluggy.HookimplMarker("adc")
"""Marks a listener's method as an implementation of one of `RunEvents`."""

GROUP = "adc.listeners"


class RunEvents:
    """The events of a run; a listener implements those that it wants to hear."""

    @hookspec
    def adc_run_started(self, folder: Path, stages: tuple[str, ...]) -> None:
        """React to the start of a run in its folder; these stages are planned, in this order."""

    @hookspec
    def adc_run_finished(self, folder: Path, run: "Run") -> None:
        """React to the end of a run: every planned stage is finished and listed in `run.json`."""

    @hookspec
    def adc_run_failed(self, folder: Path, error: BaseException) -> None:
        """React to a run that an error or an interruption ended; it can be resumed."""

    @hookspec
    def adc_stage_started(self, stage: str) -> None:
        """React to a stage that begins to work, because no finished result of it could be used."""

    @hookspec
    def adc_stage_progressed(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """React to pieces of a stage that are done; `total` is None where nobody knows."""

    @hookspec
    def adc_stage_status(self, stage: str, text: str) -> None:
        """React to a stage's remark of a few words; it replaces the remark before."""

    @hookspec
    def adc_stage_finished(self, stage: str, seconds: float, reused: bool) -> None:
        """React to a stage's result in its folder; `reused` if it was there before this run."""

    @hookspec
    def adc_stage_failed(self, stage: str, error: BaseException) -> None:
        """React to a stage that stops; what it had done so far is kept."""


class Listeners:
    """All listeners of a run; none of them can harm it or another."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("adc")
        self._manager.add_hookspecs(RunEvents)

    def register(self, listener: object, name: str | None = None) -> None:
        """Let an object hear the events that its `hookimpl` methods name.

        Raises:
            pluggy.PluginValidationError: a method has no such event, or other arguments.
        """
        name = name or type(listener).__name__
        try:
            self._manager.register(listener, name)
            self._manager.check_pending()
        except BaseException:
            if self._manager.get_plugin(name) is listener:
                self._manager.unregister(name=name)
            raise

    @property
    def names(self) -> tuple[str, ...]:
        """The listeners that still hear."""
        return tuple(sorted(name for name, _ in self._manager.list_name_plugin()))

    def tell(self, event: str, **arguments: Any) -> None:
        """Tell every listener of an event; one that fails is named and hears no more."""
        everyone = self._manager.list_name_plugin()
        for name, listener in everyone:
            others = [other for _, other in everyone if other is not listener]
            try:
                self._manager.subset_hook_caller(event, others)(**arguments)
            except (Exception, SystemExit) as error:
                self._manager.unregister(name=name)
                warnings.warn(f"listener {name} is left out from here on: {error!r}", stacklevel=2)


def installed_listeners(block: Iterable[str] = ()) -> Listeners:
    """Create every installed listener but the blocked; a broken one is named and left out.

    Args:
        block: `package/name` of listeners to leave out.
    """
    listeners = Listeners()
    for entry, package, version in sorted(installed_points([GROUP]), key=lambda point: point[1:]):
        name = f"{package}/{entry.name}"
        if name in block:
            continue
        if misfit := misfit_of(package, version):
            warnings.warn(f"listener {name} is left out: {misfit}", stacklevel=2)
            continue
        try:
            loaded = entry.load()
            listeners.register(loaded() if isinstance(loaded, type) else loaded, name)
        except (Exception, SystemExit) as error:
            warnings.warn(f"listener {name} is left out: {error!r}", stacklevel=2)
    return listeners
