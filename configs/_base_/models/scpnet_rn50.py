# MMPretrain's ResNet-50 (ImageNet) with the label side of SCPNet on CLIP's text tower.
clip = dict(model='RN50', pretrained='openai')
imagenet = (
    'https://download.openmmlab.com/mmclassification/v0/resnet/'
    'resnet50_8xb32_in1k_20210831-ea4938fc.pth'
)
model = dict(
    type='SCPNet',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(3,),
        style='pytorch',
        init_cfg=dict(type='Pretrained', checkpoint=imagenet, prefix='backbone'),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='SCPHead',
        in_channels=2048,
        prompter=dict(
            type='CrossModalityPrompter',
            text_encoder=dict(type='CLIPTextEncoder', **clip),
            num_tokens=4,
            init_words='a photo of a',
        ),
        association=dict(type='SemanticAssociation', num_layers=3, hidden_dims=2048),
        label_graph=dict(
            type='StaticLabelGraph',
            source=dict(
                type='TextSource',
                text_encoder=dict(type='CLIPTextEncoder', **clip),
                templates='a photo of a {}',
            ),
            topk=62,
            neighbor_weight=0.2,
            temperature=0.2,
        ),
        # This image encoder was never aligned with the text: the scale is learnt.
        scale=10.0,
        learn_scale=True,
        bias='shared',
        loss=dict(type='SPLCLoss'),
        pessl=dict(
            type='PESSLLoss',
            hard_k=2,
            loss_weight_cst=1 / 8,
            loss_weight_dstl=1 / 8,
        ),
    ),
)
