"""A certificate authority of one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import AddressValueError, IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

YEAR = timedelta(days=365)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, validity: timedelta
) -> x509.CertificateBuilder:
    """Return a builder with what every certificate has in common."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + validity)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(IPv4Address(name))
    except AddressValueError:
        return x509.DNSName(name)


class Authority:
    """A certificate authority: its certificate and its private key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self.key = key

    @classmethod
    def create(
        cls, name: str, validity: timedelta = YEAR, constraints: x509.NameConstraints | None = None
    ) -> Authority:
        """Return a new authority.

        Args:
            name: what its certificate calls it.
            validity: how long the certificate is valid.
            constraints: for which names it can vouch; by default for all.
        """
        return cls._self_signed(
            _common_name(name), ec.generate_private_key(ec.SECP256R1()), validity, constraints
        )

    def renewed(self, validity: timedelta, constraints: x509.NameConstraints | None = None) -> Authority:
        """Return the authority with a new certificate of the same name and key.

        What the present certificate vouches for, the new one does as well, and the other way round: whoever
        trusts either trusts every certificate that the authority issues until theirs ends, as far as the
        name constraints of the one that they have go.

        Args:
            validity: how long the new certificate is valid.
            constraints: for which names it can vouch; by default for all.
        """
        return self._self_signed(self.certificate.subject, self.key, validity, constraints)

    @classmethod
    def _self_signed(
        cls,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        validity: timedelta,
        constraints: x509.NameConstraints | None,
    ) -> Authority:
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        builder = (
            _builder(subject, key, subject, validity)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        if constraints:
            builder = builder.add_extension(constraints, critical=True)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, certificate: bytes, key: bytes) -> Authority:
        """Return the authority of a certificate and its key, each as PEM.

        Raises:
            ValueError: they are no such pair.
        """
        loaded = serialization.load_pem_private_key(key, password=None)
        found = x509.load_pem_x509_certificate(certificate)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey) or found.public_key() != loaded.public_key():
            raise ValueError("the key is not that of the certificate")
        return cls(found, loaded)

    @property
    def pem(self) -> bytes:
        """The authority's certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The authority's private key as PEM, not encrypted."""
        return key_pem(self.key)

    def issue(self, names: list[str], validity: timedelta = YEAR) -> tuple[bytes, bytes]:
        """Issue a server certificate.

        Args:
            names: the names and IPv4 addresses that it is for, the server's own name first.
            validity: how long it is valid.

        Returns:
            The certificate and its private key, each as PEM.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        certificate = (
            _builder(_common_name(names[0]), key, self.certificate.subject, validity)
            .add_extension(alternatives, critical=False)
            .add_extension(usage, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), key_pem(key)
