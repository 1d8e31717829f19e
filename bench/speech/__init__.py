"""The protocols that the load generator speaks, each with bytes made beforehand.

`speech(name)` knows them all. A new protocol is a module with functions that give a `Speech`.
"""

from collections.abc import Callable
from functools import partial

from bench.speech import clasp, mqtt, nats, resp
from bench.speech.form import Speech

SPEECHES: dict[str, Callable[[int], Speech]] = {
    "clasp set": partial(clasp.setting, qos=1),
    "clasp set, fsync": partial(clasp.setting, qos=2),
    "clasp publish": partial(clasp.publishing, qos=1),
    "clasp publish, fsync": partial(clasp.publishing, qos=2),
    "clasp publish, zipf": clasp.publishing_zipf,
    "mqtt": partial(mqtt.publishing, qos=0),
    "mqtt qos 1": partial(mqtt.publishing, qos=1),
    "mqtt retained": partial(mqtt.publishing, qos=1, retain=True),
    "mqtt ws": partial(mqtt.publishing, qos=0, websocket=True),
    "mqtt ws qos 1": partial(mqtt.publishing, qos=1, websocket=True),
    "nats": nats.publishing,
    "nats ws": partial(nats.publishing, websocket=True),
    "jetstream": nats.keeping,
    "redis": resp.publishing,
    "redis stream": resp.keeping,
}
"""By name; each is told among how many groups of readers its messages take turns."""


def speech(name: str, groups: int = 1) -> Speech:
    """The speech of a name."""
    return SPEECHES[name](groups)
