"""Label features of one or more models as points in a plane."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from mmscpnet.utils.checkpoint import check_file

from .drawing import save_figure

# Okabe-Ito and shapes: told apart by the colour-blind, and in grey.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
SHAPES = ('o', 's', '^', 'D', 'v', 'P', 'X')
METHODS = ('tsne', 'pca')
AUTOMATIC = 8


class LabelPoints(NamedTuple):
    """A panel: ``title`` and the ``(C, 2)`` places of the labels."""

    title: str
    places: np.ndarray


def place_labels(features: np.ndarray, method: str = 'tsne', seed: int = 0):
    """Bring label features to the plane, labels of like direction close together.

    Args:
        features: ``(C, D)``; their length does not matter.
        method: ``'tsne'`` (of cosine distances) or ``'pca'``.
        seed: of t-SNE.

    Returns:
        ``(C, 2)``.

    Raises:
        ValueError: fewer than three labels, or features that are not finite.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if len(features) < 3 or not np.isfinite(features).all():
        raise ValueError(
            'a map of label features needs three labels or more and finite values, '
            f'found shape {features.shape}'
        )
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(norms, 1e-12)
    if method == 'pca':
        return PCA(2).fit_transform(unit)
    perplexity = min(30.0, max(2.0, (len(unit) - 1) / 4))
    mapping = TSNE(
        2, perplexity=perplexity, init='pca', metric='cosine', random_state=seed
    )
    return mapping.fit_transform(unit.astype(np.float64))


def group_labels(features: np.ndarray) -> list[str]:
    """Categories for labels that come with none: eight clusters of their features.

    Args:
        features: ``(C, D)``.

    Returns:
        A name for each label.
    """
    if len(features) < 2:
        return ['cluster 1'] * len(features)
    # Ward's clusters are of like size; on unit vectors it goes by the cosine.
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    tree = linkage(unit, 'ward')
    return [f'cluster {n}' for n in fcluster(tree, AUTOMATIC, criterion='maxclust')]


def read_categories(path: str, classes: Sequence[str]) -> list[str]:
    """The category of each class, from a file.

    Args:
        path: a CSV file with lines ``LABEL,CATEGORY``, or a JSON file of COCO with
            supercategories.
        classes: C names.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, or has no category for some classes.
    """
    check_file(path, 'The file of categories')
    if path.endswith('.json'):
        try:
            content = json.loads(Path(path).read_text(encoding='utf-8'))
            found = {c['name']: c['supercategory'] for c in content['categories']}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{path} is no JSON file of COCO: categories with name and '
                f'supercategory are wanted ({type(error).__name__}: {error})'
            ) from error
    else:
        with open(path, newline='', encoding='utf-8-sig') as file:
            rows = [row for row in csv.reader(file) if len(row) > 1]
        found = {row[0].strip(): row[1].strip() for row in rows}
    missing = [name for name in classes if name not in found]
    if missing:
        raise ValueError(
            f'{path} has no category for {len(missing)} of {len(classes)} labels: '
            f'{", ".join(missing[:5])}'
        )
    return [found[name] for name in classes]


def draw_label_maps(
    panels: Sequence[LabelPoints],
    classes: Sequence[str],
    categories: Sequence[str],
    path: Path,
) -> None:
    """Draw panels, two a row.

    Args:
        panels: one a model.
        classes: C names, written beside the points where they cover no other.
        categories: C, coloured and shaped alike.
        path: PNG or SVG, written whole.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    # Room for the names, as far as the picture can be looked at.
    side = 6.5 if len(classes) <= 40 else 10 if len(classes) <= 120 else 18
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(side * columns, side * rows + 0.8),
        squeeze=False,
        layout='constrained',
    )
    axes = axes.ravel()
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    known = sorted(set(categories))
    for axis, panel in zip(axes, panels):
        for number, category in enumerate(known):
            chosen = np.array([c == category for c in categories])
            axis.scatter(
                *panel.places[chosen].T,
                s=36,
                color=COLOURS[number % len(COLOURS)],
                marker=SHAPES[(number + number // len(COLOURS)) % len(SHAPES)],
                label=category,
            )
        axis.set(title=panel.title, xticks=[], yticks=[])
        axis.margins(0.08)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc='outside lower center',
        ncols=min(len(known), 6 * columns),
        frameon=False,
    )
    # Only now it is known where a point is on paper.
    figure.canvas.draw()
    figure.set_layout_engine('none')
    for axis, panel in zip(axes, panels):
        write_names(axis, panel.places, classes, 9 if len(classes) <= 40 else 7)
    save_figure(figure, path, dpi=120)


def write_names(axis, places: np.ndarray, names: Sequence[str], size: float) -> int:
    """Write names beside points where they cover no other name.

    Each is tried to the right, left, above and below of its point, and between; where
    none of these is free, it is left out.

    Args:
        axis: in its final place.
        places: ``(C, 2)`` in data coordinates.
        names: C.
        size: of the letters in points.

    Returns:
        How many names are left out.
    """
    from matplotlib.transforms import Bbox

    figure = axis.figure
    renderer = figure.canvas.get_renderer()
    points = axis.transData.transform(places)
    scale = figure.dpi / 72
    taken = np.empty((0, 4))
    left_out = 0
    inside = axis.bbox
    for name, (x, y) in zip(names, points):
        text = axis.text(0, 0, name, fontsize=size, transform=None)
        box = text.get_window_extent(renderer)
        w, h, gap = box.width, box.height, 4 * scale
        corners = [
            (gap, -h / 2),
            (-gap - w, -h / 2),
            (-w / 2, gap),
            (-w / 2, -gap - h),
            (gap * 0.7, gap * 0.7),
            (-w - gap * 0.7, gap * 0.7),
            (gap * 0.7, -h - gap * 0.7),
            (-w - gap * 0.7, -h - gap * 0.7),
        ]
        for dx, dy in corners:
            left, low = x + dx, y + dy
            free = not (
                (taken[:, 0] < left + w)
                & (taken[:, 2] > left)
                & (taken[:, 1] < low + h)
                & (taken[:, 3] > low)
            ).any()
            box = Bbox.from_bounds(left, low, w, h)
            if free and inside.contains(*box.min) and inside.contains(*box.max):
                taken = np.vstack([taken, [left, low, left + w, low + h]])
                # In data coordinates, which every kind of file keeps.
                text.set_transform(axis.transData)
                text.set_position(axis.transData.inverted().transform((left, low)))
                text.set_verticalalignment('bottom')
                break
        else:
            text.remove()
            left_out += 1
    return left_out
