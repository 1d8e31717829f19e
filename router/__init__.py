"""A CLASP router that remembers everything: `Router` to embed it, `router.client` to speak to one.

The names are loaded when they are first used, so that a part of the package costs no more than itself.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from router.config import RouterConfig
    from router.daemon import Router
    from router.quantities import Address

__all__ = ["Address", "Router", "RouterConfig"]


def __getattr__(name: str) -> Any:
    if name == "Router":
        from router.daemon import Router

        return Router
    if name == "RouterConfig":
        from router.config import RouterConfig

        return RouterConfig
    if name == "Address":
        from router.quantities import Address

        return Address
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
