"""What people would pick instead, as Debian and PyPI have them: each on loopback, with a folder of its own.

`python -m bench.servers.peers` prints what is missing here and how to get it; it installs nothing.
"""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.servers.server import ROOT, Server

PEERS_FOLDER = ROOT / ".peers"
"""Where a peer from PyPI may live, since what it needs may clash with what the project needs."""

MOSQUITTO = """\
user {user}
per_listener_settings false
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 0
persistence true
persistence_location {folder}/
autosave_interval 1
log_dest none
listener {tcp} 127.0.0.1
listener {ws} 127.0.0.1
protocol websockets
"""
NATS = """\
listen: 127.0.0.1:{tcp}
websocket {{ listen: "127.0.0.1:{ws}", no_tls: true }}
jetstream {{ store_dir: "{folder}" }}
"""
AMQTT = """\
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{tcp}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """One program, the package that brings it, and its doors: a label, which port, what is spoken there."""

    program: str
    package: str
    command: Callable[[str, Path, Sequence[int]], list[str]]
    port_count: int
    doors: tuple[tuple[str, int, str], ...]
    keeping_doors: tuple[tuple[str, int, str], ...] = ()
    """Those where a publisher is told that its message is kept."""
    slow: bool = False
    """So slow that hundreds of readers would take minutes."""

    def found(self) -> str | None:
        """Where the program is, if it is."""
        places = f"{PEERS_FOLDER / 'bin'}"
        return shutil.which(self.program) or shutil.which(self.program, path=f"/usr/sbin:{places}")

    def server(self) -> Server:
        """The server, ready to be started."""
        program = self.found()
        if program is None:
            raise FileNotFoundError(f"{self.program} is not installed")
        return Server(
            self.program, lambda folder, ports: self.command(program, folder, ports), self.port_count
        )


def _mosquitto(program: str, folder: Path, ports: Sequence[int]) -> list[str]:
    settings = MOSQUITTO.format(user=getpass.getuser(), folder=folder, tcp=ports[0], ws=ports[1])
    (folder / "mosquitto.conf").write_text(settings, encoding="utf-8")
    return [program, "-c", str(folder / "mosquitto.conf")]


def _nats(program: str, folder: Path, ports: Sequence[int]) -> list[str]:
    settings = NATS.format(folder=folder, tcp=ports[0], ws=ports[1])
    (folder / "nats.conf").write_text(settings, encoding="utf-8")
    return [program, "-c", str(folder / "nats.conf")]


def _redis(program: str, folder: Path, ports: Sequence[int]) -> list[str]:
    return [
        *(program, "--bind", "127.0.0.1", "--port", str(ports[0]), "--dir", str(folder)),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
    ]


def _amqtt(program: str, folder: Path, ports: Sequence[int]) -> list[str]:
    (folder / "amqtt.yaml").write_text(AMQTT.format(tcp=ports[0]), encoding="utf-8")
    return [program, "-c", str(folder / "amqtt.yaml")]


PEERS = (
    Peer(
        "mosquitto",
        "mosquitto",
        _mosquitto,
        port_count=2,
        doors=(
            ("mosquitto tcp", 0, "mqtt"),
            ("mosquitto tcp, QoS 1", 0, "mqtt qos 1"),
            ("mosquitto ws", 1, "mqtt ws"),
            ("mosquitto ws, QoS 1", 1, "mqtt ws qos 1"),
        ),
        keeping_doors=(("mosquitto QoS 1, persistence", 0, "mqtt retained"),),
    ),
    Peer(
        "nats-server",
        "nats-server",
        _nats,
        port_count=2,
        doors=(("nats-server tcp", 0, "nats"), ("nats-server ws", 1, "nats ws")),
        keeping_doors=(("nats-server JetStream file", 0, "jetstream"),),
    ),
    Peer(
        "redis-server",
        "redis-server",
        _redis,
        port_count=1,
        doors=(("redis pub/sub", 0, "redis"),),
        keeping_doors=(("redis XADD everysec", 0, "redis stream"),),
    ),
    Peer("amqtt", "", _amqtt, port_count=1, doors=(("amqtt tcp", 0, "mqtt"),), slow=True),
)


def missing() -> list[str]:
    """What is not here, and the lines that would bring it."""
    absent = [peer for peer in PEERS if not peer.found()]
    lines = [f"{peer.program} is not installed" for peer in absent]
    packages = [peer.package for peer in absent if peer.package]
    if packages:
        lines.append(f"apt-get install --no-install-recommends {' '.join(packages)}")
    lines += [
        f"python3 -m venv .peers && .peers/bin/pip install {peer.program}"
        for peer in absent
        if not peer.package
    ]
    return lines


if __name__ == "__main__":
    print("\n".join(missing() or ["every peer is here"]))
