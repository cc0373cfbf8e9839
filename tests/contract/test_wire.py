"""The wire: what is written is read back, and rubbish never does worse than a WireError."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset_contract import topics
from lineset_contract.points import POINTS
from lineset_contract.refusals import SENTENCES
from lineset_contract.values import BadValueError, check_frame, check_time, good_name, number
from lineset_contract.wire import (
    HELD_BACK,
    MAX_FRAMES,
    MAX_MESSAGE_BYTES,
    MAX_POINTS_PER_FRAME,
    Ack,
    Command,
    Desired,
    Event,
    Frame,
    FrameMessage,
    Refused,
    Reported,
    Result,
    Status,
    WireError,
    decode,
    encode,
    encode_ack,
    read_frames,
    sequence_of,
)

KINDS: list[type[msgspec.Struct]] = [FrameMessage, Ack, Command, Result, Event, Status, Desired, Reported]
NOW = 1_763_800_000.0

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), finite, text)
frames = st.builds(Frame, t=finite, e=text, v=st.dictionaries(text, values, max_size=5))
epochs = st.from_regex(r"[a-z0-9]{1,26}", fullmatch=True)
messages = st.one_of(
    st.builds(FrameMessage, epoch=epochs, seq=st.integers(1, 2**53), frames=st.lists(frames, max_size=5)),
    st.builds(Ack, epoch=epochs, through=st.integers(0, 2**53), refused=st.lists(st.builds(
        Refused, seq=st.integers(1, 2**53), index=st.none() | st.integers(0, 199), code=text, say=text), max_size=3)),
    st.builds(Command, id=text, e=text, name=text, args=st.dictionaries(text, values, max_size=4), expires=finite),
    st.builds(Result, id=text, state=st.sampled_from(["succeeded", "failed", "expired"]), t=finite, detail=text),
    st.builds(Event, kind=st.sampled_from(["boot", "crash"]), t=finite, e=st.none() | text,
              detail=st.dictionaries(text, values, max_size=4)),
    st.builds(Status, state=st.sampled_from(["online", "offline"]), t=finite),
)  # fmt: skip


@given(messages)
def test_what_is_encoded_is_decoded(message: msgspec.Struct) -> None:
    assert decode(type(message), encode(message)) == message


@given(st.one_of(st.binary(max_size=400), st.recursive(values, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    st.sampled_from(["epoch", "seq", "frames", "t", "e", "v", "through", "refused", "id", "args", "state"]), inner,
    max_size=6)).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_rubbish_raises_wire_error_and_nothing_else(payload: bytes) -> None:
    for kind in KINDS:
        try:
            decode(kind, payload)
        except WireError as error:
            assert error.code in SENTENCES
            assert error.say
    try:
        read_frames(payload)
    except WireError as error:
        assert error.code in SENTENCES
    sequence_of(payload)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "bad_json"),
        (b"\xff\xfe\x00", "bad_json"),
        (b'{"epoch":"a","seq":1,"frames":[]}x', "bad_json"),
        (b'{"epoch":"a","seq":1,"frames":[{"t":NaN,"e":"x","v":{}}]}', "bad_json"),
        (b"[" * 60_000, "bad_message"),
        (b'{"epoch":"a","seq":1,"frames":' + b"[" * 60_000, "bad_message"),
        (b'{"epoch":"a","seq":0,"frames":[]}', "bad_message"),
        (b'{"epoch":"a","seq":1.5,"frames":[]}', "bad_message"),
        (b'{"epoch":"","seq":1,"frames":[]}', "bad_message"),
        (b'{"epoch":"../x","seq":1,"frames":[]}', "bad_message"),
        (b'{"epoch":"a","seq":' + b"9" * 6000 + b',"frames":[]}', "bad_message"),
        (b'{"epoch":"a","frames":[]}', "bad_message"),
        (b" " * (MAX_MESSAGE_BYTES + 1), "too_large"),
        (json.dumps({"epoch": "a", "seq": 1, "frames": [{"t": 1, "e": "x", "v": {}}] * (MAX_FRAMES + 1)}).encode(),
         "too_many_frames"),
    ],
)  # fmt: skip
def test_bad_messages_have_a_code(payload: bytes, code: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(FrameMessage, payload)
    assert caught.value.code in {code, "bad_json"} if payload.count(b"[") > 1000 else caught.value.code == code


def test_deep_nesting_in_a_command_is_refused() -> None:
    deep = b'{"kind":"boot","t":1,"detail":{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}}"
    with pytest.raises(WireError):
        decode(Event, deep)


@given(st.lists(st.one_of(frames.map(lambda f: json.loads(encode(f))), st.sampled_from(
    [{}, [], 3, None, {"t": "x", "e": "a", "v": {}}, {"t": 1, "e": "a"}, {"t": 1, "e": 2, "v": {}},
     {"t": 1, "e": "a", "v": {"p": [1]}}])), max_size=8))  # fmt: skip
def test_one_bad_frame_costs_no_good_one(mixed: list[Any]) -> None:
    read = read_frames(json.dumps({"epoch": "k3", "seq": 7, "frames": mixed}).encode())
    assert (read.epoch, read.seq) == ("k3", 7)
    good = {index for index, _ in read.frames}
    bad = {refused.index for refused in read.refused}
    assert good | bad == set(range(len(mixed)))
    assert not good & bad
    assert all(refused.seq == 7 and refused.code == "bad_message" for refused in read.refused)


def test_an_acknowledgement_with_very_many_refusals_is_split() -> None:
    refused = [Refused(seq, index, "out_of_range", "x" * 100) for seq in range(1, 30) for index in range(100)]
    payloads = encode_ack(Ack("k3", 29, refused))
    assert all(len(payload) <= MAX_MESSAGE_BYTES for payload in payloads)
    acks = [decode(Ack, payload) for payload in payloads]
    assert [one for ack in acks for one in ack.refused] == refused
    assert {(ack.epoch, ack.through) for ack in acks} == {("k3", 29)}
    assert encode_ack(Ack("k3", 29)) == [encode(Ack("k3", 29))]


def test_the_number_of_a_message_that_is_too_large_can_still_be_told() -> None:
    message = {"epoch": "k3", "seq": 12, "frames": [{"t": 1, "e": "x" * 70_000, "v": {}}]}
    payload = json.dumps(message).encode()
    with pytest.raises(WireError, match="Split it"):
        read_frames(payload)
    assert sequence_of(payload) == ("k3", 12)
    assert sequence_of(b"rubbish") is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_finite_values_are_never_written(value: float) -> None:
    with pytest.raises(WireError) as caught:
        encode(FrameMessage("a", 1, [Frame(NOW, "hp1", {"room_temperature": value})]))
    assert caught.value.code == "not_finite"


def test_TEL_01_values_become_numbers_or_a_reason() -> None:
    checked = check_frame(
        Frame(
            NOW,
            "hp1",
            {
                "room_temperature": 21.5,
                "operating_mode": "heating",
                "auxiliary_heat_state": False,
                "supply_air_temperature": None,
                "makers_own_point": 3,
                "outdoor_temperature": "cold",
                "return_air_temperature": 900,
                "defrost_state": "maybe",
                "electric_power": 10**400,
                "Bad Name": 1,
                "another_unknown": "text",
            },
        ),
        NOW,
    )
    assert checked.known == {"room_temperature": 21.5, "operating_mode": 1.0, "auxiliary_heat_state": 0.0}
    assert checked.unknown == {"makers_own_point": 3.0}
    assert [refusal.code for refusal in checked.refused] == [
        "wrong_type", "out_of_range", "unknown_code", "not_finite", "bad_name", "wrong_type",
    ]  # fmt: skip


@given(st.sampled_from(sorted(POINTS)), st.one_of(values, st.integers(), st.just(10**5000)))
def test_any_value_of_any_point_is_judged(name: str, value: float | int | str | bool | None) -> None:
    point = POINTS[name]
    try:
        result = number(point, value)
    except BadValueError as error:
        assert error.refusal.say
    else:
        assert result is None or point.low <= result <= point.high


def test_clocks_that_are_wrong_are_told_so() -> None:
    assert check_time(NOW, NOW) is None
    assert check_time(NOW + 599, NOW) is None
    for t, code in ((0.0, "bad_time_past"), (4_070_908_800.0, "bad_time_future"), (NOW + 601, "bad_time_future")):
        refusal = check_time(t, NOW)
        assert refusal is not None
        assert refusal.code == code
    refused = check_frame(Frame(NOW, "hp1", {f"p{i}": 1 for i in range(MAX_POINTS_PER_FRAME + 1)}), NOW).refused
    assert [refusal.code for refusal in refused] == ["too_many_points"]
    assert check_frame(Frame(0.0, "hp1", {"room_temperature": 20}), None).known == {"room_temperature": 20}


def test_what_is_held_back_has_a_sentence() -> None:
    assert set(SENTENCES) >= HELD_BACK


def test_names() -> None:
    assert good_name("a")
    assert good_name("a" * 64)
    for name in ("", "a" * 65, "1a", "A", "a-b", "a b", "á", "a\n"):
        assert not good_name(name)


def test_topics_are_of_one_gateway() -> None:
    assert topics.frames("g1") == "lineset/v1/g1/frames"
    assert topics.parse(topics.ack("g1")) == ("g1", "ack")
    for topic in ("lineset/v1/g1", "lineset/v2/g1/frames", "lineset/v1/g1/other", "lineset/v1//frames", "a/b/c/d/e"):
        assert topics.parse(topic) is None
    for gateway in ("", "a/b", "+", "#", "a.b"):
        with pytest.raises(ValueError, match="cannot name a gateway"):
            topics.frames(gateway)
