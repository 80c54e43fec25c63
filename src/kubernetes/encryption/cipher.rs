//! The three ciphers of encryption at rest that can be undone with a key alone.
//!
//! | provider | payload |
//! |---|---|
//! | `aescbc` | 16-byte vector, AES-CBC ciphertext with PKCS#7 padding |
//! | `aesgcm` | 12-byte nonce, ciphertext, 16-byte tag; the storage key is authenticated too |
//! | `secretbox` | 24-byte nonce, 16-byte Poly1305 tag, XSalsa20 ciphertext |
//!
//! Every function answers `None` when the key does not open the payload.
//!
//! Source: apiserver `pkg/storage/value/encrypt/{aes,secretbox}`.

use crate::kubernetes::encoding::Encoding;
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{AesGcm, KeyInit};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, StreamCipher};
use poly1305::Poly1305;
use salsa20::XSalsa20;
use zeroize::Zeroizing;

const VECTOR_BYTES: usize = 16;
const GCM_NONCE_BYTES: usize = 12;
const SECRETBOX_NONCE_BYTES: usize = 24;
const SECRETBOX_TAG_BYTES: usize = 16;

/// Undoes `aescbc` with a key of 16, 24 or 32 bytes.
///
/// The mode is not authenticated: one wrong key in some 256 yields sound padding. So the result must also begin
/// as an object does.
pub(super) fn open_aescbc(key: &[u8], payload: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (vector, ciphertext) = payload.split_first_chunk::<VECTOR_BYTES>()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = match key.len() {
        16 => unpad(
            cbc::Decryptor::<Aes128>::new_from_slices(key, vector).ok()?,
            &mut buffer,
        ),
        24 => unpad(
            cbc::Decryptor::<Aes192>::new_from_slices(key, vector).ok()?,
            &mut buffer,
        ),
        32 => unpad(
            cbc::Decryptor::<Aes256>::new_from_slices(key, vector).ok()?,
            &mut buffer,
        ),
        _ => None,
    }?;
    buffer.truncate(length);
    Encoding::of(&buffer).is_plain_object().then_some(buffer)
}

fn unpad(mode: impl BlockModeDecrypt, buffer: &mut [u8]) -> Option<usize> {
    mode.decrypt_padded::<Pkcs7>(buffer).ok().map(<[u8]>::len)
}

/// Undoes `aesgcm` with a key of 16, 24 or 32 bytes, of a value that lies at `storage_key`.
pub(super) fn open_aesgcm(
    key: &[u8],
    storage_key: &[u8],
    payload: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = payload.split_first_chunk::<GCM_NONCE_BYTES>()?;
    let sealed = Payload {
        msg: ciphertext,
        aad: storage_key,
    };
    let opened = match key.len() {
        16 => AesGcm::<Aes128, U12>::new_from_slice(key)
            .ok()?
            .decrypt(nonce.into(), sealed),
        24 => AesGcm::<Aes192, U12>::new_from_slice(key)
            .ok()?
            .decrypt(nonce.into(), sealed),
        32 => AesGcm::<Aes256, U12>::new_from_slice(key)
            .ok()?
            .decrypt(nonce.into(), sealed),
        _ => return None,
    };
    opened.ok().map(Zeroizing::new)
}

/// Undoes `secretbox` with a key of 32 bytes.
///
/// The first 32 bytes of the key stream are the Poly1305 key, the ciphertext starts behind them.
pub(super) fn open_secretbox(key: &[u8], payload: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = payload.split_first_chunk::<SECRETBOX_NONCE_BYTES>()?;
    let (tag, ciphertext) = sealed.split_first_chunk::<SECRETBOX_TAG_BYTES>()?;
    let mut stream = XSalsa20::new_from_slices(key, nonce).ok()?;
    let mut mac_key = Zeroizing::new([0_u8; poly1305::KEY_SIZE]);
    stream.apply_keystream(mac_key.as_mut_slice());
    let computed = Poly1305::new_from_slice(mac_key.as_slice())
        .ok()?
        .compute_unpadded(ciphertext);
    // Nobody measures this comparison from outside: it runs on the owner's own files.
    if computed.as_slice() != tag.as_slice() {
        return None;
    }
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    stream.apply_keystream(&mut buffer);
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    const STORAGE_KEY: &[u8] = b"/kubernetes.io/secrets/ns/n";
    const PLAIN: &[u8] = b"k8s\0hello, world";

    /// Made with other implementations (pyca/cryptography and libsodium): key 00 01 02 ..., nonce 00 01 02 ...
    const AESCBC: [(usize, &str); 3] = [
        (
            16,
            "000102030405060708090a0b0c0d0e0fc0e8d77a4c964ec54521d5a4b84d2257e319085ec149462c2a380ba9b19c9bcb",
        ),
        (
            24,
            "000102030405060708090a0b0c0d0e0f425f8e513b5730858b3548791f2152aacaca3e82e8a93de96a3b0d3235abd9bd",
        ),
        (
            32,
            "000102030405060708090a0b0c0d0e0fbbc390ddee0f802a64f19d522caaa7130c47618cf5e28d0d8694011ebb9a7a48",
        ),
    ];
    const AESGCM: [(usize, &str); 3] = [
        (
            16,
            "000102030405060708090a0bf854d4ce0e7e9b3824fe41fd59d11c6cbc80e718f89b44ee2a789e4bfdf80f95",
        ),
        (
            24,
            "000102030405060708090a0b8dc1519bf1dca562bf1ffcf590dbb014b573211b0ba29f3938fe8002bea33edb",
        ),
        (
            32,
            "000102030405060708090a0b2c3aa51bad80ae77e26db7fcde9b1409f21ccadcbd0adc8e9547ce06d7a9b675",
        ),
    ];
    const SECRETBOX: &str = "000102030405060708090a0b0c0d0e0f1011121314151617\
        5e46cefad629ee117c00b44be097678d35c74b4fafafce7cd410af4907fd26f3";

    fn key(length: usize) -> Vec<u8> {
        (0..=u8::MAX).take(length).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        HEXLOWER.decode(hex.as_bytes()).expect("literal is hex")
    }

    #[test]
    fn values_sealed_elsewhere_are_opened() {
        for (length, sealed) in AESCBC {
            let opened = open_aescbc(&key(length), &bytes(sealed)).expect("right key");
            assert_eq!(opened.as_slice(), PLAIN, "aescbc {length}");
        }
        for (length, sealed) in AESGCM {
            let opened = open_aesgcm(&key(length), STORAGE_KEY, &bytes(sealed)).expect("right key");
            assert_eq!(opened.as_slice(), PLAIN, "aesgcm {length}");
        }
        let opened = open_secretbox(&key(32), &bytes(SECRETBOX)).expect("right key");
        assert_eq!(opened.as_slice(), PLAIN);
    }

    #[test]
    fn a_wrong_key_another_place_or_damage_opens_nothing() {
        for wrong in 1..=255 {
            let mut other = key(32);
            other.fill(wrong);
            assert!(open_aescbc(&other, &bytes(AESCBC[2].1)).is_none());
            assert!(open_aesgcm(&other, STORAGE_KEY, &bytes(AESGCM[2].1)).is_none());
            assert!(open_secretbox(&other, &bytes(SECRETBOX)).is_none());
        }
        assert!(
            open_aesgcm(
                &key(32),
                b"/kubernetes.io/secrets/ns/m",
                &bytes(AESGCM[2].1)
            )
            .is_none()
        );
        for length in [0, 1, 15, 17, 31, 33, 64] {
            assert!(
                open_aescbc(&key(length), &bytes(AESCBC[2].1)).is_none(),
                "{length}"
            );
            assert!(
                open_aesgcm(&key(length), STORAGE_KEY, &bytes(AESGCM[2].1)).is_none(),
                "{length}"
            );
            assert!(
                open_secretbox(&key(length), &bytes(SECRETBOX)).is_none(),
                "{length}"
            );
        }
        for length in 0..56 {
            let cut = |hex: &str| bytes(hex).into_iter().take(length).collect::<Vec<u8>>();
            let is_whole = |hex: &str| cut(hex) == bytes(hex);
            assert!(is_whole(AESCBC[2].1) || open_aescbc(&key(32), &cut(AESCBC[2].1)).is_none());
            assert!(
                is_whole(AESGCM[2].1)
                    || open_aesgcm(&key(32), STORAGE_KEY, &cut(AESGCM[2].1)).is_none()
            );
            assert!(is_whole(SECRETBOX) || open_secretbox(&key(32), &cut(SECRETBOX)).is_none());
        }
    }
}
