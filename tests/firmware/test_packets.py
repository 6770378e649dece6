"""MQTT 3.1.1 packets, byte by byte."""

import pytest
from net import packets
from net.packets import PacketError, PacketIds


def test_connect_is_a_clean_session_with_a_retained_will() -> None:
    packet = packets.connect("fob", 20, "s", b"{}", "u", "p")
    assert packet == (
        b"\x10\x1c" b"\x00\x04MQTT\x04" b"\xee" b"\x00\x14" b"\x00\x03fob" b"\x00\x01s" b"\x00\x02{}"
        b"\x00\x01u" b"\x00\x01p"
    )  # fmt: skip
    assert packets.connect("fob", 20, "s", b"{}")[9] == 0x2E


def test_publish_carries_its_id_only_at_qos_1() -> None:
    assert packets.publish("t", b"xy", 258) == b"\x32\x07\x00\x01t\x01\x02xy"
    assert packets.publish("t", b"xy", retain=True) == b"\x31\x05\x00\x01txy"


def test_subscribe_asks_for_qos_1() -> None:
    assert packets.subscribe(7, ["a", "bc"]) == b"\x82\x0b\x00\x07\x00\x01a\x01\x00\x02bc\x01"


@pytest.mark.parametrize(
    ("length", "coded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (268_435_455, "ffffff7f")],
)
def test_the_remaining_length_of_the_standards_table(length: int, coded: str) -> None:
    assert packets.encode_length(length).hex() == coded


def test_reads_back_what_it_wrote() -> None:
    packet = packets.publish("a/b", b"\x00\xff", 9, retain=True)
    assert packets.parse_publish(packet[0], packet[2:]) == ("a/b", b"\x00\xff", 9, True)
    packet = packets.publish("ä", b"")
    assert packets.parse_publish(packet[0], packet[2:]) == ("ä", b"", None, False)


@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"\x00\x05ab", b"\x00\x01a", b"\x00\x01a\x01", b"\x00\x02\xff\xfe\x00\x01"]
)
def test_a_broken_publish_is_a_packet_error(body: bytes) -> None:
    with pytest.raises(PacketError):
        packets.parse_publish(0x32, body)


def test_a_refusal_says_what_to_do() -> None:
    assert packets.parse_connack(b"\x00\x00") is None
    assert "config.json" in str(packets.parse_connack(b"\x00\x04"))
    assert "99" in str(packets.parse_connack(b"\x00\x63"))
    with pytest.raises(PacketError):
        packets.parse_connack(b"\x00")


def test_ids_wrap_after_65535_and_are_never_0_nor_given_twice() -> None:
    ids = PacketIds(last=65_533)
    assert [ids.take({65_535: 0, 1: 0}) for _ in range(3)] == [65_534, 2, 3]
    assert {PacketIds().take(()) for _ in range(3)} == {1}


def test_a_client_that_publishes_200_000_times_uses_every_id() -> None:
    ids = PacketIds()
    taken = [ids.take(()) for _ in range(200_000)]
    assert set(taken) == set(range(1, 65_536))


def test_no_free_id_is_an_error_not_a_loop() -> None:
    with pytest.raises(PacketError):
        PacketIds().take(dict.fromkeys(range(1, 65_536)))
