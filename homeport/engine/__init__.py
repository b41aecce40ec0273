"""Where dynos really run."""

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

__all__ = ["Address", "Attachment", "Engine", "Instance", "Output", "Phase", "Sink", "Spec", "Terminal"]
