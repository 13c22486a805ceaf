from .scpnet import SCPNet

__all__ = ['SCPNet']
