"""The provider of the error tracker, without one that runs."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from homeport.addons import Errors, Resource, Servers, Site, catalog
from homeport.errors import HomeportError
from homeport.home import Home


def test_an_add_on_is_not_gone_while_its_issues_are_there(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    provider = Errors(Site(home, Servers(home.run / "servers", home.logs)), ("false",))
    resource = Resource(str(uuid.uuid4()), "sentry-1", catalog.plan("sentry"))
    (tmp_path / "elsewhere").mkdir()
    folder = provider.folder(resource.id)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path / "elsewhere")  # as an operator moves it to a larger disk; no tree is removed by a link
    with pytest.raises(HomeportError) as caught:
        asyncio.run(provider.deprovision(resource))
    assert caught.value.id == "folder_not_removed"
    folder.unlink()
    folder.mkdir()
    asyncio.run(provider.deprovision(resource))
    assert not folder.exists()
