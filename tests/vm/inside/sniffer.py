"""Prints the first line of every SIP message that passes the loopback, until stopped."""

import socket

_ETH_P_ALL = 3
_ETHERNET, _UDP = 14, 8


def main() -> None:
    """Listen."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)) as tap:
        tap.bind(("lo", 0))
        while True:
            frame, origin = tap.recvfrom(65536)
            if origin[2] == socket.PACKET_OUTGOING:
                continue  # the loopback shows everything twice
            line = payload(frame).split(b"\r\n", 1)[0]
            if b"SIP/2.0" in line:
                print(line.decode(errors="replace"), flush=True)  # noqa: T201 - that is its use


def payload(frame: bytes) -> bytes:
    """What a UDP datagram of IPv4 carries; nothing of anything else."""
    packet = frame[_ETHERNET:]
    if len(packet) < 20 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
        return b""
    return packet[(packet[0] & 15) * 4 + _UDP :]


if __name__ == "__main__":
    main()
