# One view of a photo with a part of its labels, for losses that read no second view:
# the labelled one of SCPNet's three.
one_view = [
    dict(type='LoadImageFromFile'),
    dict(type='LabelProtocol', protocol='partial-sarb', ratio=0.1, seed=0),
    dict(type='AntialiasedRandomResizedCrop', scale=448),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
