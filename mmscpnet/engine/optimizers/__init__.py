from .optim_wrapper_constructor import SCPNetOptimWrapperConstructor

__all__ = ['SCPNetOptimWrapperConstructor']
