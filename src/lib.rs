//! Passmuster: an LTI 1.3 tool for security training whose product is evidence.
//!
//! The rooms, and who may look into whom (arrows point to what a room may import):
//!
//! ```text
//! cli, demo -> web, jobs -> app -> storage -> lti, course, quiz, evidence, tenants -> ids, time, entropy, crypto
//! ```

pub mod crypto;
pub mod entropy;
pub mod ids;
pub mod time;

pub mod course;
pub mod evidence;
pub mod lti;
pub mod quiz;

pub mod demo;
pub mod web;
