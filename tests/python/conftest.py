"""LFM_TEST_MODEL names a model that answers: the nano model of this project. LFM_TEST_FLOATS: one of float32."""

import os

import pytest

import lfm


@pytest.fixture(scope="session")
def model_path():
    return os.environ["LFM_TEST_MODEL"]


@pytest.fixture(scope="session")
def engine(model_path):
    with lfm.Engine(model_path, threads=1) as engine:
        yield engine


@pytest.fixture
def session(engine):
    with engine.session(context_tokens=512) as session:
        yield session


@pytest.fixture
def chat(engine):
    with engine.chat() as chat:
        yield chat
