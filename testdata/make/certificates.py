"""X.509 signers and leaves as OpenShift's operators issue them, on EC P-256 to keep them small."""

import datetime
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass
class Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def crt(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def pem_key(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    @property
    def common_name(self):
        return self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value

    @property
    def not_before(self):
        return self.certificate.not_valid_before.replace(tzinfo=datetime.timezone.utc)

    @property
    def not_after(self):
        return self.certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc)


def _issue(common_name, not_before, lifetime, issuer, unit, authority, addresses=()):
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if unit:
        names.insert(0, x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    subject = x509.Name(names)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before.replace(microsecond=0, tzinfo=None))
        .not_valid_after((not_before + lifetime).replace(microsecond=0, tzinfo=None))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=not authority,
                data_encipherment=False, key_agreement=False, key_cert_sign=authority, crl_sign=authority,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )
    if not authority:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    if addresses:
        alternatives = [x509.DNSName("localhost")]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return Pair(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def signer(common_name, not_before, lifetime, unit=None):
    return _issue(common_name, not_before, lifetime, None, unit, True)


def leaf(issuer, common_name, not_before, lifetime, addresses=()):
    return _issue(common_name, not_before, lifetime, issuer, None, False, addresses)
