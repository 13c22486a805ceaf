"""Register everything of mmscpnet at once, for use outside ``tools/``."""

import importlib

# The folders whose import registers classes; see ``locations`` in registry.py.
PACKAGES = (
    'label_graph',
    'models',
    'datasets',
    'evaluation',
    'engine',
    'visualization',
)


def register_all_modules(init_default_scope: bool = True) -> None:
    """Import every package that registers classes.

    Only code that builds single parts by hand needs this: a Runner imports what
    it builds by itself, through the ``locations`` of the registries.

    Args:
        init_default_scope (bool): Whether to make ``mmscpnet`` the default scope,
            so that types need no prefix. A default scope of another project is
            replaced, with a warning. Defaults to True.
    """
    import warnings
    from datetime import datetime

    from mmengine.registry import DefaultScope

    from mmscpnet.registry import SCOPE

    for name in PACKAGES:
        importlib.import_module(f'{SCOPE}.{name}')

    if not init_default_scope:
        return
    current = DefaultScope.get_current_instance()
    if current is None:
        DefaultScope.get_instance(SCOPE, scope_name=SCOPE)
    elif current.scope_name != SCOPE:
        warnings.warn(
            f'The default scope changes from {current.scope_name!r} to {SCOPE!r}; '
            'pass init_default_scope=False to keep the former.',
            stacklevel=2,
        )
        # Instance names are unique in mmengine, scope names are not.
        DefaultScope.get_instance(f'{SCOPE}-{datetime.now()}', scope_name=SCOPE)
