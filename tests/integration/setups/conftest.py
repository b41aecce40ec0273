from tests.integration.dynos.conftest import ports

__all__ = ["ports"]
