"""The door with a certificate: the same promises, and handshakes that are bounded before they cost."""

import asyncio
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from router.core.limits import Limits
from router.transports.tls import CertificateError, Certificates, TlsFiles
from router.wire.packing import pack
from tests.certificates import Authority
from tests.router.transports.peer_bytes import binary
from tests.router.transports.recording import UPGRADE, RawPeer, RecordingHost


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Who signed the certificates of this module."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def issued(authority):
    """A certificate of the router."""
    return authority.issue("router")


def trusting(authority, client=None):
    """What a client needs to trust a router, and perhaps a certificate to show."""
    context = ssl.create_default_context(cafile=authority.ca)
    if client is not None:
        context.load_cert_chain(*client)
    return context


async def shown_by(port, authority):
    """The name in the certificate that a new connection is shown."""
    _, writer = await asyncio.open_connection("localhost", port, ssl=trusting(authority))
    subject = dict(pair[0] for pair in writer.get_extra_info("peercert")["subject"])
    writer.close()
    return subject["commonName"]


async def test_with_a_certificate_the_same_door_speaks_tls(serve, authority, issued):
    """Messages and a clean close work the same, and the peer is known."""
    host = RecordingHost(Limits(), on_frame=lambda link, got: link.pipe.write(pack(got)))
    _, port = await serve(host=host, certificates=Certificates(TlsFiles(*issued)))
    async with connect(f"wss://127.0.0.1:{port}", ssl=trusting(authority)) as client:
        await client.send(bytes(60_000))
        assert await client.recv() == bytes(60_000)
        await client.send(bytes(65_601))
        await client.wait_closed()
        assert client.close_code == 1009
    await host.until(lambda: host.links[0].is_lost)
    assert host.links[0].peer.is_loopback


async def test_what_comes_in_one_go_with_the_request_is_not_lost(serve, authority, issued):
    """Head and first message in one write, right behind the handshake."""
    host, port = await serve(certificates=Certificates(TlsFiles(*issued)))
    peer = RawPeer(*await asyncio.open_connection("localhost", port, ssl=trusting(authority)))
    peer.send(UPGRADE + binary(b"early"))
    link = await host.first_link()
    await host.until(lambda: link.frames == [b"early"])
    peer.hang_up()


async def test_plain_bytes_at_a_tls_door_end_only_their_own_connection(serve, authority, issued, dial):
    """Nothing is answered, and the next client is served."""
    _, port = await serve(certificates=Certificates(TlsFiles(*issued)))
    peer = await dial(port)
    peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"HTTP" not in await peer.rest()
    assert await shown_by(port, authority) == "router"


async def test_handshakes_under_way_are_bounded_in_number(serve, issued, dial):
    """Beyond it one more is dropped at once."""
    certificates = Certificates(TlsFiles(*issued))
    host, port = await serve(certificates=certificates, handshakes=2, hello_timeout_s=600.0)
    for _ in range(2):
        (await dial(port)).send(b"\x16\x03\x01")
    assert await (await dial(port)).rest() == b""
    assert not host.links
    assert host.refused == {"handshakes": 1}


async def test_handshakes_under_way_are_bounded_in_time(serve, issued, dial):
    """Those that say nothing are dropped after it, and leave their places to others."""
    certificates = Certificates(TlsFiles(*issued))
    host, port = await serve(certificates=certificates, handshakes=1, hello_timeout_s=0.1)
    for _ in range(3):
        assert await (await dial(port)).rest() == b""
    assert not host.links
    assert not host.refused


async def test_whoever_cannot_show_a_certificate_of_the_crew_stays_out(serve, authority, issued, tmp_path):
    """With an authority for clients; one signed by another is not enough."""
    strangers = Authority(tmp_path, "strangers")
    host, port = await serve(certificates=Certificates(TlsFiles(*issued, client_ca=authority.ca)))
    for client in (None, strangers.issue("stranger")):
        with pytest.raises((OSError, WebSocketException)):
            async with connect(f"wss://localhost:{port}", ssl=trusting(authority, client)):
                pass
    assert not host.links
    async with connect(f"wss://localhost:{port}", ssl=trusting(authority, authority.issue("desk"))):
        await host.first_link()


async def test_new_files_are_for_new_connections(serve, authority, issued, tmp_path):
    """Old connections live on; broken files change nothing and are named."""
    files = TlsFiles(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))

    def put(pair):
        for source, target in zip(pair, files, strict=False):
            Path(target).write_bytes(Path(source).read_bytes())

    put(issued)
    certificates = Certificates(files)
    host = RecordingHost(Limits(), on_frame=lambda link, got: link.pipe.write(pack(got)))
    _, port = await serve(host=host, certificates=certificates)
    async with connect(f"wss://localhost:{port}", ssl=trusting(authority)) as old:
        put(authority.issue("successor"))
        assert await shown_by(port, authority) == "router"
        certificates.reload()
        assert await shown_by(port, authority) == "successor"
        Path(files.key).write_bytes(Path(issued.key).read_bytes())
        with pytest.raises(CertificateError, match=r"cert\.pem with .*key\.pem: key values mismatch"):
            certificates.reload()
        assert await shown_by(port, authority) == "successor"
        await old.send(b"still here")
        assert await old.recv() == b"still here"


@pytest.mark.parametrize("broken", ["cert", "key", "client_ca"])
def test_files_that_are_none_are_named(issued, authority, tmp_path, broken):
    """Whether missing or full of something else; nobody is asked for a passphrase."""
    good = TlsFiles(*issued, client_ca=authority.ca)
    other = tmp_path / "other.pem"
    with pytest.raises(CertificateError, match=r"other\.pem.*No such file"):
        Certificates(good._replace(**{broken: str(other)}))
    other.write_text("nothing of the kind")
    with pytest.raises(CertificateError, match=r"other\.pem"):
        Certificates(good._replace(**{broken: str(other)}))
