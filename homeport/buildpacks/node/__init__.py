"""The Node.js buildpack."""

from homeport.buildpacks.node.buildpack import Node
from homeport.buildpacks.node.package import looks_like_node

__all__ = ["Node", "looks_like_node"]
