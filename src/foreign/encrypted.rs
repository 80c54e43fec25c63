//! Files that somebody encrypted, by the program that did it.

use super::recognised::{Foreign, ForeignKind};

/// How a program's files begin, what it is called, and the pipe that decrypts one.
struct Cipher {
    start: &'static [u8],
    name: &'static str,
    remedy: &'static str,
}

const CIPHERS: [Cipher; 11] = [
    Cipher {
        start: b"Salted__",
        name: "openssl enc",
        remedy: "decrypt it with the options that it was encrypted with, such as: \
                 openssl enc -d -aes-256-cbc -pbkdf2 -in FILE | etcd-cat verify -",
    },
    Cipher {
        start: b"U2FsdGVkX1",
        name: "openssl enc, as base64",
        remedy: "decrypt it with the options that it was encrypted with, such as: \
                 openssl enc -d -a -aes-256-cbc -pbkdf2 -in FILE | etcd-cat verify -",
    },
    Cipher {
        start: b"-----BEGIN PGP MESSAGE-----",
        name: "OpenPGP",
        remedy: GPG,
    },
    Cipher {
        start: b"age-encryption.org/v1\n",
        name: "age",
        remedy: AGE,
    },
    Cipher {
        start: b"-----BEGIN AGE ENCRYPTED FILE-----",
        name: "age",
        remedy: AGE,
    },
    Cipher {
        start: b"-----BEGIN CMS-----",
        name: "openssl cms",
        remedy: "decrypt it: openssl cms -decrypt -inform PEM -inkey KEY -in FILE | etcd-cat verify -",
    },
    Cipher {
        start: b"-----BEGIN PKCS7-----",
        name: "openssl smime",
        remedy: "decrypt it: openssl smime -decrypt -inform PEM -inkey KEY -in FILE | etcd-cat verify -",
    },
    Cipher {
        start: b"$ANSIBLE_VAULT;",
        name: "ansible-vault",
        remedy: "decrypt it: ansible-vault decrypt --output - FILE | etcd-cat verify -",
    },
    Cipher {
        start: b"RCLONE\0\0",
        name: "rclone crypt",
        remedy: "read it through the remote that encrypted it: rclone cat REMOTE:PATH | etcd-cat verify -",
    },
    Cipher {
        start: b"LUKS\xBA\xBE",
        name: "LUKS",
        remedy: "open it with cryptsetup open FILE NAME, mount /dev/mapper/NAME read-only, and let that directory be verified",
    },
    Cipher {
        start: b"{\"data\":\"ENC[",
        name: "sops",
        remedy: "decrypt it: sops decrypt --input-type binary --output-type binary FILE | etcd-cat verify -",
    },
];

const GPG: &str = "decrypt it: gpg -d FILE | etcd-cat verify -";
const AGE: &str =
    "decrypt it: age -d -i KEY FILE | etcd-cat verify - (without -i where a passphrase was used)";

pub(super) fn recognise(head: &[u8]) -> Option<Foreign> {
    let known = CIPHERS.iter().find(|cipher| head.starts_with(cipher.start));
    let (name, remedy) = match known {
        Some(cipher) => (cipher.name, cipher.remedy),
        None if is_openpgp(head) => ("OpenPGP", GPG),
        None => return None,
    };
    let what = format!("encrypted with {name}: whole as far as anybody can tell without the key");
    Some(Foreign::new(ForeignKind::Encrypted, what, remedy))
}

/// A binary OpenPGP message: its first packet is an encrypted session key, for a public key or a passphrase (RFC 4880
/// and RFC 9580, section 5.1 and 5.3).
fn is_openpgp(head: &[u8]) -> bool {
    let Some((tag, length, body)) = packet(head) else {
        return false;
    };
    let byte = |index: usize| body.get(index).copied().unwrap_or_default();
    let is_asymmetric = |algorithm: u8| matches!(algorithm, 1..=3 | 16 | 18 | 20 | 25 | 26);
    match (tag, byte(0)) {
        (1, 3) => (12..=4096).contains(&length) && is_asymmetric(byte(9)),
        (1, 6) => (6..=4096).contains(&length) && byte(1) <= 33,
        (3, 4) => {
            let is_cipher = matches!(byte(1), 1..=4 | 7..=13);
            is_cipher && matches!(byte(2), 0 | 1 | 3 | 4) && (4..=256).contains(&length)
        }
        (3, 5 | 6) => (5..=256).contains(&length) && byte(2) <= 13,
        _ => false,
    }
}

/// Tag, length and the rest of the first packet.
fn packet(head: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (first, rest) = head.split_first()?;
    match first >> 6 {
        0b11 => {
            let (length, body) = rest.split_first()?;
            let tag = first & 0x3F;
            match length {
                0..=191 => Some((tag, usize::from(*length), body)),
                192..=223 => {
                    let (second, body) = body.split_first()?;
                    let length = ((usize::from(*length) - 192) << 8) + usize::from(*second) + 192;
                    Some((tag, length, body))
                }
                _ => None,
            }
        }
        0b10 => {
            let tag = (first >> 2) & 0xF;
            match first & 3 {
                0 => {
                    let (length, body) = rest.split_first()?;
                    Some((tag, usize::from(*length), body))
                }
                1 => {
                    let (length, body) = rest.split_first_chunk::<2>()?;
                    Some((tag, usize::from(u16::from_be_bytes(*length)), body))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
