"""Our own client: speaks to any CLASP router, and uses the journal of ours.

async with connect("ws://127.0.0.1:7330", name="desk") as client:
    revision = await client.set("/light/1", 0.5)
"""

from router.client.acting import UndoStopped, replay_into, undo
from router.client.client import Client, Connecting, connect
from router.client.errors import ClientError, ConnectionLost, JournalRefused, NoAnswer, Overflow, Refused
from router.client.history import History, Position
from router.client.parts import NOTHING, make_publish, make_set
from router.client.subscriptions import Origin, Subscription, Update
from router.client.tls import client_context
from router.wire.codes import JournalStatus

__all__ = [
    "NOTHING",
    "Client",
    "ClientError",
    "Connecting",
    "ConnectionLost",
    "History",
    "JournalRefused",
    "JournalStatus",
    "NoAnswer",
    "Origin",
    "Overflow",
    "Position",
    "Refused",
    "Subscription",
    "UndoStopped",
    "Update",
    "client_context",
    "connect",
    "make_publish",
    "make_set",
    "replay_into",
    "undo",
]
