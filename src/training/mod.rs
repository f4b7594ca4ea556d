//! The steps of training, each one order of truth: what is checked, decided and written together.
//!
//! Doors (`web`, later SCORM's bridge) translate; this room orders; domain rooms decide; storage remembers.

pub mod attempt;
pub mod attest;
pub mod launch;
pub mod progress;
