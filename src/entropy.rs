//! Randomness as an argument: the operating system's in service, a seeded stream in tests.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `buf` with random bytes.
    fn fill(&self, buf: &mut [u8]);
}

/// `N` random bytes.
pub fn bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut out = [0; N];
    entropy.fill(&mut out);
    out
}

/// A 256-bit secret in URL-safe base64 (43 characters): sessions, states, nonces, API tokens.
pub fn secret(entropy: &dyn Entropy) -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>(entropy))
}

/// A number in `0..bound` without bias; 0 when `bound` is 0.
pub fn below(entropy: &dyn Entropy, bound: usize) -> usize {
    let bound = bound as u64;
    if bound < 2 {
        return 0;
    }
    let zone = u64::MAX - u64::MAX % bound;
    loop {
        let n = u64::from_le_bytes(bytes(entropy));
        if n < zone {
            return usize::try_from(n % bound).unwrap_or(0);
        }
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the operating system"
    )]
    fn fill(&self, buf: &mut [u8]) {
        aws_lc_rs::rand::fill(buf).expect("the operating system gives random bytes");
    }
}

/// A repeatable stream (SHA-256 in counter mode over a seed): for draws that can be replayed, and for tests.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: [u8; 32],
    counter: AtomicU64,
}

impl SeededEntropy {
    /// The stream that belongs to `seed`.
    #[must_use]
    pub const fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            counter: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buf: &mut [u8]) {
        for chunk in buf.chunks_mut(32) {
            let n = self.counter.fetch_add(1, Ordering::Relaxed);
            let mut block = [0; 40];
            block[..32].copy_from_slice(&self.seed);
            block[32..].copy_from_slice(&n.to_le_bytes());
            chunk.copy_from_slice(&crate::crypto::sha256(&block)[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        let (a, b) = (SeededEntropy::new([7; 32]), SeededEntropy::new([7; 32]));
        assert_eq!(bytes::<100>(&a), bytes::<100>(&b));
        assert_ne!(bytes::<32>(&a), bytes::<32>(&SeededEntropy::new([8; 32])));
    }

    #[test]
    fn numbers_below_a_bound_are_even() {
        let e = SeededEntropy::new([1; 32]);
        let mut seen = [0u32; 6];
        for _ in 0..6000 {
            seen[below(&e, 6)] += 1;
        }
        assert!(seen.iter().all(|n| (850..1150).contains(n)), "{seen:?}");
    }
}
