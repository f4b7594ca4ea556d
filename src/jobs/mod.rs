//! What happens without a browser waiting.

pub mod passback;
