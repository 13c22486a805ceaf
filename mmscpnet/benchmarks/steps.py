"""One training step of a config on made-up photos: built, run, and timed by part."""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import permutations
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmscpnet.datasets import load_class_names
from mmscpnet.engine.averaged_model import AveragedState
from mmscpnet.registry import MODELS

# What a process of its own is told, beside the config.
OPTIONS = ('num_samples', 'image_size', 'rounds', 'device', 'seed', 'batch_size')
PARTS = ('image tower', 'text tower', 'GCN', 'losses', 'optimiser', 'EMA')


def label_names(count: int) -> list[str]:
    """As many label names as wanted, up to 12,720, of one to five tokens."""
    words = load_class_names('coco80')
    pairs = list(permutations(words, 2))
    names = words + [f'{a} {b}' for a, b in pairs]
    names += [f'{a} and {b}' for a, b in pairs]
    if not 1 <= count <= len(names):
        raise ValueError(f'1 to {len(names)} labels can be made up, not {count}')
    return names[:count]


def random_model(
    cfg: Config, names: list[str] | None, num_samples: int, device: str = 'cpu'
) -> nn.Module:
    """The model of a config with random weights; nothing is downloaded or read.

    Args:
        cfg: The config; its model is changed.
        names: Other labels than the config's; None for those.
        num_samples: Images of the training set.
        device: Where the model is put.

    Raises:
        ValueError: The config's model is not an SCPNet with an SCPHead.
    """
    head = cfg.model.get('head', {})
    if head.get('type') != 'SCPHead':
        raise ValueError(
            f'the model of the config has head {head.get("type")!r}; the benchmark '
            'divides the step of a SCPHead'
        )
    names = load_class_names(names or head.classes, 'model.head.classes')
    head.classes = names
    _without_weights(cfg.model)
    for key in ('label_graph', 'pessl_label_graph'):
        graph = head.get(key)
        if graph:
            graph.topk = min(graph.topk, len(names))
            if 'source' in graph:
                graph.source = None
    prompter = head.prompter
    if prompter.type == 'FixedLabelFeatures' and 'text_encoder' in prompter:
        raise ValueError(
            'the label features of the config are computed once, before training; '
            'their text encoder takes no part in a step. Choose a config with a '
            'CrossModalityPrompter'
        )
    if head.get('pessl'):
        hard_k = head.pessl.get('hard_k', 2)
        head.pessl.update(hard_k=min(hard_k, len(names)), num_samples=num_samples)
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model.to(device)


def _without_weights(node) -> None:
    if isinstance(node, dict):
        for key in ('pretrained', 'init_cfg'):
            if node.get(key):
                node[key] = None
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            _without_weights(item)


class TrainingStep:
    """A model with optimiser, average and a batch, and its steps.

    Args:
        model: Of :func:`random_model`.
        cfg: The config, for the optimiser.
        batch_size: Images.
        image_size: Side of an image.
        num_views: Views an image.
        num_samples: Images of the training set.
        ema: Whether the average of the weights is a part of the step.
    """

    def __init__(
        self,
        model: nn.Module,
        cfg: Config,
        batch_size: int,
        image_size: int,
        num_views: int,
        num_samples: int,
        ema: bool = True,
    ) -> None:
        self.model = model.train()
        device = next(model.parameters()).device
        shape = (batch_size, 3, image_size, image_size)
        self.views = [torch.randn(shape, device=device) for _ in range(num_views)]
        self.samples = _samples(batch_size, model.head.num_classes, num_samples)
        self.optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
        self.average = AveragedState(model, 0.999) if ema else None

    def bare(self) -> None:
        """The image tower alone, forward and backward, of the same batch."""
        self.model.zero_grad()
        feats = self.model.extract_feat(torch.cat(self.views))[-1]
        if feats.requires_grad:
            feats.sum().backward()

    def whole(self, losses: Callable | None = None) -> dict[str, Tensor]:
        """The step as a runner does it; -> its losses.

        Args:
            losses: Views and samples -> losses, in place of the model's.
        """
        with self.optimizer.optim_context(self.model):
            found = (losses or self.model.loss)(self.views, self.samples)
        loss, _ = self.model.parse_losses(found)
        self.optimizer.update_params(loss)
        if self.average is not None:
            self.average.update_parameters(self.model)
        return found

    def divided(self) -> dict[str, float]:
        """The same step cut at the features; -> seconds of each part.

        The graph of autograd is cut between the parts and their backward passes run
        one after the other, with the same gradients in the end.
        """
        watch = _Watch(self.views[0].device)
        model, head = self.model, self.model.head
        with watch('image tower'):
            feats = model.extract_feat(torch.cat(self.views))[-1]
        with watch('text tower'):
            z = head.label_features()
        image, label = _leaf(feats), _leaf(z)
        with watch('GCN'):
            refined = head.refined_label_features(label)
        matched = _leaf(refined)
        with watch('losses'):
            with (
                patch.object(head, 'label_features', lambda: label),
                patch.object(head, 'refined_label_features', lambda _: matched),
            ):
                found = head.loss((image,), self.samples, len(self.views))
            loss, _ = model.parse_losses(found)
            self.optimizer.zero_grad()
            loss.backward()
        with watch('GCN'):
            _backward(refined, matched)
        with watch('text tower'):
            _backward(z, label)
        with watch('image tower'):
            _backward(feats, image)
        with watch('optimiser'):
            self.optimizer.step()
            self.optimizer.zero_grad()
        if self.average is not None:
            with watch('EMA'):
                self.average.update_parameters(model)
        return dict(watch.seconds)


def _samples(count: int, num_classes: int, num_samples: int) -> list[DataSample]:
    samples = []
    for index in torch.randperm(num_samples)[:count].tolist():
        score = torch.full((num_classes,), -1)
        score[index % num_classes] = 1
        samples.append(DataSample(metainfo=dict(sample_idx=index)).set_gt_score(score))
    return samples


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_(tensor.requires_grad)


def _backward(tensor: Tensor, leaf: Tensor) -> None:
    if tensor.requires_grad and leaf.grad is not None:
        tensor.backward(leaf.grad)


class _Watch:
    """Seconds by part, with a device that has to be waited for."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)

    def __call__(self, part: str) -> '_Watch':
        self.part = part
        return self

    def __enter__(self) -> None:
        self.start = now(self.device)

    def __exit__(self, *_) -> None:
        self.seconds[self.part] += now(self.device) - self.start


def now(device: torch.device) -> float:
    """Seconds, once the device has finished what it was told to do."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter()


def interleaved(
    tasks: dict[str, Callable[[], object]], rounds: int, device: torch.device
) -> dict[str, list[float]]:
    """Seconds of each task in each round, one task after the other, after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(-1, rounds):
        for name, task in tasks.items():
            start = now(device)
            task()
            if number >= 0:
                seconds[name].append(now(device) - start)
    return seconds


def ratio(over: list[float], under: list[float]) -> float:
    """Median of the ratios of each round."""
    return median(a / b for a, b in zip(over, under))


def peak_memory(device: str) -> int:
    """Most bytes so far: of the device, or of this process."""
    if torch.device(device).type == 'cuda':
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else 1024 * peak


def run_apart(command: list[str], timeout: float) -> dict:
    """Run a program whose last line on standard output is JSON; -> what it says.

    The peak of memory is one of the whole process, so that each figure needs its own.

    Raises:
        RuntimeError: that process failed, its last words are in the message, or took
            longer than ``timeout`` seconds.
    """
    words = ' '.join(command)
    try:
        done = subprocess.run(
            [sys.executable, *command],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f'{words} took more than {timeout:g} s') from error
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise RuntimeError(f'{words} failed: {done.stderr[-2000:].strip()}')
    return json.loads(lines[-1])


def options_again(args: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """The command line that says of these options what ``args`` says, if anything."""
    return [
        word
        for name in names
        if getattr(args, name) is not None
        for word in (f'--{name.replace("_", "-")}', str(getattr(args, name)))
    ]


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """The options that the timing tools have in common."""
    parser.add_argument('config', help='config file; its weights are not read')
    parser.add_argument('--classes', help='label names, a line each; else the config')
    parser.add_argument('--num-labels', type=int, help='so many made-up labels instead')
    parser.add_argument(
        '--num-samples', type=int, default=82081, help='training images'
    )
    parser.add_argument('--image-size', type=int, default=224)
    parser.add_argument('--rounds', type=int, default=7, help='the median counts')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', help='JSON file for the figures')


def model_from_options(cfg: Config, args: argparse.Namespace) -> nn.Module:
    """The model of the config with the labels of the command line.

    Raises:
        ValueError: both kinds of labels, or a number that is not positive.
    """
    if args.classes and args.num_labels:
        raise ValueError('give --classes or --num-labels, not both')
    for name in ('num_samples', 'image_size', 'rounds'):
        if getattr(args, name) < 1:
            raise ValueError(f'--{name.replace("_", "-")} must be 1 or more')
    # What is initialised, and in which groups it is, is no matter here.
    MMLogger.get_current_instance().setLevel('WARNING')
    names = args.classes
    if args.num_labels is not None:
        names = label_names(args.num_labels)
    return random_model(cfg, names, args.num_samples, args.device)


def check_out(out: str | None) -> None:
    """Refuse to write over figures, before they are measured."""
    if out and Path(out).exists():
        raise FileExistsError(f'--out {out} exists. Choose another name')
