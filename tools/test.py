"""Test a checkpoint: ``python tools/test.py CONFIG CHECKPOINT``."""

import argparse
import sys
from copy import deepcopy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402

OUT_SUFFIXES = ('.npz', '.json', '.pkl', '.pickle')


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test and evaluate a model')
    parser.add_argument('config', help='path of the config file')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='path or address of the checkpoint; without one the model is tested as '
        'its config starts it (zero-shot prediction by CLIP)',
    )
    parser.add_argument('--work-dir', help='folder for the log and the metrics')
    parser.add_argument(
        '--out',
        help='file for the results: .npz or .json for scores and labels, which '
        'tools/analysis_tools/eval_results.py reads, or .pkl for whole data samples',
    )
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='what --out receives: metrics or predictions (default)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace the file named by --out'
    )
    parser.add_argument(
        '--labels',
        help='test a model on other labels than it was trained for: a file with one '
        'name a line, or a known set such as voc20; those of the test dataset',
    )
    parser.add_argument(
        '--amp', action='store_true', help='test with automatic mixed precision'
    )
    parser.add_argument('--show-dir', help='folder for pictures of the predictions')
    parser.add_argument(
        '--show', action='store_true', help='show the predictions in a window'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='draw every n-th sample'
    )
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds a window stays open'
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help='test-time augmentation: tta_model and tta_pipeline of the config, or '
        'else the mean score of the image and its mirror image',
    )
    cli.add_common_arguments(parser)
    args = parser.parse_args(argv)
    if args.tta and (args.show or args.show_dir is not None):
        parser.error(
            '--show and --show-dir draw the input of the model, of which --tta makes '
            'several; use them apart'
        )
    if args.out is None and args.out_item is not None:
        parser.error('--out-item says what to write; name the file by --out')
    if args.out_item == 'metrics' and args.out.endswith('.npz'):
        parser.error('--out-item metrics is written as .json or .pkl')
    if args.out is not None and not args.out.endswith(OUT_SUFFIXES):
        parser.error(f'--out must end with one of {OUT_SUFFIXES}, got {args.out!r}')
    return args


def merge_args(cfg, args: argparse.Namespace) -> None:
    """Write what the command line says into the config.

    Raises:
        ValueError: If a flag does not fit the machine or the config.
    """
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if not cfg.get('test_dataloader'):
        raise ValueError(
            f'{args.config} has no test_dataloader, so there is nothing to test on.'
        )
    if args.amp:
        cli.require_accelerator('--amp')
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir is not None:
        hook = (cfg.get('default_hooks') or {}).get('visualization')
        if not hook:
            raise ValueError(
                '--show and --show-dir need default_hooks.visualization = '
                "dict(type='VisualizationHook') in the config."
            )
        hook.update(
            enable=True,
            show=args.show,
            wait_time=args.wait_time,
            out_dir=args.show_dir,
            interval=args.interval,
        )
    if args.tta:
        add_test_time_augmentation(cfg)
    cli.set_dataloader_defaults(cfg, args)


def add_test_time_augmentation(cfg) -> None:
    """Wrap the model and the test pipeline for test-time augmentation.

    Raises:
        ValueError: If neither the config nor its test dataset has a pipeline to
            augment.
    """
    from mmengine.config import ConfigDict

    dataset = cfg.test_dataloader.dataset
    if 'pipeline' not in dataset:
        raise ValueError(
            '--tta changes test_dataloader.dataset.pipeline, but '
            f'{dataset.get("type")!r} has none of its own. Test with a dataset that '
            'reads images.'
        )
    if 'tta_pipeline' not in cfg:
        *steps, pack = deepcopy(dataset.pipeline)
        flips = [dict(type='RandomFlip', prob=prob) for prob in (1.0, 0.0)]
        steps.append(dict(type='TestTimeAug', transforms=[flips, [pack]]))
        cfg.tta_pipeline = steps
    tta_model = cfg.get('tta_model', dict(type='mmpretrain.AverageClsScoreTTA'))
    cfg.model = ConfigDict(**tta_model, module=cfg.model)
    dataset.pipeline = cfg.tta_pipeline

    # MMEngine's EMAHook copies the wrapped model, into which the checkpoint's names
    # do not fit, and would have the untrained copy tested. Without the hook the model
    # has what the checkpoint's state_dict holds, which is the average.
    def averages(hook) -> bool:
        return bool(hook) and str(hook.get('type')).endswith('EMAHook')

    hooks = cfg.get('custom_hooks') or []
    cfg.custom_hooks = [hook for hook in hooks if not averages(hook)]
    for name, hook in (cfg.get('default_hooks') or {}).items():
        if averages(hook):
            cfg.default_hooks[name] = None


def make_score_dump(path: str):
    """A metric that writes the scores of every image as JSON.

    Args:
        path (str): File to write: a list with one entry an image of ``img_path``,
            ``pred_score`` (C numbers) and, where known, ``gt_score`` (C numbers, 1
            positive, 0 negative, -1 unknown) or ``gt_label`` (positive indices).

    Returns:
        BaseMetric: To be appended to the evaluator's metrics.
    """
    import json

    from mmengine.evaluator import BaseMetric

    from mmscpnet.evaluation.results_file import write_bytes

    class ScoreDump(BaseMetric):
        def process(self, data_batch, data_samples) -> None:
            for sample in data_samples:
                entry = {'img_path': sample.get('img_path')}
                for key in ('pred_score', 'gt_score', 'gt_label'):
                    if sample.get(key) is not None:
                        entry[key] = sample[key].tolist()
                self.results.append(entry)

        def compute_metrics(self, results: list) -> dict:
            write_bytes(path, json.dumps(results).encode(), overwrite=True)
            return {}

    return ScoreDump()


def make_dump(path: str):
    """A metric that writes the predictions in the format that the name asks for."""
    if path.endswith('.npz'):
        from mmscpnet.evaluation import SaveScores

        return SaveScores(path, overwrite=True)
    if path.endswith('.json'):
        return make_score_dump(path)
    from mmengine.evaluator import DumpResults

    return DumpResults(path)


def start_without_checkpoint(runner) -> None:
    """Initialise a model that is tested as its config starts it."""
    from mmscpnet.engine.hooks.bare_model import bare_model

    runner.logger.warning('No checkpoint is given: the model has not been trained.')
    bare_model(runner.model).init_weights()


def set_labels(runner, labels: str) -> None:
    """Make a loaded model predict other labels.

    Raises:
        ValueError: If the model is tied to the labels it was trained for.
    """
    from mmscpnet.engine.hooks.bare_model import bare_model
    from mmscpnet.engine.hooks.label_set import find_head

    head = find_head(bare_model(runner.model))
    if head is None:
        raise ValueError('--labels needs a model with a SCPHead.')
    runner.load_or_resume()
    head.set_classes(labels)


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint.check_file(args.config, 'The config file')
    if args.checkpoint is not None:
        checkpoint.check_whole(args.checkpoint, 'The checkpoint')
    if args.out and Path(args.out).exists() and not args.overwrite:
        raise ValueError(
            f'{args.out!r} exists already. Replace it by --overwrite, or name another '
            'file by --out.'
        )
    cfg = cli.load_config(args)
    merge_args(cfg, args)

    checkpoint.forbid_pickled_code()
    cli.check_work_dir(cfg.work_dir)
    runner = cli.build_runner(cfg)
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        if args.out_item != 'metrics':
            dump = make_dump(args.out)
            dump.dataset_meta = runner.test_evaluator.dataset_meta
            runner.test_evaluator.metrics.append(dump)
    if args.checkpoint is None:
        start_without_checkpoint(runner)
    with checkpoint.explain_refused_checkpoint():
        if args.labels is not None:
            set_labels(runner, args.labels)
        metrics = runner.test()
    if args.out_item == 'metrics' and runner.rank == 0:
        import mmengine

        mmengine.dump(metrics, args.out)


if __name__ == '__main__':
    main()
