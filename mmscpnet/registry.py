"""The registries of mmscpnet, scope ``mmscpnet``.

Each one is a child of mmpretrain's registry of the same kind, so with
``default_scope = 'mmscpnet'`` a config names our classes, mmpretrain's and
mmengine's alike without a prefix. ``locations`` are imported the first time a
registry is asked for a name.
"""

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from mmpretrain import registry as mmpretrain_registry

SCOPE = 'mmscpnet'


def _child(name: str, kind: str, *locations: str) -> Registry:
    parent = getattr(mmpretrain_registry, name)
    # A child that asks its parent does not make it import anything, so mmpretrain's
    # own modules are among our locations. Folder names are the same there.
    modules = [f'mmpretrain.{locations[0]}']
    modules += [f'{SCOPE}.{location}' for location in locations]
    return Registry(kind, parent=parent, scope=SCOPE, locations=modules)


RUNNERS = _child('RUNNERS', 'runner', 'engine')
RUNNER_CONSTRUCTORS = _child('RUNNER_CONSTRUCTORS', 'runner constructor', 'engine')
LOOPS = _child('LOOPS', 'loop', 'engine')
HOOKS = _child('HOOKS', 'hook', 'engine', 'visualization')
LOG_PROCESSORS = _child('LOG_PROCESSORS', 'log processor', 'engine')
OPTIMIZERS = _child('OPTIMIZERS', 'optimizer', 'engine')
OPTIM_WRAPPERS = _child('OPTIM_WRAPPERS', 'optimizer wrapper', 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'OPTIM_WRAPPER_CONSTRUCTORS', 'optimizer wrapper constructor', 'engine'
)
PARAM_SCHEDULERS = _child('PARAM_SCHEDULERS', 'parameter scheduler', 'engine')

DATASETS = _child('DATASETS', 'dataset', 'datasets')
DATA_SAMPLERS = _child('DATA_SAMPLERS', 'data sampler', 'datasets')
TRANSFORMS = _child('TRANSFORMS', 'transform', 'datasets')

MODELS = _child('MODELS', 'model', 'models')
MODEL_WRAPPERS = _child('MODEL_WRAPPERS', 'model wrapper', 'models')
WEIGHT_INITIALIZERS = _child('WEIGHT_INITIALIZERS', 'weight initializer', 'models')
BATCH_AUGMENTS = _child('BATCH_AUGMENTS', 'batch augment', 'models')
TASK_UTILS = _child('TASK_UTILS', 'task util', 'models')

METRICS = _child('METRICS', 'metric', 'evaluation')
EVALUATORS = _child('EVALUATORS', 'evaluator', 'evaluation')

VISUALIZERS = _child('VISUALIZERS', 'visualizer', 'visualization')
VISBACKENDS = _child('VISBACKENDS', 'vis_backend', 'visualization')

# mmpretrain has no strategies of its own.
STRATEGIES = Registry(
    'strategy',
    parent=mmengine_registry.STRATEGIES,
    scope=SCOPE,
    locations=[f'{SCOPE}.engine'],
)

# A source of label similarities (Eq. 1), see mmscpnet/label_graph/sources.py.
LABEL_SOURCES = Registry(
    'label source', scope=SCOPE, locations=[f'{SCOPE}.label_graph']
)
