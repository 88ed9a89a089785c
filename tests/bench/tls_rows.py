"""What a line by TLS costs at start and in memory, beside the same line by UDP; ours alone."""

import contextlib
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.caller import MiniRegistrar, accepted
from tests.bench.machine import memory_mb
from tests.bench.phones import Measured, Ours
from tests.support.certificates import Authority, Certificate
from tests.support.namespace import Namespace

Figures = dict[str, float]
HOST = "office.example"
SETTLE = 3.0
LINE = 'transport = "tls"\n[line.tls]\nca = "{ca}"\nserver_name = "office.example"\n'


class TlsRegistrar(threading.Thread):
    """Says 200 to every request of one connection after the other, and notes when first."""

    def __init__(self, make_socket, address: str, certificate: Certificate) -> None:
        super().__init__(daemon=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.cert, certificate.key)
        self._socket = make_socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind((address, 5061))
        self._socket.listen()
        self._socket.settimeout(0.2)
        self.registered = threading.Event()
        self.at = 0.0
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        """Serve."""
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                plain, _ = self._socket.accept()
                with self._context.wrap_socket(plain, server_side=True) as secure:
                    secure.settimeout(0.2)
                    self._serve(secure)

    def _serve(self, secure: ssl.SSLSocket) -> None:
        while not self._over.is_set():
            try:
                data = secure.recv(65535)
            except TimeoutError:
                continue
            if not data:
                return
            secure.sendall(accepted(data.decode()) if data.strip() else b"\r\n")
            if data.startswith(b"REGISTER") and not self.registered.is_set():
                self.at = time.perf_counter()
                self.registered.set()

    def close(self) -> None:
        """End it."""
        self._over.set()
        self.join()
        self._socket.close()


def start_over_tls(make: Callable[..., Measured], folder: Path, seed: int) -> Figures:
    """As the row by UDP, with the handshake in it; and what both keep in memory while idle."""
    if make is not Ours:
        return {}
    authority = Authority(folder / "authority")
    certificate = authority.issue(f"DNS:{HOST}")
    line = LINE.format(ca=authority.file)
    times: list[float] = []
    memory: dict[str, list[float]] = {"udp": [], "tls": []}
    for _ in range(2):
        with Namespace() as network:
            address = network.party()
            registrar = TlsRegistrar(network.socket, address, certificate)
            phone = Ours(network, f"{address}:5061", "PCMU", register=True, more=line)
            registrar.registered.wait(20)
            times.append((registrar.at - phone.started) * 1000)
            time.sleep(SETTLE)  # noqa: TID251 - let it settle
            memory["tls"].append(memory_mb(phone.pid))
            registrar.close()
            phone.stop()
        with Namespace() as network:
            address = network.party()
            plain = MiniRegistrar(network.socket, address)
            phone = Ours(network, f"{address}:5060", "PCMU", register=True)
            plain.registered.wait(20)
            time.sleep(SETTLE)  # noqa: TID251 - let it settle
            memory["udp"].append(memory_mb(phone.pid))
            plain.close()
            phone.stop()
    return {
        "start_to_register_tls_ms": statistics.median(times),
        "memory_idle_udp_mb": statistics.median(memory["udp"]),
        "memory_idle_tls_mb": statistics.median(memory["tls"]),
    }
