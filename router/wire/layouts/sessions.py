"""The small messages of a session: hello and welcome, subscriptions, clocks, answers."""

from __future__ import annotations

import struct

from router.wire.layouts.reading import read_optional_text, read_text, read_u32, read_u64
from router.wire.layouts.writing import text, u16, u32, u64
from router.wire.messages import (
    Ack,
    Error,
    Hello,
    MessageType,
    Ping,
    Pong,
    Subscribe,
    SubscribeOptions,
    Sync,
    Unsubscribe,
    Welcome,
)

_MAX_RATE, _EPSILON, _HISTORY, _WINDOW = 0x01, 0x02, 0x04, 0x08
_T2, _T3 = 0x01, 0x02
_ACK_ADDRESS, _ACK_REVISION, _ACK_LOCKED, _ACK_HOLDER, _ACK_CORRELATION = 0x01, 0x02, 0x04, 0x08, 0x10
_ERROR_ADDRESS, _ERROR_CORRELATION = 0x01, 0x02

_F64 = struct.Struct(">d")
_HELLO = struct.Struct(">BBB")
_WELCOME = struct.Struct(">BBBQ")
_CODE = struct.Struct(">H")


def read_hello(data: bytes) -> Hello:
    """HELLO: the length of the token is always there, 0 means none."""
    _, version, features = _HELLO.unpack_from(data)
    name, at = read_text(data, 3)
    token, at = read_optional_text(data, at)
    return Hello(name, version, features, token)


def write_hello(message: Hello) -> bytes:
    """HELLO as bytes."""
    head = _HELLO.pack(MessageType.HELLO, message.version, message.features)
    return head + text(message.name) + text(message.token or "")


def read_welcome(data: bytes) -> Welcome:
    """WELCOME."""
    _, version, features, time = _WELCOME.unpack_from(data)
    session, at = read_text(data, _WELCOME.size)
    name, at = read_text(data, at)
    token, at = read_optional_text(data, at)
    return Welcome(time, session, name, version, features, token)


def write_welcome(message: Welcome) -> bytes:
    """WELCOME as bytes."""
    head = _WELCOME.pack(MessageType.WELCOME, message.version, message.features, message.time)
    return head + text(message.session) + text(message.name) + text(message.token or "")


def read_subscribe(data: bytes) -> Subscribe:
    """SUBSCRIBE: any option bit, even an unassigned one, means that there are options."""
    subscription, at = read_u32(data, 1)
    pattern, at = read_text(data, at)
    message = Subscribe(subscription, pattern, data[at])
    flags = data[at + 1]
    at += 2
    if flags:
        message.options = options = SubscribeOptions()
        if flags & _MAX_RATE:
            options.max_rate, at = read_u32(data, at)
        if flags & _EPSILON:
            options.epsilon = _F64.unpack_from(data, at)[0]
            at += 8
        if flags & _HISTORY:
            options.history, at = read_u32(data, at)
        if flags & _WINDOW:
            options.window_ms, at = read_u32(data, at)
    return message


def write_subscribe(message: Subscribe) -> bytes:
    """SUBSCRIBE as bytes."""
    flags, tail = 0, b""
    options = message.options or SubscribeOptions()
    if options.max_rate is not None:
        flags |= _MAX_RATE
        tail += u32(options.max_rate)
    if options.epsilon is not None:
        flags |= _EPSILON
        tail += _F64.pack(options.epsilon)
    if options.history is not None:
        flags |= _HISTORY
        tail += u32(options.history)
    if options.window_ms is not None:
        flags |= _WINDOW
        tail += u32(options.window_ms)
    masks = struct.pack(">BB", message.type_mask, flags)
    return bytes((MessageType.SUBSCRIBE,)) + u32(message.id) + text(message.pattern) + masks + tail


def read_unsubscribe(data: bytes) -> Unsubscribe:
    """UNSUBSCRIBE: the id."""
    return Unsubscribe(read_u32(data, 1)[0])


def write_unsubscribe(message: Unsubscribe) -> bytes:
    """UNSUBSCRIBE as bytes."""
    return bytes((MessageType.UNSUBSCRIBE,)) + u32(message.id)


def read_sync(data: bytes) -> Sync:
    """SYNC: the two flags are independent."""
    flags = data[1]
    t1, at = read_u64(data, 2)
    message = Sync(t1)
    if flags & _T2:
        message.t2, at = read_u64(data, at)
    if flags & _T3:
        message.t3, at = read_u64(data, at)
    return message


def write_sync(message: Sync) -> bytes:
    """SYNC as bytes."""
    flags, tail = 0, u64(message.t1)
    if message.t2 is not None:
        flags |= _T2
        tail += u64(message.t2)
    if message.t3 is not None:
        flags |= _T3
        tail += u64(message.t3)
    return bytes((MessageType.SYNC, flags)) + tail


def read_ping(data: bytes) -> Ping:
    """PING: nothing but its type."""
    return Ping()


def write_ping(message: Ping) -> bytes:
    """PING as bytes."""
    return bytes((MessageType.PING,))


def read_pong(data: bytes) -> Pong:
    """PONG: nothing but its type."""
    return Pong()


def write_pong(message: Pong) -> bytes:
    """PONG as bytes."""
    return bytes((MessageType.PONG,))


def read_ack(data: bytes) -> Ack:
    """ACK: five optional fields."""
    flags = data[1]
    at = 2
    message = Ack()
    if flags & _ACK_ADDRESS:
        message.address, at = read_text(data, at)
    if flags & _ACK_REVISION:
        message.revision, at = read_u64(data, at)
    if flags & _ACK_LOCKED:
        message.locked = data[at] != 0
        at += 1
    if flags & _ACK_HOLDER:
        message.holder, at = read_text(data, at)
    if flags & _ACK_CORRELATION:
        message.correlation_id, at = read_u32(data, at)
    return message


def write_ack(message: Ack) -> bytes:
    """ACK as bytes."""
    flags, tail = 0, b""
    if message.address is not None:
        flags |= _ACK_ADDRESS
        tail = text(message.address)
    if message.revision is not None:
        flags |= _ACK_REVISION
        tail += u64(message.revision)
    if message.locked is not None:
        flags |= _ACK_LOCKED
        tail += b"\x01" if message.locked else b"\x00"
    if message.holder is not None:
        flags |= _ACK_HOLDER
        tail += text(message.holder)
    if message.correlation_id is not None:
        flags |= _ACK_CORRELATION
        tail += u32(message.correlation_id)
    return bytes((MessageType.ACK, flags)) + tail


def read_error(data: bytes) -> Error:
    """ERROR: the code may be one that nobody has heard of."""
    code = _CODE.unpack_from(data, 1)[0]
    words, at = read_text(data, 3)
    flags = data[at]
    at += 1
    message = Error(code, words)
    if flags & _ERROR_ADDRESS:
        message.address, at = read_text(data, at)
    if flags & _ERROR_CORRELATION:
        message.correlation_id, at = read_u32(data, at)
    return message


def write_error(message: Error) -> bytes:
    """ERROR as bytes."""
    flags, tail = 0, b""
    if message.address is not None:
        flags |= _ERROR_ADDRESS
        tail = text(message.address)
    if message.correlation_id is not None:
        flags |= _ERROR_CORRELATION
        tail += u32(message.correlation_id)
    head = bytes((MessageType.ERROR,)) + u16(message.code) + text(message.message)
    return head + bytes((flags,)) + tail
