//! The few primitives of our own use, all from one library: SHA-256, HMAC, comparison without timing, sealing at rest.

use aws_lc_rs::{aead, constant_time, digest, hmac};

/// SHA-256 of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// SHA-256 of `data` in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(data: &[u8]) -> String {
    hex(&sha256(data))
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(data: &[u8]) -> String {
    use std::fmt::Write;
    data.iter()
        .fold(String::with_capacity(data.len() * 2), |mut s, b| {
            let _ = write!(s, "{b:02x}");
            s
        })
}

/// HMAC-SHA-256.
#[must_use]
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref());
    out
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
#[must_use]
pub fn same_secret(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// The sealed bytes were made with another secret key, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open with this secret key")]
pub struct SealError;

/// Seals `plain` under a 32-byte key, bound to `purpose` (AES-256-GCM; the 12-byte nonce comes first).
#[must_use]
pub fn seal(key: &[u8; 32], purpose: &str, plain: &[u8]) -> Vec<u8> {
    let key =
        aead::RandomizedNonceKey::new(&aead::AES_256_GCM, key).expect("a 32-byte key fits AES-256");
    let mut body = plain.to_vec();
    let nonce = key
        .seal_in_place_append_tag(aead::Aad::from(purpose.as_bytes()), &mut body)
        .expect("sealing a short value cannot fail");
    let mut out = nonce.as_ref().to_vec();
    out.append(&mut body);
    out
}

/// Opens what [`seal`] made with the same key and purpose.
pub fn open(key: &[u8; 32], purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, body) = sealed.split_first_chunk::<12>().ok_or(SealError)?;
    let key = aead::RandomizedNonceKey::new(&aead::AES_256_GCM, key).map_err(|_| SealError)?;
    let mut body = body.to_vec();
    let plain = key
        .open_in_place(
            aead::Nonce::from(nonce),
            aead::Aad::from(purpose.as_bytes()),
            &mut body,
        )
        .map_err(|_| SealError)?;
    Ok(plain.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_with_its_key_and_purpose_only() {
        let sealed = seal(&[1; 32], "key", b"secret");
        assert_eq!(open(&[1; 32], "key", &sealed).unwrap(), b"secret");
        assert!(open(&[2; 32], "key", &sealed).is_err());
        assert!(open(&[1; 32], "other", &sealed).is_err());
        let mut bent = sealed.clone();
        bent[14] ^= 1;
        assert!(open(&[1; 32], "key", &bent).is_err());
        assert!(open(&[1; 32], "key", &sealed[..5]).is_err());
    }

    #[test]
    fn known_digest() {
        assert_eq!(
            sha256_hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
