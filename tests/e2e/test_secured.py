"""A router with a certificate, as its users meet it: clients of both kinds, the tool, and its operator."""

import asyncio
import json
import shutil
import signal
import ssl
import sys
from functools import partial
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import InvalidStatus

from router.client import ClientError, connect
from tests.certificates import Authority
from tests.interop.python_peer import python_client
from tests.journal.cli.tool import Result, environment, run
from tests.router.transports.test_door_rules import own_address


@pytest.fixture
def authority(tmp_path):
    """Who signs."""
    return Authority(tmp_path)


@pytest.fixture
async def secured(make_router, authority, tmp_path):
    """A router with a certificate of its own."""
    for source, name in zip(authority.issue("first"), ("cert.pem", "key.pem"), strict=True):
        shutil.copy(source, tmp_path / name)
    return await make_router("--cert", "cert.pem", "--key", "key.pem").start()


def trusting(authority):
    """What a client needs."""
    return ssl.create_default_context(cafile=authority.ca)


async def test_clients_come_in_by_wss(secured, authority, tmp_path, monkeypatch):
    """The published one, ours and the tool see one state; by ws:// nobody does."""
    url = f"wss://localhost:{secured.port}"
    monkeypatch.setenv("SSL_CERT_FILE", authority.ca)
    async with python_client(url) as published, connect(url, ssl=trusting(authority)) as ours:
        await published.set("/secured", 7)
        await published.flush()
        assert await ours.get("/secured") == 7
        await ours.set("/secured", 8)
    monkeypatch.delenv("SSL_CERT_FILE")
    told = await run(tmp_path, "get", "/secured", "--url", url, "--ca", authority.ca)
    assert (told.code, json.loads(told.out)["value"]) == (0, 8), told.err
    assert (await run(tmp_path, "get", "/secured", "--url", url)).code == 3
    with pytest.raises(ClientError):
        await connect(f"ws://localhost:{secured.port}", reconnect=False)


async def test_a_hangup_has_the_certificate_read_again(secured, authority, tmp_path):
    """Who is connected stays; with broken files all is as before, and the operator is told."""

    async def shown():
        _, writer = await asyncio.open_connection("localhost", secured.port, ssl=trusting(authority))
        subject = writer.get_extra_info("peercert")["subject"]
        writer.close()
        return dict(pair[0] for pair in subject)["commonName"]

    async with connect(f"wss://localhost:{secured.port}", ssl=trusting(authority)) as old:
        for source, name in zip(authority.issue("second"), ("cert.pem", "key.pem"), strict=True):
            shutil.copy(source, tmp_path / name)
        secured.send(signal.SIGHUP)
        await secured.until_logged("new connections are shown the certificate")
        assert await shown() == "second"
        (tmp_path / "key.pem").write_text("none")
        secured.send(signal.SIGHUP)
        await secured.until_logged("the certificate stays as it was: cert.pem with key.pem")
        assert await shown() == "second"
        assert await old.set("/still", 1) == 1
    assert await secured.stop() == 0


async def test_a_hangup_without_a_certificate_ends_nothing(router):
    """The signal of those who rotate logs."""
    router.send(signal.SIGHUP)
    await router.until_logged("nothing to be read again")
    assert (await router.probe("/readyz"))[0] == 200


@pytest.mark.parametrize("flags", [("--cert", "none.pem"), ("--client-ca", "none.pem")])
async def test_a_certificate_that_cannot_be_used_is_named(make_router, flags):
    """Exit code 3, one line, and the port is not bound."""
    late = make_router(*flags)
    late.launch()
    assert await late.ended() == 3
    assert "the certificate cannot be used: " in late.log


async def test_whoever_listens_beyond_this_machine_is_told_the_risk(make_router):
    """Each risk has its sentence; whom it concerns gets in or stays out accordingly."""
    address = own_address()
    exposed = make_router("--listen", f"{address}:0")
    exposed.launch()
    await exposed.until_logged("the list of Origins is empty")
    assert "without tokens: whoever reaches this port is let in" in exposed.log
    assert await exposed.stop() == 0


async def test_whoever_listens_here_alone_is_told_nothing(router):
    """A log without lines is worth something."""
    assert router.log == ""


async def test_pages_come_in_as_the_operator_listed_them(make_router):
    """By flags given several times; the others are refused, and one line says so without repeating them."""
    flags = ("--allow-origin", "https://desk.example", "--allow-origin", "http://wall.example:81")
    router = await make_router(*flags, "--allow-host", "stage.local").start()
    url = f"ws://127.0.0.1:{router.port}"
    for origin in ("https://desk.example", "http://wall.example:81", "http://localhost:3000"):
        async with open_socket(url, origin=origin):
            pass
    for origin in ("http://desk.example", "https://evil.example"):
        with pytest.raises(InvalidStatus) as refusal:
            await open_socket(url, origin=origin)
        assert refusal.value.response.status_code == 403
    await router.until_logged("pages of this Origin are not let in")
    assert "evil" not in router.log
    status, body = await router.probe("/metrics")
    assert (status, b'clasp_refused_total{reason="origin_or_host"} 2\n' in body) == (200, True)


async def test_a_health_check_asks_by_tls(make_router, secured, authority, tmp_path):
    """With the router's own settings; the certificate may be for other hosts: it asks this very machine."""
    live = partial(daemon, tmp_path, "check", "--live")
    here = ("--listen", f"0.0.0.0:{secured.port}")
    tls = ("--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"))
    assert (await live(*here, *tls))[:2] == (0, f"127.0.0.1:{secured.port}: ready\n")
    plain = await live(*here)
    assert (plain.code, plain.err.partition(": ")[0]) == (3, f"127.0.0.1:{secured.port} does not answer")
    mutual = await make_router(*tls, "--client-ca", authority.ca, folder="mutual").start()
    here = ("--listen", f"127.0.0.1:{mutual.port}")
    assert (await live(*here, *tls)).code == 3
    assert (await live(*here, *tls, "--client-ca", authority.ca)).code == 0


async def test_the_tools_show_a_certificate_where_one_is_asked_for(make_router, authority, tmp_path):
    """By flags or variables; without one they stay out, and files that are none are a wrong use."""
    server, desk = authority.issue("server"), authority.issue("desk")
    top = partial(daemon, tmp_path, "top", "--once")
    flags = ("--cert", server.cert, "--key", server.key, "--client-ca", authority.ca)
    url = f"wss://localhost:{(await make_router(*flags).start()).port}"
    trust = ("--url", url, "--ca", authority.ca)
    shown = ("--cert", desk.cert, "--key", desk.key)
    (tmp_path / "both.pem").write_bytes(b"".join(Path(file).read_bytes() for file in desk))
    by_variables = {"CLASP_CERT": "both.pem", "CLASP_CA": authority.ca}
    inside = (
        await run(tmp_path, "stats", "-q", *trust, *shown),
        await run(tmp_path, "stats", "-q", "--url", url, **by_variables),
        await top(*trust, *shown),
        await top("--url", url, **by_variables),
    )
    assert [result.code for result in inside] == [0, 0, 0, 0], [result.err for result in inside]
    for ask in (partial(run, tmp_path, "stats", "-q"), top):
        assert (await ask(*trust)).code == 3
        wrong = await ask(*trust, "--cert", desk.key)
        assert (wrong.code, f"{desk.key}: " in wrong.err) == (2, True), wrong.err


async def daemon(folder, *arguments, **variables):
    """Run `clasp-router` to its end."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "router", *arguments)
    streams = {"stdout": pipe, "stderr": pipe, "env": environment(folder, **variables)}
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, **streams)
    out, err = await process.communicate()
    return Result(process.returncode, out.decode(), err.decode())
