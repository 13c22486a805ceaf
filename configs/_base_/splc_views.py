# One view of a photo, as SPLC's released code makes it: all of the photo at 448 pixels,
# half of each side blanked, RandAugment, no flip. Its losses read no second view.
splc_train = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(448, 448), backend='pillow'),
    dict(type='Cutout', shape=224, prob=1.0),
    dict(type='FixMatchRandAugment', num_policies=3),
    dict(type='PackInputs'),
]
splc_test = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(448, 448), backend='pillow'),
    dict(type='PackInputs'),
]
