"""Checkpoints that are whole or not there, and never fewer than one."""

import logging
import os
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

from mmengine.config import Config
from mmengine.dist import barrier, get_world_size, is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook as MMEngineCheckpointHook
from mmengine.logging import print_log
from torch import Tensor

from mmscpnet.registry import HOOKS

from .bare_model import bare_model
from .disk_room import check_room, checkpoint_size

PARTIAL = '.partial'
GRADIENTS = 'pending_gradients'


@HOOKS.register_module()
class CheckpointHook(MMEngineCheckpointHook):
    """mmengine's ``CheckpointHook``, safe against being killed and full disks.

    - A checkpoint is written under another name, brought to the disk and then moved;
      so is the file ``last_checkpoint``.
    - Older checkpoints, and the former best one, are removed only when the new one is
      whole. For a moment there is one more than ``max_keep_ckpts``.
    - Before training the folder must have room for one more checkpoint.
    - With gradient accumulation, gradients that wait for their step are saved too (of
      a single process; of several, a checkpoint within a step loses them).

    In stores other than the local file system, objects appear as the store makes them.

    Args:
        **kwargs: as in mmengine. ``by_epoch=False, interval=500`` writes every 500
            iterations, and ``ResumableTrainLoop`` goes on from there.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._gradients: Optional[dict[str, Tensor]] = None
        self._training = False
        self._config = _ConfigText()

    def before_train(self, runner) -> None:
        """Look whether checkpoints can be written, and tidy up after a former run."""
        super().before_train(runner)
        self._training = True
        if self._is_local():
            # on every process: the state of a sharded model is asked for together
            size = checkpoint_size(runner, self.save_optimizer)
            check_room(Path(self.out_dir), size)
            if is_main_process():
                for path in Path(self.out_dir).glob(f'.*{PARTIAL}'):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        if self._gradients is not None:
            for name, parameter in bare_model(runner.model).named_parameters():
                if name in self._gradients:
                    parameter.grad = self._gradients[name].to(parameter)
            self._gradients = None

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add gradients that no optimiser step has used yet."""
        # Each process has its own; only the first one writes.
        if 'optimizer' not in checkpoint or get_world_size() > 1:
            return
        gradients = {
            name: parameter.grad.detach().cpu()
            for name, parameter in bare_model(runner.model).named_parameters()
            if parameter.grad is not None
        }
        if gradients:
            checkpoint[GRADIENTS] = gradients

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Keep such gradients until training goes on; say what is not there."""
        # A run that was resumed may still load its best checkpoint, to test it.
        if not runner._resume or self._training:
            return
        missing = ['optimizer'] if 'optimizer' not in checkpoint else []
        if runner.param_schedulers is not None and 'param_schedulers' not in checkpoint:
            missing.append('param_schedulers')
        if missing:
            print_log(
                f'The checkpoint has no {" and no ".join(missing)} (best_*.pth have '
                'none): they start anew, and training does not go on as it would have. '
                'Resume from an epoch_*.pth or iter_*.pth for that',
                logger='current',
                level=logging.WARNING,
            )
        self._gradients = checkpoint.get(GRADIENTS)

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        if isinstance(self.file_backend, _LateRemoval):
            # The new best file is there. What is saved below knows no other one.
            self.file_backend.carry_out(self._best_files())
        kept = list(self.keep_ckpt_ids) if self.max_keep_ckpts > 0 else []
        if self.max_keep_ckpts > 0:
            if step not in kept[-1:]:
                kept.append(step)
            # With those to be removed: if that fails, the resumed run does it.
            runner.message_hub.update_info('keep_ckpt_ids', kept)
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        if not isinstance(runner, _WholeFiles):
            runner = _WholeFiles(runner, self._save)
        runner.save_checkpoint(
            self.out_dir,
            filename,
            file_client_args=self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            last = Path(runner.work_dir) / 'last_checkpoint'
            with explain_failed_write(last):
                write_text(last, self.last_ckpt)
        if self.max_keep_ckpts > 0:
            for old in kept[: -self.max_keep_ckpts]:
                self._remove(self.filename_tmpl.format(old))
            self.keep_ckpt_ids = deque(kept[-self.max_keep_ckpts :])

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not self.save_best:
            return
        # mmengine removes the former best file and then writes the new one.
        backend = self.file_backend
        self.file_backend = late = _LateRemoval(backend, Path(self.out_dir))
        try:
            super()._save_best_checkpoint(_WholeFiles(runner, self._save), metrics)
            late.carry_out(self._best_files())
        finally:
            self.file_backend = backend

    def _best_files(self) -> set[str]:
        if len(self.key_indicators) == 1:
            return {str(self.best_ckpt_path)}
        return {str(path) for path in self.best_ckpt_path_dict.values()}

    def _save(self, runner, out_dir: str, filename: str, **kwargs) -> None:
        """``runner.save_checkpoint``, whole or not at all."""
        with self._config.formatted_once(runner):
            self._save_whole(runner, out_dir, filename, **kwargs)

    def _save_whole(self, runner, out_dir: str, filename: str, **kwargs) -> None:
        if not self._is_local():
            runner.save_checkpoint(out_dir, filename, **kwargs)
            return
        path = Path(out_dir) / filename
        partial = path.with_name(f'.{filename}{PARTIAL}')
        with explain_failed_write(path):
            try:
                runner.save_checkpoint(out_dir, partial.name, **kwargs)
                # Some strategies write a folder to which every process contributes.
                barrier()
                if is_main_process():
                    _publish(partial, path)
            except OSError:
                if partial.is_file():
                    partial.unlink()
                raise

    def _is_local(self) -> bool:
        backend = getattr(self.file_backend, 'backend', self.file_backend)
        return isinstance(backend, LocalBackend)

    def _remove(self, filename: str) -> None:
        path = self.file_backend.join_path(self.out_dir, filename)
        if not is_main_process():
            return
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):
            self.file_backend.rmtree(path)


class _ConfigText:
    """A config whose text, which each checkpoint holds, is not formatted each time.

    To format it takes longer than to train an epoch on a small feature bank.
    """

    def __init__(self) -> None:
        self._config: Optional[Config] = None
        self._content: dict = {}
        self.pretty_text = ''

    def __getattr__(self, name: str):
        return getattr(self._config, name)

    @contextmanager
    def formatted_once(self, runner) -> Iterator[None]:
        """Stand in for ``runner.cfg``."""
        self._config = runner.cfg
        content = runner.cfg.to_dict()
        if content != self._content:
            self._content, self.pretty_text = content, runner.cfg.pretty_text
        runner.cfg = self
        try:
            yield
        finally:
            runner.cfg = self._config


class _WholeFiles:
    """A runner that saves checkpoints in another way; all else is its own."""

    def __init__(self, runner, save) -> None:
        self._runner = runner
        self._save = save

    def __getattr__(self, name: str):
        return getattr(self._runner, name)

    def save_checkpoint(self, out_dir: str, filename: str, **kwargs) -> None:
        self._save(self._runner, out_dir, filename, **kwargs)


class _LateRemoval:
    """A file backend that removes nothing until it is told to."""

    def __init__(self, backend, own: Path) -> None:
        self.backend = backend
        self._own = own
        self._condemned: list[str] = []

    def __getattr__(self, name: str):
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        self._condemned.append(path)

    rmtree = remove

    def carry_out(self, keep: set[str]) -> None:
        """Remove what was to be removed, except files that were written again.

        And except those of another run, from which this one was resumed.
        """
        for path in self._condemned:
            if str(path) in keep or Path(path).parent != self._own:
                continue
            if self.backend.isdir(path):
                self.backend.rmtree(path)
            else:
                self.backend.remove(path)
        self._condemned.clear()


@contextmanager
def explain_failed_write(path: Path) -> Iterator[None]:
    """Say which file a full disk has cost, and that no other is lost.

    Raises:
        OSError: With the same error number.
    """
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f'{path} could not be written ({error.strerror or error}). Checkpoints '
            'written before are whole: make room, or mend what is wrong with the '
            'folder, and go on with --resume',
        ) from error


def write_text(path: Path, text: str) -> None:
    """Replace a small file, whole or not at all."""
    partial = path.with_name(f'.{path.name}{PARTIAL}')
    partial.write_text(text)
    _publish(partial, path)


def _publish(partial: Path, path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    if partial.is_file():
        # Otherwise a name may outlive a power cut, and its content not.
        with open(partial, 'rb+') as file:
            os.fsync(file.fileno())
    os.replace(partial, path)
