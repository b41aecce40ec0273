"""Where dynos really run."""

from homeport.engine.fake import Behaviour, FakeEngine, World
from homeport.engine.interface import (
    Address,
    Attachment,
    Engine,
    Instance,
    Output,
    Phase,
    Sink,
    Spec,
    Terminal,
)
from homeport.engine.local import LocalEngine

__all__ = [
    "Address",
    "Attachment",
    "Behaviour",
    "Engine",
    "FakeEngine",
    "Instance",
    "LocalEngine",
    "Output",
    "Phase",
    "Sink",
    "Spec",
    "Terminal",
    "World",
]
