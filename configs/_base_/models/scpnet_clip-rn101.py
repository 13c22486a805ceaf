# The image and text towers of CLIP RN101, OpenAI's weights.
clip = dict(model='RN101', pretrained='openai')
model = dict(
    type='SCPNet',
    data_preprocessor=dict(
        # CLIP's own mean and standard deviation, times 255.
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        to_rgb=True,
    ),
    backbone=dict(type='OpenCLIPImageEncoder', **clip),
    head=dict(
        type='SCPHead',
        in_channels=512,
        # Eq. 5: four soft tokens, shared by all labels.
        prompter=dict(
            type='CrossModalityPrompter',
            text_encoder=dict(type='CLIPTextEncoder', **clip),
            num_tokens=4,
            init_words='a photo of a',
        ),
        # Eq. 6.
        association=dict(type='SemanticAssociation', num_layers=3, hidden_dims=2048),
        # Eq. 1-4.
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
        # 1/tau of Eq. 7.
        scale=10.0,
        loss=dict(type='SPLCLoss'),
        pessl=dict(
            type='PESSLLoss',
            hard_k=2,
            loss_weight_cst=1 / 8,
            loss_weight_dstl=1 / 8,
        ),
    ),
)
