"""One demonstration scene: choose what is in it, then paint it.

A scene is a function of (seed, split, index, size) and nothing else.
"""

from dataclasses import dataclass
from typing import Optional

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .background import make_background
from .drawings import load_drawing
from .themes import CLUTTER, DEMO_CLASSES, LABELS, THEMES, Theme

# Distinct labels in a scene, and how likely each number is.
NUM_LABELS = ((2, 0.36), (3, 0.34), (4, 0.20), (5, 0.08), (6, 0.02))
SECOND_THEME_PROB = 0.22
STRAY_LABEL_PROB = 0.05
REPEAT_PROB = 0.15
MAX_OBJECTS = 7

# Longest side of an object as a part of the scene's side.
OBJECT_SIZE = (0.34, 0.62)
CLUTTER_SIZE = (0.10, 0.26)
# Part of an object that must stay in the picture and uncovered.
MIN_INSIDE = 0.75
MIN_VISIBLE = 0.60
TRIES = 12


@dataclass(frozen=True)
class ScenePlan:
    """What a scene is to show.

    Args:
        themes (tuple[Theme, ...]): One or two themes.
        objects (tuple[str, ...]): Label names, repeats included, in painting order.
    """

    themes: tuple[Theme, ...]
    objects: tuple[str, ...]


def scene_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """Random generator of one scene, whatever process paints it."""
    return np.random.default_rng([seed, {'train': 0, 'test': 1}[split], index])


def _pick(rng: np.random.Generator, weights, count: int = 1) -> list[int]:
    weights = np.asarray(weights, dtype=float)
    count = min(count, len(weights))
    picked = rng.choice(len(weights), count, replace=False, p=weights / weights.sum())
    return [int(i) for i in picked]


def plan_scene(rng: np.random.Generator) -> ScenePlan:
    """Choose themes, then labels of these themes by their weights.

    Args:
        rng (numpy.random.Generator): The scene's generator.

    Returns:
        ScenePlan: The plan.
    """
    count = NUM_LABELS[_pick(rng, [weight for _, weight in NUM_LABELS])[0]][0]
    number = 2 if rng.random() < SECOND_THEME_PROB else 1
    themes = [THEMES[i] for i in _pick(rng, [t.weight for t in THEMES], number)]
    # The second theme only adds a guest or two to the first.
    shares = [count] if number == 1 else [count - count // 2, count // 2]
    names: list[str] = []
    for theme, share in zip(themes, shares):
        weighted = [(label.name, label.weight) for label in theme.labels]
        weighted += list(theme.visitors)
        weighted = [(name, weight) for name, weight in weighted if name not in names]
        chosen = _pick(rng, [weight for _, weight in weighted], share)
        names += [weighted[i][0] for i in chosen]
    for i in range(len(names)):
        stray = DEMO_CLASSES[rng.integers(len(DEMO_CLASSES))]
        if rng.random() < STRAY_LABEL_PROB and stray not in names:
            names[i] = stray
    objects = list(names)
    for name in names:
        if len(objects) < MAX_OBJECTS and rng.random() < REPEAT_PROB:
            objects.append(name)
    order = rng.permutation(len(objects))
    return ScenePlan(tuple(themes), tuple(objects[i] for i in order))


def _recolour(rng: np.random.Generator, sprite: Image.Image) -> Image.Image:
    """Turn the hue a little and change saturation, contrast and brightness."""
    angle = np.deg2rad(rng.normal(0, 10))
    saturation = rng.uniform(0.7, 1.15)
    low, high = rng.uniform(0, 40), rng.uniform(210, 255)
    # Grey stays; what is left of a colour is rotated about the grey axis
    # (Rodrigues' formula, whose third term is zero here).
    grey = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = np.cos(angle) * np.eye(3) + np.sin(angle) * cross
    matrix = (high - low) / 255 * (grey + saturation * turn @ (np.eye(3) - grey))
    pixels = np.asarray(sprite)
    rgb = pixels[..., :3].astype(np.float32) @ matrix.T.astype(np.float32) + low
    rgb = np.clip(rgb, 0, 255).astype(np.uint8)
    return Image.fromarray(np.dstack([rgb, pixels[..., 3]]))


def _turn(sprite: Image.Image, angle: float, shear: float) -> Image.Image:
    """Shear a sprite, then rotate it by `angle` radians, and cut it to its ink."""
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, shear], [0, 1]])
    old = np.array(sprite.size)
    new = np.ceil(np.abs(matrix) @ old).astype(int)
    # Pillow asks which point of the old picture each point of the new one shows.
    inverse = np.linalg.inv(matrix)
    offset = old / 2 - inverse @ (new / 2)
    coefficients = [*inverse[0], offset[0], *inverse[1], offset[1]]
    turned = sprite.transform(
        (int(new[0]), int(new[1])),
        Image.Transform.AFFINE,
        [float(value) for value in coefficients],
        Image.Resampling.BICUBIC,
    )
    return turned.crop(turned.getchannel('A').getbbox())


def _sprite(
    rng: np.random.Generator, code: str, scale: float, size: int
) -> Image.Image:
    """Make one drawing ready to paste: scaled, sheared, turned, recoloured."""
    drawing = load_drawing(code, size)
    factor = scale * size / max(drawing.size)
    shape = [max(4, round(side * factor)) for side in drawing.size]
    shape[0] = max(4, round(shape[0] * rng.uniform(0.85, 1.15)))
    sprite = drawing.resize(shape, Image.Resampling.LANCZOS)
    if rng.random() < 0.5:
        sprite = sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    shear = float(rng.uniform(-0.15, 0.15))
    wide = rng.random() < 0.10
    angle = float(np.clip(rng.normal(0, 40 if wide else 10), -120, 120))
    return _recolour(rng, _turn(sprite, np.deg2rad(angle), shear))


def _clutter(rng: np.random.Generator, size: int) -> tuple[Image.Image, float]:
    """Make a drawing without a label, and how solid it is."""
    code = CLUTTER[rng.integers(len(CLUTTER))]
    sprite = _sprite(rng, code, float(rng.uniform(*CLUTTER_SIZE)), size)
    return sprite, float(rng.uniform(0.7, 1.0))


def _faded_alpha(sprite: Image.Image, strength: float) -> Image.Image:
    return sprite.getchannel('A').point([round(a * strength) for a in range(256)])


class _Canvas:
    """A picture that knows how much of every pasted object can still be seen."""

    def __init__(self, background: np.ndarray) -> None:
        self.image = Image.fromarray(background)
        self.owner = np.full(background.shape[:2], -1, dtype=np.int16)
        self.areas: list[int] = []

    def _fits(self, mask: np.ndarray, window: tuple[slice, slice], area: int) -> bool:
        if area == 0 or mask.sum() < MIN_INSIDE * area:
            return False
        if not self.areas:
            return True
        total = len(self.areas)
        seen = np.bincount(self.owner[self.owner >= 0], minlength=total)
        under = self.owner[window][mask]
        lost = np.bincount(under[under >= 0], minlength=total)
        kept = seen - lost
        return bool(np.all(kept >= MIN_VISIBLE * np.array(self.areas)))

    def _place(self, rng: np.random.Generator, length: int) -> int:
        """Draw where a sprite of this length begins along one axis."""
        out = length // 5 if self.areas else 0
        return int(rng.integers(-out, self.image.width - length + out + 1))

    def paste(
        self, rng: np.random.Generator, sprite: Image.Image, strength: float = 1.0
    ) -> bool:
        """Paste a sprite where it hides no other object; say whether that worked.

        A sprite without a place gets smaller with the tries, and is left out in
        the end. The first one lies inside the picture, so it always has a place.
        """
        size = self.image.width
        for attempt in range(TRIES):
            if attempt and attempt % 4 == 0:
                shape = [max(4, round(side * 0.85)) for side in sprite.size]
                sprite = sprite.resize(shape, Image.Resampling.LANCZOS)
            width, height = sprite.size
            x = self._place(rng, width)
            y = self._place(rng, height)
            solid = np.asarray(sprite.getchannel('A')) > 127
            left, top = max(0, -x), max(0, -y)
            right, bottom = min(width, size - x), min(height, size - y)
            mask = solid[top:bottom, left:right]
            window = (slice(y + top, y + bottom), slice(x + left, x + right))
            area = int(solid.sum())
            if not self._fits(mask, window, area):
                continue
            alpha = _faded_alpha(sprite, strength)
            self.image.paste(sprite.convert('RGB'), (x, y), alpha)
            self.owner[window][mask] = len(self.areas)
            self.areas.append(area)
            return True
        return False

    def visible(self, number: int) -> float:
        """Part of the ``number``-th pasted sprite that can be seen, in [0, 1]."""
        return float((self.owner == number).sum() / self.areas[number])


def _draw_shapes(rng: np.random.Generator, image: Image.Image) -> None:
    """Scatter flat ellipses, polygons and strokes behind the objects."""
    draw = ImageDraw.Draw(image, 'RGBA')
    size = image.width
    for _ in range(rng.integers(0, 5)):
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        colour += (int(rng.integers(60, 190)),)
        centre = rng.uniform(0, size, 2)
        radius = rng.uniform(0.03, 0.22, 2) * size
        kind = rng.integers(3)
        if kind == 0:
            box = [*(centre - radius), *(centre + radius)]
            draw.ellipse([float(v) for v in box], fill=colour)
        elif kind == 1:
            angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
            points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1)
            draw.polygon([tuple(map(float, p)) for p in points], fill=colour)
        else:
            points = centre + rng.normal(0, 0.25 * size, (3, 2))
            width = int(rng.integers(1, max(2, size // 32) + 1))
            draw.line([tuple(map(float, p)) for p in points], fill=colour, width=width)


def _finish(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """Add what a camera adds: uneven light, blur, sensor noise."""
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 0.6))))
    size = image.width
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    across, down = float(np.cos(angle)), float(np.sin(angle))
    slope = across * ramp[None, :] + down * ramp[:, None]
    light = 1 + rng.uniform(0, 0.2) * slope
    pixels = np.asarray(image, dtype=np.float32) * light[..., None]
    pixels += rng.uniform(1, 4) * rng.standard_normal(pixels.shape, dtype=np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def render_scene(
    seed: int, split: str, index: int, size: int
) -> tuple[Image.Image, list[int]]:
    """Paint a scene.

    Args:
        seed (int): Seed of the whole set.
        split (str): ``'train'`` or ``'test'``.
        index (int): Number of the scene in its split.
        size (int): Side of the picture in pixels.

    Returns:
        tuple: The RGB picture and the sorted indices of the labels that can be
        seen in it (into `DEMO_CLASSES`), at least one.
    """
    rng = scene_rng(seed, split, index)
    plan = plan_scene(rng)
    palette: Optional[list] = None
    if rng.random() < 0.6:
        palette = [colour for theme in plan.themes for colour in theme.colours]
    canvas = _Canvas(make_background(rng, size, palette))
    _draw_shapes(rng, canvas.image)
    for _ in range(rng.integers(0, 3)):
        # Behind the objects, which may hide it.
        sprite, strength = _clutter(rng, size)
        place = tuple(int(v) for v in rng.integers(0, size * 5 // 6, 2))
        alpha = _faded_alpha(sprite, strength)
        canvas.image.paste(sprite.convert('RGB'), place, alpha)
    seen = set()
    for name in plan.objects:
        drawings = LABELS[name].drawings
        code = drawings[rng.integers(len(drawings))]
        scale = np.exp(rng.uniform(*np.log(OBJECT_SIZE)))
        sprite = _sprite(rng, code, float(scale), size)
        if canvas.paste(rng, sprite, float(rng.uniform(0.85, 1.0))):
            seen.add(DEMO_CLASSES.index(name))
    if rng.random() < 0.25:
        canvas.paste(rng, *_clutter(rng, size))
    return _finish(rng, canvas.image), sorted(seen)
