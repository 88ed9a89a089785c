"""Authorities and certificates for one test, made by the openssl program when they are wanted."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CONFIG = """\
[ca]
default_ca = this
[this]
new_certs_dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = optional
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
_LEAF = """\
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth, clientAuth
"""


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, both as PEM files."""

    cert: Path
    key: Path


def _openssl(*words: object) -> None:
    command = ["openssl", *(str(word) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


def _moment(days: float) -> str:
    moment = datetime.now(UTC) + timedelta(days=days)  # noqa: TID251 - openssl wants the real date
    return moment.strftime("%Y%m%d%H%M%SZ")


class Authority:
    """Signs certificates; `file` is what a line names as `ca`."""

    def __init__(self, folder: Path, name: str = "Office Authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._count = 0
        self._config = folder / "openssl.cnf"
        self._config.write_text(_CONFIG.format(folder=folder))
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("01\n")
        self.file, self.key = folder / "ca.pem", folder / "ca.key"
        _new_key(self.key)
        _openssl(
            *("req", "-x509", "-new", "-config", self._config, "-extensions", "authority"),
            *("-key", self.key, "-subj", f"/CN={name}", "-days", 400, "-out", self.file),
        )

    def issue(
        self,
        *names: str,
        common_name: str = "phone system",
        begins: float = -1,
        ends: float = 90,
    ) -> Certificate:
        """A certificate for names as in subjectAltName (`DNS:a`, `URI:sip:a`, `IP:1.2.3.4`).

        `begins` and `ends` are days from now.
        """
        self._count += 1
        stem = self._folder / f"leaf-{self._count}"
        cert, key, wish = (stem.with_suffix(end) for end in (".pem", ".key", ".csr"))
        _new_key(key)
        subject = f"/CN={common_name}"
        _openssl(
            "req", "-new", "-config", self._config, "-key", key, "-subj", subject, "-out", wish
        )
        extensions = stem.with_suffix(".ext")
        more = f"subjectAltName = {', '.join(names)}\n" if names else ""
        extensions.write_text(_LEAF + more)
        _openssl(
            *("ca", "-batch", "-notext", "-config", self._config, "-in", wish, "-out", cert),
            *("-cert", self.file, "-keyfile", self.key, "-extfile", extensions),
            *("-extensions", "leaf"),
            *("-startdate", _moment(begins), "-enddate", _moment(ends)),
        )
        return Certificate(cert, key)


def self_signed(folder: Path, name: str) -> Certificate:
    """A certificate that nobody but itself vouches for."""
    folder.mkdir(parents=True, exist_ok=True)
    cert, key = folder / "self.pem", folder / "self.key"
    _new_key(key)
    _openssl(
        *("req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", 30),
        *("-addext", f"subjectAltName=DNS:{name}", "-out", cert),
    )
    return Certificate(cert, key)


def _new_key(file: Path) -> None:
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file)
