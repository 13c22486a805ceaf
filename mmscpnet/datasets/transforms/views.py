"""Strong augmentation of FixMatch, put together from mmpretrain's transforms."""

import mmcv
from mmpretrain.datasets.transforms import Cutout, RandAugment

from mmscpnet.registry import TRANSFORMS

# Fourteen operations and the range of each, Sohn et al., FixMatch, appendix D. An
# enhancement factor f is 1 + magnitude here; Posterize rounds up, so (3, 7] gives
# 4 to 7 bits.
FIXMATCH_POLICIES = [
    dict(type='mmscpnet.TableAutoContrast', prob=1.0),
    dict(
        type='mmscpnet.TableBrightness',
        magnitude_range=(-0.95, -0.05),
        prob=1.0,
        random_negative_prob=0.0,
    ),
    dict(
        type='ColorTransform',
        magnitude_range=(-0.95, -0.05),
        prob=1.0,
        random_negative_prob=0.0,
    ),
    dict(
        type='mmscpnet.TableContrast',
        magnitude_range=(-0.95, -0.05),
        prob=1.0,
        random_negative_prob=0.0,
    ),
    dict(type='mmscpnet.TableEqualize', prob=1.0),
    # Identity: an operation that never happens.
    dict(type='mmscpnet.TableEqualize', prob=-1.0),
    dict(type='mmscpnet.TablePosterize', magnitude_range=(3, 7), prob=1.0),
    dict(type='Rotate', magnitude_range=(0, 30), prob=1.0, interpolation='nearest'),
    dict(
        type='mmscpnet.EightBitSharpness',
        magnitude_range=(-0.95, -0.05),
        prob=1.0,
        random_negative_prob=0.0,
    ),
    dict(
        type='Shear',
        magnitude_range=(0, 0.3),
        prob=1.0,
        direction='horizontal',
        interpolation='nearest',
    ),
    dict(
        type='Shear',
        magnitude_range=(0, 0.3),
        prob=1.0,
        direction='vertical',
        interpolation='nearest',
    ),
    dict(type='mmscpnet.TableSolarize', magnitude_range=(0, 256), prob=1.0),
    dict(type='Translate', magnitude_range=(0, 0.3), prob=1.0, direction='horizontal'),
    dict(type='Translate', magnitude_range=(0, 0.3), prob=1.0, direction='vertical'),
]


@TRANSFORMS.register_module()
class FixMatchRandAugment(RandAugment):
    """RandAugment as FixMatch and FlexMatch use it.

    Operations are drawn with repetition from :data:`FIXMATCH_POLICIES`, each with a
    magnitude drawn uniformly from its range.

    **Required Keys:**

    - img

    **Modified Keys:**

    - img

    Args:
        num_policies: how many operations, 3 in the released code of SCPNet.
        pad_val: fill of what a geometric operation uncovers.
    """

    def __init__(self, num_policies: int = 3, pad_val: int = 0) -> None:
        super().__init__(
            policies=FIXMATCH_POLICIES,
            num_policies=num_policies,
            magnitude_level=10,
            magnitude_std='inf',
            total_level=10,
            hparams=dict(pad_val=pad_val),
        )


@TRANSFORMS.register_module()
class RelativeCutout(Cutout):
    """Blank a square whose side is a random part of the image's width.

    mmpretrain's ``Cutout`` takes pixels; photos differ in size.

    **Required Keys:**

    - img

    **Modified Keys:**

    - img

    Args:
        max_ratio: the side is drawn uniformly from 0 to this part of the width.
        pad_val: fill, 127 in FixMatch.
    """

    def __init__(self, max_ratio: float = 0.5, pad_val: int = 127) -> None:
        super().__init__(
            magnitude_range=(0, max_ratio),
            magnitude_std='inf',
            magnitude_level=1,
            total_level=1,
            prob=1.0,
            pad_val=pad_val,
        )

    def transform(self, results: dict) -> dict:
        """Blank the square."""
        img = results['img']
        side = int(self.random_magnitude() * img.shape[1])
        if side > 0:
            results['img'] = mmcv.cutout(img, side, self.pad_val).astype(
                img.dtype, copy=False
            )
        return results
