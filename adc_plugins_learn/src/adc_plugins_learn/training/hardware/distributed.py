"""One training on several devices: a process for each, which takes its share of every batch.

Every process draws the same batches and, from the logits that all gather, computes the same loss.
So a method need not know: what it remembers of samples is the same everywhere. Only the passes
through the network are shared out, and the gradients of the shares are added up.
"""

import math
import os
import signal
import tempfile
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn

from adc_core import InputError, WorkError, progress, work_context

_ERRORS = (InputError, WorkError)


def is_main_process() -> bool:
    """Tell whether this process is the first of several, or the only one."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def process_count() -> int:
    """Return how many processes train together: each adds its gradients to those of the others."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


class ShardedForward(nn.Module):
    """Runs a network on this process's share of a batch, and gathers the outputs of all.

    Args:
        network: the network, whose parameters it shares.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Compute B × K logits of B × 3 × H × W images; gradients flow into the own share alone."""
        rank, count = distributed.get_rank(), distributed.get_world_size()
        share = math.ceil(len(images) / count)
        # The last shares begin again at the first image, so that all are of one size.
        rows = torch.arange(rank * share, (rank + 1) * share, device=images.device) % len(images)
        gathered: Tensor = _AllGather.apply(self.network(images[rows]))
        return gathered[: len(images)]


class _AllGather(torch.autograd.Function):
    """The outputs of all processes, one after the other."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        ctx.share = len(own)
        parts = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, own.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        start = distributed.get_rank() * ctx.share
        return gradients[0][start : start + ctx.share]


def sync_batch_norm(network: nn.Module, device: torch.device) -> nn.Module:
    """Make BatchNorm take its statistics over the shares of all processes.

    torch has that for GPUs alone: on the CPU each share is normalized by itself.
    """
    if distributed.is_initialized() and device.type == "cuda":
        convert: Callable[[nn.Module], nn.Module] = nn.SyncBatchNorm.convert_sync_batchnorm
        return convert(network)
    return network


def shard_forward(networks: list[nn.Module]) -> list[nn.Module]:
    """Share out the networks' batches where several processes train."""
    return [ShardedForward(one) for one in networks] if distributed.is_initialized() else networks


def all_reduce_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Add up the gradients of all shares."""
    sum_over_processes([p.grad for p in parameters if p.grad is not None])


def sum_over_processes(tensors: Sequence[Tensor]) -> None:
    """Add up in place what each process computed of its share."""
    if not distributed.is_initialized():
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def broadcast_buffers(network: nn.Module) -> None:
    """Give all processes the running statistics of the first."""
    if distributed.is_initialized():
        for buffer in network.buffers():
            distributed.broadcast(buffer, 0)


def launch(
    devices: int, name: str, folder: Path, function: Callable[..., None], *arguments: Any
) -> None:
    """Call a function in several processes that train together, and wait for all of them.

    The progress of the first one is reported here.

    Args:
        devices: how many processes.
        name: of the device: auto, cpu or cuda.
        folder: their `work_folder()`.
        function: what each of them calls; importable.
        arguments: what it is called with: the device of the process, then these.

    Raises:
        InputError: there are not so many devices, or the function raised it.
        WorkError: the function raised it, or a process died.
    """
    names = _device_names(devices, name)
    context = get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="adc-rendezvous-") as rendezvous:
        channels = [context.Pipe(duplex=False) for _ in names]
        processes = [
            context.Process(
                target=_run_process,
                args=(rank, names, f"{rendezvous}/store", folder, sender, function, arguments),
            )
            for rank, (_, sender) in enumerate(channels)
        ]
        try:
            for process in processes:
                process.start()
            for _, sender in channels:
                sender.close()
            _supervise(processes, [receiver for receiver, _ in channels])
        finally:
            for process in processes:
                if process.pid is not None:  # it was started
                    process.kill()
                    process.join()


def _device_names(count: int, name: str) -> list[str]:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return ["cpu"] * count
    if name != "cuda":
        raise InputError(f"devices: {count} need device: auto, cpu or cuda, not {name}")
    if count > (available := torch.cuda.device_count()):
        raise InputError(f"there are {available} GPUs here, but devices is {count}: lower it")
    return [f"cuda:{number}" for number in range(count)]


def _supervise(processes: list[SpawnProcess], receivers: list[Connection]) -> None:
    """Pass on progress and errors of the processes until all have ended, or one has failed."""
    open_ones = dict(zip(receivers, processes, strict=True))
    while open_ones:
        for receiver in wait([*open_ones]):
            assert isinstance(receiver, Connection)
            try:
                kind, *message = receiver.recv()
            except EOFError:
                process = open_ones.pop(receiver)
                process.join()
                if process.exitcode:
                    raise WorkError(
                        f"a training process died (exit code {process.exitcode}): free memory or "
                        "lower batch_size, then run again to go on from the last epoch"
                    ) from None
                continue
            if kind in _ERRORS:
                raise kind(*message)
            progress(*message)


def _run_process(
    rank: int,
    devices: list[str],
    rendezvous: str,
    folder: Path,
    sender: Connection,
    function: Callable[..., None],
    arguments: tuple[Any, ...],
) -> None:
    # Ctrl-C also reaches the process that waits, which then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    device = torch.device(devices[rank])
    if device.type == "cuda":
        torch.cuda.set_device(device)
    else:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // len(devices)))
    distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{rendezvous}",
        rank=rank,
        world_size=len(devices),
    )

    def on_progress(done: int, total: int | None, unit: str) -> None:
        if rank == 0:
            sender.send((None, done, total, unit))

    try:
        with work_context(folder, on_progress):
            function(device, *arguments)
    except _ERRORS as error:
        kind = InputError if isinstance(error, InputError) else WorkError
        sender.send((kind, str(error)))
    else:
        distributed.barrier()
    distributed.destroy_process_group()
