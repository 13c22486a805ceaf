"""Tiny open_clip models for the tests, and slow references made of their modules."""

import copy

import open_clip
import torch
from open_clip.model import CLIP, CustomTextCLIP

TEXT = {'context_length': 77, 'vocab_size': 49408, 'width': 32, 'heads': 4, 'layers': 3}
VIT = {'image_size': 32, 'layers': 3, 'width': 32, 'head_width': 8, 'patch_size': 8}
RESNET = {'image_size': 64, 'layers': [1, 1, 1, 1], 'width': 8, 'head_width': 16}


def kwargs(vision=None, text=None, embed_dim=24):
    """``model_kwargs`` of a tiny model."""
    return {
        'embed_dim': embed_dim,
        'vision_cfg': dict(vision or VIT),
        'text_cfg': {**TEXT, **(text or {})},
    }


VIT_KWARGS = kwargs()
RESNET_KWARGS = kwargs(RESNET)


def build(model_kwargs, quick_gelu=False, custom=False, seed=0):
    """A whole open_clip model in evaluation mode, weights well away from zero."""
    torch.manual_seed(seed)
    model = (CustomTextCLIP if custom else CLIP)(
        quick_gelu=quick_gelu, **copy.deepcopy(model_kwargs)
    )
    for name, parameter in model.named_parameters():
        if parameter.dim() >= 1 and 'logit' not in name:
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    for name, value in model.named_buffers():
        if 'running' in name:
            value.copy_(torch.rand_like(value) + 0.5)
    return model.eval()


def save(model, path, prefix=''):
    state = {prefix + k: v for k, v in model.state_dict().items()}
    torch.save(state, path)
    return str(path)


def tokenize(texts, length=77):
    return open_clip.SimpleTokenizer(context_length=length)(texts)


def encode_embeddings(model, embeddings, ids):
    """``encode_text`` of a ``CLIP``, from token embeddings of the full context."""
    x = embeddings + model.positional_embedding
    x = model.transformer(x, attn_mask=model.attn_mask)
    x = model.ln_final(x)
    x = x[torch.arange(len(x)), ids.argmax(dim=-1)]
    return x @ model.text_projection
