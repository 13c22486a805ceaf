from .fsdp import SCPNetFSDPStrategy

__all__ = ['SCPNetFSDPStrategy']
