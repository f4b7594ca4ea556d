//! LTI 1.3 and LTI Advantage, the tool side.
//!
//! A launch goes `login` (third-party initiated login) -> the platform -> `launch` (the id_token), with the
//! platform's keys from `jwks`. A score goes `token` (client assertion, signed by `keys`) -> `ags`.

pub mod ags;
pub mod claims;
pub mod help;
pub mod jwks;
pub mod launch;
pub mod launch_error;
pub mod login;
pub mod platform;
pub mod roles;
pub mod score;
pub mod token;
pub mod token_error;
pub mod vocab;

#[cfg(test)]
pub(crate) mod testing;
