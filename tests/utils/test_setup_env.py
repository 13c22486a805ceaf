"""Registering everything, and the default scope."""

import pytest
from mmengine.registry import DefaultScope

from mmscpnet.utils import register_all_modules


@pytest.fixture
def no_scope(monkeypatch):
    monkeypatch.setattr(
        DefaultScope, '_instance_dict', type(DefaultScope._instance_dict)()
    )


def test_scope_is_left_alone_on_request(no_scope):
    register_all_modules(init_default_scope=False)
    assert DefaultScope.get_current_instance() is None


def test_scope_is_set(no_scope, recwarn):
    register_all_modules()
    assert DefaultScope.get_current_instance().scope_name == 'mmscpnet'
    register_all_modules()
    assert not [w for w in recwarn if 'default scope' in str(w.message)]


def test_other_scope_is_replaced_with_a_warning(no_scope):
    DefaultScope.get_instance('other', scope_name='mmpretrain')
    with pytest.warns(UserWarning, match="'mmpretrain' to 'mmscpnet'"):
        register_all_modules()
    assert DefaultScope.get_current_instance().scope_name == 'mmscpnet'
