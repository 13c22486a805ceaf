"""Time and memory of the faster recipes, beside the exact one.

``recipes.py CONFIG`` runs each recipe in a process of its own, with random weights and
made-up photos: first alone, for the most memory that its steps take, then in turns with
the exact recipe, for the ratio of the times. What a recipe costs in mAP is trained, see
``grids/corel5k74_recipes.py``.
"""

import argparse
import json
from dataclasses import dataclass, field
from statistics import median

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmscpnet.benchmarks.steps import (
    OPTIONS,
    TrainingStep,
    add_model_options,
    check_out,
    interleaved,
    model_from_options,
    options_again,
    peak_memory,
    ratio,
    run_apart,
)
from mmscpnet.evaluation.results_file import write_results

_BF16 = {'optim_wrapper.type': 'AmpOptimWrapper', 'optim_wrapper.dtype': 'bfloat16'}


@dataclass
class Recipe:
    """What a recipe changes.

    Args:
        options: Settings of the config.
        views: Views of an image.
        parts: Parts that a batch is cut into, whose gradients are accumulated.
        stored: Whether features come from a bank, not from photos.
    """

    options: dict = field(default_factory=dict)
    views: int = 3
    parts: int = 1
    stored: bool = False


RECIPES = {
    'exact': Recipe(),
    'no-teacher-grad': Recipe({'model.teacher_grad': False}),
    'two-views': Recipe(views=2),
    'channels-last': Recipe({'model.channels_last': True}),
    'compile': Recipe({'model.compile_backbone': True}),
    'bf16': Recipe(_BF16),
    'accumulate-4': Recipe({'optim_wrapper.accumulative_counts': 4}, parts=4),
    'frozen': Recipe({'model.frozen_backbone': True}),
    'feature-bank': Recipe({'model.frozen_backbone': True}, stored=True),
}


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Faster recipes: time and memory')
    add_model_options(parser)
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--recipes', nargs='+', choices=RECIPES, default=list(RECIPES))
    parser.add_argument('--timeout', type=float, default=3600, help='s, of one recipe')
    parser.add_argument('--apart', choices=RECIPES, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.batch_size % 4:
        parser.error('--batch-size must divide by 4, for the accumulation')
    return args


class RecipeStep:
    """The optimisation step of a recipe."""

    def __init__(self, recipe: Recipe, args: argparse.Namespace) -> None:
        cfg = Config.fromfile(args.config)
        cfg.merge_from_dict(recipe.options)
        torch.manual_seed(args.seed)
        model = model_from_options(cfg, args)
        self.parts = [
            TrainingStep(
                model,
                cfg,
                args.batch_size // recipe.parts,
                args.image_size,
                recipe.views,
                args.num_samples,
                ema=number == recipe.parts - 1,
            )
            for number in range(recipe.parts)
        ]
        for part in self.parts:
            # One optimiser counts the parts.
            part.optimizer = self.parts[0].optimizer
            if recipe.stored:
                with torch.no_grad():
                    dim = model.extract_feat(part.views[0][:1])[-1].shape[1]
                part.views = [
                    view.new_empty(len(view), dim).normal_() for view in part.views
                ]

    def __call__(self) -> None:
        for part in self.parts:
            part.whole()


def measure(args: argparse.Namespace) -> dict:
    """One recipe, in this process."""
    init_default_scope('mmscpnet')
    step = RecipeStep(RECIPES[args.apart], args)
    device = step.parts[0].views[0].device
    built = peak_memory(args.device)
    for _ in range(2):
        step()
    memory = peak_memory(args.device) - built
    tasks = dict(recipe=step, exact=RecipeStep(RECIPES['exact'], args))
    seconds = interleaved(tasks, args.rounds, device)
    return dict(
        recipe=args.apart,
        bytes=memory,
        seconds=median(seconds['recipe']),
        ratio=ratio(seconds['recipe'], seconds['exact']),
    )


def main(argv=None) -> int:
    args = parse_args(argv)
    if args.apart:
        print(json.dumps(measure(args)))
        return 0
    check_out(args.out)
    options = options_again(args, (*OPTIONS, 'classes', 'num_labels'))
    command = [__file__, args.config, *options]
    names = ['exact', *(name for name in args.recipes if name != 'exact')]
    found = []
    for name in track(names, 'recipes'):
        try:
            found.append(run_apart([*command, '--apart', name], args.timeout))
        except RuntimeError as error:
            # A device may not have all of them; the others count on.
            if name == 'exact':
                raise
            found.append(dict(recipe=name, error=str(error).splitlines()[-1]))
    table = Table(
        title=f'{args.batch_size} images at {args.image_size}, {args.device}, '
        f'{torch.get_num_threads()} thread(s), median of {args.rounds}'
    )
    for column in ('recipe', 'time / exact', 'memory, GB', 'memory / exact'):
        table.add_column(column, justify='left' if column == 'recipe' else 'right')
    for row in found:
        if 'error' in row:
            table.add_row(row['recipe'], *['not here'] * 3)
            continue
        # A tiny model's steps may take no more than building it did.
        base = found[0]['bytes']
        row['memory_ratio'] = row['bytes'] / base if base else None
        table.add_row(
            row['recipe'],
            f'{row["ratio"]:.2f}',
            f'{row["bytes"] / 1e9:.2f}',
            f'{row["memory_ratio"]:.2f}' if base else '-',
        )
    console = Console()
    console.print(table)
    for row in found:
        if 'error' in row:
            console.print(f'{row["recipe"]}: {row["error"]}')
    if args.out:
        record = {name: getattr(args, name) for name in ('config', *OPTIONS)}
        write_results(args.out, {**record, 'recipes': found})
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
