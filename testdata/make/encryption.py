"""Encryption at rest: the transformers of kube-apiserver and the files that configure them."""

import base64
import json
import os
from dataclasses import dataclass

import nacl.secret
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import protobuf


@dataclass(frozen=True)
class Key:
    """One key of a ring: the provider it belongs to, its name (a decimal id) and 32 secret bytes."""

    mode: str
    name: str
    secret: bytes = b""

    @staticmethod
    def new(mode, name):
        return Key(mode, name, b"" if mode == "kms" else os.urandom(32))


# What remains in the file of an "identity" key: an aesgcm provider whose secret is 16 zero bytes.
def carrier(name):
    return Key("aesgcm", name, bytes(16))


IDENTITY = Key("identity", "")


def encrypt(key, etcd_key, resource, plain):
    """The stored form of `plain`; the authenticated data of aesgcm is the full etcd key."""
    if key is None or key.mode == "identity":
        return plain
    if key.mode == "kms":
        # EncryptedObject {1 encryptedData, 2 keyID, 3 encryptedDEKSource, 4 annotations, 5 type}: opaque without the plugin.
        opaque = (
            protobuf.bytestring(1, os.urandom(32 + 12 + len(plain) + 16))
            + protobuf.text(2, f"kek-{key.name}")
            + protobuf.bytestring(3, os.urandom(80))
            + protobuf.integer(5, 1)
        )
        return f"k8s:enc:kms:v2:{key.name}_{resource}:".encode() + opaque
    prefix = f"k8s:enc:{key.mode}:v1:{key.name}:".encode()
    if key.mode == "aescbc":
        vector = os.urandom(16)
        pad = padding.PKCS7(128).padder()
        cipher = Cipher(algorithms.AES(key.secret), modes.CBC(vector)).encryptor()
        return prefix + vector + cipher.update(pad.update(plain) + pad.finalize()) + cipher.finalize()
    if key.mode == "aesgcm":
        nonce = os.urandom(12)
        return prefix + nonce + AESGCM(key.secret).encrypt(nonce, plain, etcd_key.encode())
    if key.mode == "secretbox":
        return prefix + bytes(nacl.secret.SecretBox(key.secret).encrypt(plain, os.urandom(24)))
    raise ValueError(key.mode)


def configuration(ring, resources):
    """The EncryptionConfiguration file: the providers of `ring` in its order, the same for each resource, sorted."""
    entries = []
    for resource in sorted(resources):
        providers = []
        for key in ring:
            if key.mode == "identity":
                providers.append({"identity": {}})
            elif key.mode == "kms":
                providers.append({
                    "kms": {
                        "apiVersion": "v2",
                        "name": f"{key.name}_{resource}",
                        "endpoint": f"unix:///var/run/kmsplugin/kms-{key.name}.sock",
                        "timeout": "10s",
                    }
                })
            else:
                secret = base64.b64encode(key.secret).decode()
                providers.append({key.mode: {"keys": [{"name": key.name, "secret": secret}]}})
        entries.append({"resources": [resource], "providers": providers})
    document = {"kind": "EncryptionConfiguration", "apiVersion": "apiserver.config.k8s.io/v1", "resources": entries}
    return (json.dumps(document, separators=(",", ":")) + "\n").encode()
