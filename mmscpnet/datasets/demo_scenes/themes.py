"""What the demonstration scenes show: labels, their themes and their drawings.

Data only, so that the class names can be had without any drawing library. A
drawing is named by its OpenMoji code points, as its file is.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """One named label.

    Args:
        name (str): Name as a text encoder reads it.
        weight (float): How often it is drawn, relative to others of its theme.
        drawings (tuple[str, ...]): Code points of the drawings that show it.
    """

    name: str
    weight: float
    drawings: tuple[str, ...]


@dataclass(frozen=True)
class Theme:
    """A kind of place: its labels occur together.

    Args:
        name (str): Name of the theme.
        weight (float): How often it is chosen, relative to the other themes.
        colours (tuple): RGB background colours in [0, 255] typical of it.
        labels (tuple[Label, ...]): Labels of this theme only.
        visitors (tuple[tuple[str, float], ...]): Labels of `SHARED_LABELS` seen
            here, with their weights.
    """

    name: str
    weight: float
    colours: tuple[tuple[int, int, int], ...]
    labels: tuple[Label, ...]
    visitors: tuple[tuple[str, float], ...] = ()


# The weights fall within a theme and from theme to theme: the class frequencies
# have a long tail, as they do in real multi-label data.
THEMES = (
    Theme(
        'farm',
        1.00,
        ((150, 175, 95), (200, 180, 120), (170, 205, 225)),
        (
            Label('cow', 1.0, ('1F404', '1F402')),
            Label('sheep', 0.8, ('1F411', '1F40F')),
            Label('pig', 0.6, ('1F416',)),
            Label('rooster', 0.5, ('1F413',)),
            Label('tractor', 0.45, ('1F69C',)),
        ),
        (('dog', 0.4), ('cat', 0.2), ('bird', 0.2)),
    ),
    Theme(
        'street',
        0.95,
        ((140, 140, 145), (190, 185, 180), (120, 130, 150)),
        (
            Label('car', 1.0, ('1F697', '1F699', '1F695')),
            Label('bicycle', 0.75, ('1F6B2',)),
            Label('bus', 0.6, ('1F68C', '1F68D')),
            Label('traffic light', 0.45, ('1F6A6', '1F6A5')),
            Label('motorcycle', 0.45, ('1F3CD', '1F6F5')),
        ),
        (('dog', 0.3), ('umbrella', 0.4), ('cat', 0.15)),
    ),
    Theme(
        'kitchen',
        0.85,
        ((235, 215, 180), (205, 165, 125), (225, 225, 220)),
        (
            Label('cup', 1.0, ('2615', '1F375')),
            Label('apple', 0.8, ('1F34E', '1F34F')),
            Label('bread', 0.6, ('1F35E', '1F956')),
            Label('frying pan', 0.45, ('1F373',)),
            Label('cheese', 0.45, ('1F9C0',)),
        ),
        (('cat', 0.25),),
    ),
    Theme(
        'sea',
        0.75,
        ((90, 150, 190), (60, 120, 165), (165, 210, 220)),
        (
            Label('fish', 1.0, ('1F41F', '1F420')),
            Label('sailboat', 0.8, ('26F5',)),
            Label('dolphin', 0.55, ('1F42C',)),
            Label('crab', 0.5, ('1F980',)),
            Label('octopus', 0.45, ('1F419',)),
        ),
        (('bird', 0.35), ('umbrella', 0.15)),
    ),
    Theme(
        'garden',
        0.65,
        ((120, 165, 90), (165, 195, 125), (190, 210, 190)),
        (
            Label('flower', 1.0, ('1F339', '1F33B', '1F337', '1F33A')),
            Label('tree', 0.8, ('1F333', '1F332')),
            Label('butterfly', 0.55, ('1F98B',)),
            Label('mushroom', 0.5, ('1F344',)),
            Label('bee', 0.45, ('1F41D',)),
        ),
        (('bird', 0.45), ('cat', 0.3), ('dog', 0.15)),
    ),
    Theme(
        'office',
        0.55,
        ((215, 205, 190), (185, 195, 205), (160, 140, 120)),
        (
            Label('laptop', 1.0, ('1F4BB',)),
            Label('book', 0.8, ('1F4DA', '1F4D6', '1F4D5')),
            Label('chair', 0.6, ('1FA91',)),
            Label('printer', 0.5, ('1F5A8',)),
            Label('scissors', 0.45, ('2702',)),
        ),
        (('umbrella', 0.25), ('cup', 0.5)),
    ),
    Theme(
        'sky',
        0.50,
        ((150, 200, 235), (195, 220, 240), (235, 190, 165)),
        (
            Label('airplane', 1.0, ('2708', '1F6E9')),
            Label('balloon', 0.8, ('1F388',)),
            Label('kite', 0.6, ('1FA81',)),
            Label('helicopter', 0.45, ('1F681',)),
            Label('rainbow', 0.45, ('1F308',)),
        ),
        (('bird', 0.8),),
    ),
    Theme(
        'sport',
        0.45,
        ((130, 175, 110), (200, 150, 95), (180, 190, 205)),
        (
            Label('soccer ball', 1.0, ('26BD',)),
            Label('basketball', 0.8, ('1F3C0',)),
            Label('tennis ball', 0.6, ('1F3BE',)),
            Label('trophy', 0.5, ('1F3C6',)),
            Label('skateboard', 0.5, ('1F6F9',)),
        ),
        (('dog', 0.2), ('bicycle', 0.3)),
    ),
)

# Labels at home in several themes.
SHARED_LABELS = (
    Label('bird', 1.0, ('1F426', '1F985', '1F54A')),
    Label('cat', 1.0, ('1F408', '1F408-200D-2B1B')),
    Label('dog', 1.0, ('1F415', '1F429', '1F9AE')),
    Label('umbrella', 1.0, ('2602', '2614')),
)

LABELS = {
    label.name: label
    for label in [label for theme in THEMES for label in theme.labels]
    + list(SHARED_LABELS)
}

DEMO_CLASSES: tuple[str, ...] = tuple(LABELS)

# Drawings without a label: what a detector of 'some object' would trip over.
CLUTTER = (
    '1F511',  # key
    '1F380',  # bow
    '1F451',  # crown
    '1F4A7',  # drop
    '2B50',  # star
    '1F525',  # fire
    '1F3A9',  # hat
    '1F48E',  # gem
    '1F381',  # present
    '1F526',  # torch
    '1F570',  # clock
    '1F9F8',  # teddy bear
    '1F45C',  # handbag
    '1F6AA',  # door
    '1F3B8',  # guitar
    '1F3BA',  # trumpet
    '1F9F9',  # broom
    '1F9E6',  # socks
)
