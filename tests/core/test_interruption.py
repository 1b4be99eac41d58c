"""Signals that are heard while a command runs, and not after it."""

import os
import signal
import threading

import pytest
from adc_process import run_program

from adc_core.cli import main
from adc_core.components.signals import raise_if_interrupted, signal_handlers

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", BOTH)
def test_a_wish_to_stop_is_remembered_while_the_block_runs(number):
    before = [signal.getsignal(one) for one in BOTH]
    with signal_handlers():
        raise_if_interrupted()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        with pytest.raises(KeyboardInterrupt):  # as if an extension module had lost it
            raise_if_interrupted()
    raise_if_interrupted()
    assert [signal.getsignal(one) for one in BOTH] == before


def test_another_thread_hears_no_signals():
    faults = []

    def listen():
        try:
            with signal_handlers():
                raise_if_interrupted()
        except BaseException as error:
            faults.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert faults == []


def test_a_command_called_from_python_leaves_the_handlers_alone(capsys):
    before = [signal.getsignal(one) for one in BOTH]
    assert main(["list"]) == 0
    assert [signal.getsignal(one) for one in BOTH] == before


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", BOTH)
def test_every_command_says_that_it_was_interrupted(number):
    code = (
        "import os, adc_core.cli.program as cli\n"
        f"cli._dispatch = lambda words, debug: os.kill(os.getpid(), {int(number)})\n"
        "raise SystemExit(cli.main([]))"
    )
    done = run_program(code)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "adc: interrupted: run the same command again to continue\n"
