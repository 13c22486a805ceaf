"""Fill a feature bank: photos -> views -> frozen image encoder -> features."""

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock, Timeout
from mmengine.dist import barrier, broadcast_object_list, get_dist_info, is_main_process
from mmengine.logging import MMLogger
from rich.progress import Progress, TimeRemainingColumn
from torch.utils.data import DataLoader

from mmscpnet.version import __version__

from .bank import FeatureBank
from .pipeline import ViewImages, ViewPlan

EDGE_BYTES = 4096


class BankSettings(NamedTuple):
    """What a user chooses about a bank.

    Attributes:
        root: folder that holds the banks.
        num_draws: V, draws of each kind of view.
        dtype: ``'float16'`` or ``'float32'``.
        seed: of the augmentation.
        num_workers: processes that read and augment.
        batch_size: images that go through the encoder together, times V.
    """

    root: str = 'data/feature_banks'
    num_draws: int = 1
    dtype: str = 'float16'
    seed: int = 0
    num_workers: int = 2
    batch_size: int = 16


def bank_key(model, dataset, plan: ViewPlan, settings: BankSettings) -> dict[str, Any]:
    """Everything that determines the features of a bank, as short texts."""
    encoder = [model.backbone, model.neck] if model.with_neck else [model.backbone]
    return dict(
        photos=_hash_photos(dataset),
        pipeline=_sha(plan.describe()),
        encoder=_sha('\n'.join(repr(module) for module in encoder)),
        weights=_hash_weights(encoder),
        normalization=model.data_preprocessor.describe(),
        num_draws=settings.num_draws,
        dtype=settings.dtype,
        seed=settings.seed,
        version=__version__,
    )


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _hash_weights(modules) -> str:
    digest = hashlib.sha256()
    for module in modules:
        for name, value in sorted(module.state_dict().items()):
            digest.update(name.encode())
            if isinstance(value, torch.Tensor):
                data = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
                digest.update(data.numpy().tobytes())
    return digest.hexdigest()[:16]


def _hash_photos(dataset) -> str:
    # Size, first and last bytes stand for the content, which may be terabytes;
    # unlike path and time of change they are the same in a copy of the dataset.
    digest = hashlib.sha256()
    for idx in range(len(dataset)):
        with open(dataset.get_data_info(idx)['img_path'], 'rb') as photo:
            size = photo.seek(0, os.SEEK_END)
            digest.update(size.to_bytes(8, 'little'))
            for start in (0, max(0, size - EDGE_BYTES)):
                photo.seek(start)
                digest.update(photo.read(EDGE_BYTES))
    return digest.hexdigest()[:16]


def open_or_extract(
    model, dataset, plan: ViewPlan, settings: BankSettings, name: str
) -> np.ndarray:
    """Features of a dataset, from its bank if that is complete, else computed.

    Args:
        model: an :class:`SCPNet` with frozen backbone, weights loaded.
        dataset: an innermost dataset (no wrapper).
        plan: of its pipeline.
        settings: of the bank.
        name: how the dataset is called in messages, such as ``train``.

    Returns:
        ``(N, P, V, D)`` memory map.
    """
    key = bank_key(model, dataset, plan, settings)
    folder = Path(settings.root) / f'{name}-{_sha(repr(sorted(key.items())))}'
    width = _feature_width(model, dataset, plan)
    shape = (len(dataset), len(plan.kinds), settings.num_draws, width)
    bank = FeatureBank(folder, key, shape, settings.dtype)
    logger = MMLogger.get_current_instance()
    # Another run may be filling the same bank: all processes go by what one has seen.
    complete = [bank.complete]
    broadcast_object_list(complete)
    if complete[0]:
        logger.info(f'Features of the {name} photos come from {folder}')
        return bank.open()
    with _locked(folder):
        if not bank.complete:
            logger.info(
                f'Features of the {name} photos are computed once, into {folder}'
            )
            _extract(model, dataset, plan, settings, bank, name)
            barrier()
            if is_main_process():
                bank.assemble(dict(images=len(dataset), torch=torch.__version__))
            barrier()
    return bank.open()


@contextmanager
def _locked(folder: Path):
    """The processes of this run, and of no other, fill the bank."""
    lock = FileLock(folder / 'lock')
    if is_main_process():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            MMLogger.get_current_instance().info(
                f'Another run fills {folder}; waiting for it'
            )
            lock.acquire()
    barrier()
    try:
        yield
    finally:
        # Nothing is held where this process has not acquired it.
        lock.release()


def _extract(model, dataset, plan, settings, bank, name) -> None:
    rank, world_size = get_dist_info()
    todo = [c for c in bank.chunks() if not bank.chunk_path(c[0]).is_file()]
    mine = todo[rank::world_size]
    was_training = model.training
    model.eval()
    columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn())
    with Progress(*columns, disable=not is_main_process()) as progress:
        task = progress.add_task(f'features, {name}', total=bank.shape[0])
        progress.advance(task, bank.shape[0] - sum(e - s for _, s, e in todo))
        for number, start, end in mine:
            features = []
            images = ViewImages(
                dataset, plan, settings.num_draws, settings.seed, start, end
            )
            loader = DataLoader(
                images,
                batch_size=settings.batch_size,
                num_workers=settings.num_workers,
            )
            for views in loader:
                features.append(encode_views(model, views))
                progress.advance(task, len(views[0]))
            bank.write_chunk(number, np.concatenate(features))
    model.train(was_training)


@torch.no_grad()
def encode_views(model, views) -> np.ndarray:
    """P tensors ``(B, V, 3, H, W)`` -> features ``(B, P, V, D)`` float32."""
    encoded = []
    for view in views:
        inputs = model.data_preprocessor({'inputs': view.flatten(0, 1)})['inputs']
        # Convolutions run up to half as fast again in this layout.
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        feats = model.extract_feat(inputs)[-1]
        if feats.dim() != 2:
            raise ValueError(
                'a feature bank holds pooled features (N, D), but the backbone and '
                f'neck give {tuple(feats.shape)}. Add neck=dict('
                "type='GlobalAveragePooling')"
            )
        encoded.append(feats.float().cpu().view(*view.shape[:2], -1))
    return torch.stack(encoded, dim=1).numpy()


def _feature_width(model, dataset, plan: ViewPlan) -> int:
    was_training = model.training
    model.eval()
    views = ViewImages(dataset, plan, 1, 0, 0, 1)[0]
    width = encode_views(model, [views[0][None]]).shape[-1]
    model.train(was_training)
    return width
