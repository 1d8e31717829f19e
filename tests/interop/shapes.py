"""One form in which the messages of three codecs can be compared.

Our messages become the shape of the vectors (`described`), and then the objects that the published clients
take and give. `essence` leaves of an object what such a client knows: what it never reads or writes is
left out, and a number is a number, since JavaScript has only one kind.
"""

import math
from collections.abc import Iterable
from typing import Any

Shape = dict[str, Any]

NOT_OF_THE_MESSAGE = {"encoding", "frame", "type_mask", "value_indicator"}
FEATURES = {"param", "event", "stream", "gesture", "timeline"}
CAMEL = {"max_rate": "maxRate", "correlation_id": "correlationId"}


def peer_object(shape: Shape) -> Shape:
    """The object that a published client would encode, made from the shape of the vectors."""
    made: Shape = {}
    for key, one in shape.items():
        if key in NOT_OF_THE_MESSAGE or (one is None and key != "value"):
            continue
        made[CAMEL.get(key, key)] = _inner_objects(key, one)
    return made


def _inner_objects(key: str, value: Any) -> Any:
    match key:
        case "messages":
            return [peer_object(inner) for inner in value]
        case "signals":
            return [_signal_object(signal) for signal in value]
        case "params":
            return [_without_none(param) for param in value]
        case "options":
            return {CAMEL.get(name, name): one for name, one in value.items() if one is not None}
    return value


def _signal_object(signal: Shape) -> Shape:
    made = _without_none({**signal, "type": signal["signal"]})
    del made["signal"]
    if made.get("meta"):
        made["meta"] = _without_none(made["meta"], keep="")
    return made


def _without_none(shape: Shape, keep: str = "value") -> Shape:
    return {key: one for key, one in shape.items() if one is not None or key == keep}


def essence(message: Shape, unknown: Iterable[str] = ()) -> Shape:
    """What there is to compare in a message object; `unknown` keys are those the peer does not know."""
    kept: Shape = {}
    for key, one in message.items():
        if key in unknown or (key != "value" and means_absence(one)):
            continue
        match key:
            case "messages":
                kept[key] = [essence(inner, unknown) for inner in one]
            case "signals" | "params":
                kept[key] = [essence(inner, unknown) for inner in one]
            case "meta":
                kept[key] = {name: comparable(it) for name, it in one.items() if not means_absence(it)}
            case "features":
                kept[key] = sorted(FEATURES.intersection(one))
            case "types":
                kept[key] = sorted(one)
            case "options":
                known = {name: comparable(it) for name, it in one.items() if name not in unknown}
                kept |= {key: known} if known else {}
            case _:
                kept[key] = comparable(one)
    return kept


def means_absence(value: Any) -> bool:
    """Whether a client may as well leave a field out."""
    return value is None or value is False or value in ("", [])


def comparable(value: Any) -> Any:
    """A value in which equal numbers are equal, whatever they were written as; NaN equals itself."""
    match value:
        case bool() | None | str() | bytes():
            return value
        case int() | float():
            number = float(value)
            return "NaN" if math.isnan(number) else (number, math.copysign(1.0, number))
        case list() | tuple():
            return [comparable(one) for one in value]
        case dict():
            return {key: comparable(one) for key, one in value.items()}
    raise TypeError(f"{type(value).__name__} is no value")


def fits_into_doubles(value: Any) -> bool:
    """Whether JavaScript can hold every number of it exactly."""
    match value:
        case bool():
            return True
        case int():
            return abs(value) <= 1 << 53
        case list() | tuple():
            return all(map(fits_into_doubles, value))
        case dict():
            return all(map(fits_into_doubles, value.values()))
    return True
