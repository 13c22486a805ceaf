"""What the tests run in several processes; see ``forked.py``."""

import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import torch.distributed
from mmengine.dist import all_reduce, get_dist_info
from yapf.yapflib import yapf_api

# Imported once, before the processes are forked.
import mmscpnet.engine
import mmscpnet.evaluation
import mmscpnet.models  # noqa: F401
from mmscpnet.datasets import transforms  # noqa: F401
from mmscpnet.engine.hooks.finite_loss_hook import describe_step
from mmscpnet.evaluation import MultiLabelMAP, SaveScores
from mmscpnet.models.losses import PerImageLoss, PESSLLoss
from mmscpnet.models.losses.global_batch import global_losses
from mmscpnet.registry import MODELS
from mmscpnet.utils import cli  # noqa: F401
from tests.models.losses.test_every_loss import LOSSES
from tests.shared import ROOT

# To format a config takes longer than to train it, see tests/conftest.py.
yapf_api.FormatCode = lambda text, **kwargs: (text, False)
NUM_IMAGES, NUM_CLASSES, WIDTH = 7, 5, 4


def tool(name: str, *arguments: str) -> None:
    """``tools/NAME.py`` as torchrun would run it; alone, without launcher."""
    spec = importlib.util.spec_from_file_location(name, ROOT / 'tools' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    launcher = 'none' if os.environ['WORLD_SIZE'] == '1' else 'pytorch'
    module.main([arguments[0], '--launcher', launcher, *arguments[1:]])
    leave()


def join() -> tuple[int, int]:
    """Initialise torch.distributed; rank and number of processes."""
    torch.distributed.init_process_group('gloo')
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def leave() -> None:
    """Wait for the others: who ends early would close their connections."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def losses(folder: str) -> None:
    """What all losses do, and remember, on this process."""
    rank, world_size = join()
    results = {name: train_loss(name, rank, world_size) for name in LOSSES}
    torch.save(results, f'{folder}/losses{rank}.pth')
    leave()


def train_loss(name: str, rank: int, world_size: int) -> dict:
    """Eight steps of a linear model on seven images, of which each gets its part.

    Returns:
        dict: Losses of the global batch, the last weights, and the memory.
    """
    torch.manual_seed(0)
    config = dict(LOSSES[name])
    if name == 'ROLE':
        config.update(num_samples=NUM_IMAGES, num_classes=NUM_CLASSES)
    loss = MODELS.build(config)
    remembers = isinstance(loss, PerImageLoss)
    if remembers:
        loss.set_num_samples(NUM_IMAGES, NUM_CLASSES)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(NUM_IMAGES, WIDTH, generator=generator)
    targets = torch.randint(-1, 2, (NUM_IMAGES, NUM_CLASSES), generator=generator)
    weight = torch.randn(WIDTH, NUM_CLASSES, generator=generator).requires_grad_()
    parameters = [weight, *loss.parameters()]
    own = torch.arange(rank, NUM_IMAGES, world_size)
    values = []
    for epoch in (0, 0, 1, 1, 2, 2, 3, 3):
        extra = (own,) if remembers else ()
        value = loss(x[own] @ weight, targets[own], epoch, *extra)
        value = global_losses(dict(loss=value))['loss']
        gradients = torch.autograd.grad(value, parameters)
        values.append(value.item())
        for parameter, gradient in zip(parameters, gradients):
            # what DistributedDataParallel does
            all_reduce(gradient, 'mean')
            parameter.data -= 0.02 * gradient
    memory = loss.get_extra_state() if remembers else torch.zeros(0)
    return dict(
        values=torch.tensor(values),
        weights=torch.cat([p.detach().flatten() for p in parameters]),
        memory=memory.clone(),
    )


def pessl(folder: str, padded: bool) -> None:
    """PESSL's memory after a few steps in which one process is sure of nothing."""
    rank, _ = join()
    torch.save(train_pessl(padded), f'{folder}/pessl{int(padded)}_{rank}.pth')
    leave()


def train_pessl(padded: bool) -> dict:
    """Losses, gradient of the strong view, counts and bits."""
    rank, world_size = get_dist_info()
    generator = torch.Generator().manual_seed(0)
    size = NUM_IMAGES, NUM_CLASSES
    loss = PESSLLoss(
        NUM_CLASSES, NUM_IMAGES, torch.eye(NUM_CLASSES), 2, sample_mask=True
    )
    order = list(range(NUM_IMAGES))
    if padded:
        # as DefaultSampler has every process get as many
        order = (order * 2)[: -(-NUM_IMAGES // world_size) * world_size]
    own = torch.tensor(order[rank::world_size])
    values = []
    for step in range(4):
        weak, strong = 2 * torch.randn(2, *size, generator=generator)
        weak[1::3] = -20.0  # all images of the second of three processes
        strong.requires_grad_()
        unknown = torch.full((len(own), NUM_CLASSES), -1)
        parts = loss(weak[own], strong[own], unknown, own)
        if rank == 1 and world_size == 3 and not padded:
            assert loss.statistics['confident_images'] == 0, step
        total = sum(global_losses(parts).values())
        (gradient,) = torch.autograd.grad(total, strong)
        all_reduce(gradient, 'mean')
        values.append(torch.cat([total.detach()[None], gradient.flatten()]))
    state = loss.state
    return dict(values=torch.stack(values), counts=state.counts, packed=state.packed)


def bad_step(folder: str) -> None:
    """What is said of a step whose loss is not finite, images being elsewhere."""
    rank, _ = join()
    inputs = torch.zeros(2, 3, 4, 4)
    inputs[1] = float('inf') if rank == 1 else 0.0
    samples = [dict(sample_idx=10 * rank + i, img_path=f'{i}.jpg') for i in range(2)]
    text = describe_step(
        SimpleNamespace(epoch=0, iter=4),
        dict(inputs=inputs, data_samples=samples),
        dict(loss=torch.tensor(float('inf')), loss_cls=float('inf'), loss_cst=1.0),
        together=True,
    )
    Path(folder, f'bad_step{rank}.txt').write_text(text)
    leave()


def evaluate(folder: str, num_samples: int) -> None:
    """Both metrics on part of the samples, as the sampler deals them out."""
    rank, world_size = join()
    torch.save(
        evaluation(f'{folder}/scores{world_size}.npz', num_samples),
        f'{folder}/metrics{world_size}_{rank}.pth',
    )
    leave()


def evaluation(out_file: str, num_samples: int) -> dict:
    """Metrics of made-up samples with ties, unknown labels and long names."""
    rank, world_size = get_dist_info()
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 20, (num_samples, 6), generator=generator) / 19
    targets = torch.randint(-1, 2, (num_samples, 6), generator=generator)
    share = -(-num_samples // world_size)
    order = (list(range(num_samples)) * world_size)[: share * world_size]
    samples = [
        dict(pred_score=scores[i], gt_score=targets[i], img_path=f'{"ü" * i}/{i}.jpg')
        for i in order[rank::world_size]
    ]
    metrics = [MultiLabelMAP(), SaveScores(out_file)]
    result = {}
    for metric in metrics:
        for first in range(0, len(samples), 2):
            metric.process(None, samples[first : first + 2])
        result.update(metric.evaluate(num_samples))
    return result
