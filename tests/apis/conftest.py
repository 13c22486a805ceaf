"""One small trained model for the tests of this folder."""

import pytest

from .small_models import make_config, make_photos, save_model, scp_head


@pytest.fixture(scope='package')
def trained(tmp_path_factory):
    """Config, checkpoint and the folder of the photos."""
    folder = tmp_path_factory.mktemp('trained')
    make_photos(folder)
    config, weights = save_model(make_config(folder, scp_head()), folder)
    return config, weights, folder / 'photos'
