"""What an operator is told of who is let in."""

import pytest

from router.config import RouterConfig
from router.network import risks
from router.quantities import Address

HERE, EVERYWHERE = Address("127.0.0.1", 7330), Address("0.0.0.0", 7330)
ORIGINS = ("https://desk.example",)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"listen": HERE}, []),
        ({"listen": Address("::1", 7330)}, []),
        ({"listen": Address("localhost", 7330)}, []),
        ({"listen": EVERYWHERE}, ["whoever reaches this port", "the list of Origins is empty"]),
        ({"listen": Address("::", 7330), "allow_origin": ORIGINS}, ["whoever reaches this port"]),
        ({"listen": EVERYWHERE, "allow_origin": ORIGINS, "auth": "tokens.toml"}, ["without TLS"]),
        ({"listen": EVERYWHERE, "allow_origin": ORIGINS, "auth": "tokens.toml", "cert": "c.pem"}, []),
        (
            {"listen": EVERYWHERE, "allow_origin": ORIGINS, "cert": "c.pem", "client_ca": "crew.pem"},
            ["whoever has a certificate of crew.pem"],
        ),
        ({"listen": HERE, "allow_origin": ("*",)}, ["any page that a browser"]),
        ({"listen": HERE, "allow_origin": ("null", *ORIGINS)}, ["any page can call itself that"]),
    ],
)
def test_each_risk_has_its_sentence_and_no_other_is_told(settings, told):
    """Also those that a browser brings to a router that listens on this machine alone."""
    sentences = list(risks(RouterConfig(**settings)))
    assert [any(words in sentence for sentence in sentences) for words in told] == [True] * len(told)
    assert len(sentences) == len(told)
